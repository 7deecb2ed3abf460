//! Faces drawn by the program, for machines without LFW: people who differ in the shape and the colors of their faces, each seen from
//! elsewhere, in another light, with another expression, more or less sharp from image to image.

use std::{collections::BTreeMap, f32::consts::TAU, sync::Arc};

use cm_data::{Image, MemorySet, Pair};
use image::{RgbImage, imageops};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tiny_skia::{Color, FillRule, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};

use super::source::Faces;
use crate::{applications::start::Origin, files::hex};

/// Height and width that a face is drawn with.
const DRAWN: u32 = 96;
/// Images of a person; the number differs from person to person.
const IMAGES: std::ops::RangeInclusive<usize> = 3..=9;

/// Random numbers of a person, or of one image of the person.
fn generator(seed: u64, set: u64, person: u64, image: u64) -> ChaCha8Rng {
    let mut bytes = [0; 32];
    for (place, number) in bytes.chunks_exact_mut(8).zip([seed, set, person, image]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    ChaCha8Rng::from_seed(bytes)
}

/// People to train on, half as many others to test on, and pairs of these. What is drawn depends on the seed, the person and the image
/// alone.
pub fn faces(people: usize, size: usize, seed: u64) -> Faces {
    let sets = [(1u64, people), (2, people.div_ceil(2))];
    let mut wanted = Vec::new();
    let (mut owners, mut names) = (Vec::new(), Vec::new());
    let mut parts = [Vec::new(), Vec::new()];
    for ((set, people), part) in sets.into_iter().zip(&mut parts) {
        for person in 0..people as u64 {
            for image in 0..generator(seed, set, person, u64::MAX).random_range(IMAGES) as u64 {
                part.push(wanted.len());
                owners.push(names.len() as u32);
                wanted.push((set, person, image));
            }
            names.push(format!("person {set}.{person:04}"));
        }
    }
    let drawn: Vec<(Image, f64)> =
        wanted.par_iter().map(|&(set, person, image)| face(seed, set, person, image, size as u32)).collect();
    let mut sum = Sha256::new();
    drawn.iter().for_each(|(image, _)| sum.update(&image.pixels));
    let checksums = BTreeMap::from([("pixels".to_owned(), format!("sha256:{}", hex(&sum.finalize())))]);
    let sharpness = drawn.iter().map(|(_, sharpness)| *sharpness).collect();
    let [train, test] = parts;
    let pairs = pairs(&test, &owners, seed);
    let images = MemorySet {
        images: drawn.into_iter().map(|(image, _)| Arc::new(image)).collect(),
        labels: owners.clone(),
        names: wanted
            .iter()
            .map(|(set, person, image)| format!("person {set}.{person:04}, image {image}"))
            .collect(),
    };
    Faces {
        origin: Origin::drawn("synthetic faces", seed, checksums),
        images: Arc::new(images),
        people: owners,
        names,
        sharpness,
        train,
        test,
        pairs,
        region: None,
    }
}

/// As many pairs of one person as there are people, and as many of two.
fn pairs(images: &[usize], people: &[u32], seed: u64) -> Vec<Pair> {
    let mut random = generator(seed, 3, 0, 0);
    let mut of: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    images.iter().for_each(|&image| of.entry(people[image]).or_default().push(image));
    let all: Vec<&Vec<usize>> = of.values().collect();
    let mut same = Vec::new();
    for images in &all {
        // Each image with the next, so that none is compared with itself.
        let first = random.random_range(0..images.len());
        same.push([images[first], images[(first + 1) % images.len()]]);
        same.push([images[(first + 1) % images.len()], images[(first + 2) % images.len()]]);
    }
    let different: Vec<[usize; 2]> = (0..same.len())
        .map(|i| {
            let first = i % all.len();
            let second = (first + random.random_range(1..all.len())) % all.len();
            [all[first], all[second]].map(|images| images[random.random_range(0..images.len())])
        })
        .collect();
    let pair = |same| move |images| Pair { images, same, fold: 0 };
    same.into_iter().map(pair(true)).chain(different.into_iter().map(pair(false))).collect()
}

/// What makes a person: numbers from 0 to 1 unless they are colors.
struct Person {
    skin: [f32; 3],
    hair: [f32; 3],
    iris: [f32; 3],
    shirt: [f32; 3],
    width: f32,
    jaw: f32,
    fringe: f32,
    eye_distance: f32,
    eye_size: f32,
    brow: f32,
    nose: f32,
    mouth: f32,
    lips: f32,
    beard: bool,
    glasses: bool,
}

impl Person {
    fn new(random: &mut impl Rng) -> Self {
        let mut number = || random.random::<f32>();
        let tone = 0.25 + 0.7 * number();
        let red = 0.06 * number();
        let skin = [tone + red, tone * (0.76 + 0.12 * number()), tone * (0.55 + 0.22 * number())];
        let hair = match number() {
            share if share < 0.5 => [0.12 + 0.2 * number(); 3].map(|gray| gray * 0.9),
            share if share < 0.8 => [0.35 + 0.3 * number(), 0.22 + 0.2 * number(), 0.1 + 0.1 * number()],
            _ => [0.75 + 0.2 * number(), 0.65 + 0.2 * number(), 0.4 + 0.4 * number()],
        };
        Self {
            skin,
            hair,
            iris: [0.1 + 0.3 * number(), 0.15 + 0.4 * number(), 0.1 + 0.6 * number()],
            shirt: [number(), number(), number()],
            width: number(),
            jaw: number(),
            fringe: number(),
            eye_distance: number(),
            eye_size: number(),
            brow: number(),
            nose: number(),
            mouth: number(),
            lips: number(),
            beard: number() < 0.2,
            glasses: number() < 0.2,
        }
    }
}

fn paint(color: [f32; 3]) -> Paint<'static> {
    let [red, green, blue] = color.map(|value| value.clamp(0.0, 1.0));
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(Color::from_rgba(red, green, blue, 1.0).unwrap_or(Color::BLACK));
    paint
}

/// An oval around a point.
fn oval(x: f32, y: f32, width: f32, height: f32) -> Option<Path> {
    let place = Transform::from_row(width, 0.0, 0.0, height, x, y);
    PathBuilder::from_circle(0.0, 0.0, 1.0)?.transform(place)
}

/// A line through points, the middle one of which draws it towards itself.
fn arc(from: (f32, f32), by: (f32, f32), to: (f32, f32)) -> Option<Path> {
    let mut path = PathBuilder::new();
    path.move_to(from.0, from.1);
    path.quad_to(by.0, by.1, to.0, to.1);
    path.finish()
}

/// An image of one of very many people.
pub fn drawn_face(seed: u64, person: u64, image: u64, size: u32) -> Image {
    face(seed, 4, person, image, size).0
}

/// An image of a person, and how sharp it is: minus the deviation of the blur, in pixels of 96.
pub fn face(seed: u64, set: u64, person: u64, image: u64, size: u32) -> (Image, f64) {
    let of = Person::new(&mut generator(seed, set, person, u64::MAX - 1));
    let mut random = generator(seed, set, person, image);
    let mut canvas = Pixmap::new(DRAWN, DRAWN).unwrap_or_else(|| unreachable!("the canvas has a size"));
    let background = [(); 3].map(|()| random.random_range(0.1..0.9f32));
    canvas.fill(Color::from_rgba(background[0], background[1], background[2], 1.0).unwrap_or(Color::WHITE));
    draw(&mut canvas, &of, &mut random);
    let pixels = canvas.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]);
    let mut drawn = RgbImage::from_raw(DRAWN, DRAWN, pixels.collect())
        .unwrap_or_else(|| unreachable!("the canvas has this size"));
    // Most images are sharp, and a few are not at all.
    let blur = 0.3 + 3.0 * random.random::<f32>().powi(3);
    drawn = imageops::blur(&drawn, blur);
    let light =
        (random.random_range(0.6..1.25f32), random.random_range(0.0..TAU), random.random_range(0.0..0.45f32));
    let noise = random.random_range(1.0..9.0f32);
    let small = imageops::resize(&drawn, size, size, imageops::FilterType::Triangle);
    let mut shaded = small.into_raw();
    for (i, pixel) in shaded.chunks_exact_mut(3).enumerate() {
        let (x, y) =
            ((i as u32 % size) as f32 / size as f32 - 0.5, (i as u32 / size) as f32 / size as f32 - 0.5);
        let brightness = light.0 * (1.0 + 2.0 * light.2 * (x * light.1.cos() + y * light.1.sin()));
        let grain = noise * (random.random::<f32>() + random.random::<f32>() - 1.0);
        for value in pixel {
            *value = (f32::from(*value) * brightness + grain).clamp(0.0, 255.0) as u8;
        }
    }
    let size = size as usize;
    (Image { width: size, height: size, channels: 3, pixels: shaded }, -f64::from(blur))
}

/// Draws a face as it is seen in one image.
fn draw(canvas: &mut Pixmap, of: &Person, random: &mut impl Rng) {
    let mut between = |low: f32, high: f32| random.random_range(low..high);
    let scale = DRAWN as f32 * between(0.40, 0.47);
    let (turn, smile, open) = (between(-0.35, 0.35), between(-0.5, 1.0), between(0.0, 1.0));
    let half = DRAWN as f32 / 2.0;
    let place = Transform::from_scale(scale, scale)
        .post_rotate(between(-9.0, 9.0))
        .post_translate(half + between(-4.0, 4.0), half + between(-4.0, 4.0));
    let fill = |canvas: &mut Pixmap, path: Option<Path>, color: [f32; 3]| {
        if let Some(path) = path {
            canvas.fill_path(&path, &paint(color), FillRule::Winding, place, None);
        }
    };
    let line = |canvas: &mut Pixmap, path: Option<Path>, color: [f32; 3], width: f32| {
        if let Some(path) = path {
            let stroke = Stroke { width, line_cap: tiny_skia::LineCap::Round, ..Stroke::default() };
            canvas.stroke_path(&path, &paint(color), &stroke, place, None);
        }
    };
    let dark = |color: [f32; 3], by: f32| color.map(|value| value * by);
    let width = 0.62 + 0.16 * of.width;
    // Features move to the side that the head is turned to.
    let x = |at: f32| at * (1.0 - 0.25 * turn.abs()) + 0.28 * turn;
    fill(canvas, oval(0.0, 1.35, 1.1, 0.6), of.shirt);
    fill(canvas, oval(0.0, 0.75, 0.3, 0.5), dark(of.skin, 0.85));
    fill(canvas, oval(0.0, -0.15, width + 0.12, 0.95), of.hair);
    fill(canvas, oval(0.0, 0.0, width, 0.9), of.skin);
    fill(canvas, oval(0.0, 0.45, width * (0.62 + 0.3 * of.jaw), 0.5), of.skin);
    if of.beard {
        fill(canvas, oval(x(0.0), 0.62, 0.42, 0.3), dark(of.hair, 0.9));
    }
    fill(
        canvas,
        oval(x(0.0) * 0.4, -0.85 + 0.18 * of.fringe, width * 0.95, 0.28 + 0.16 * of.fringe),
        of.hair,
    );
    let (apart, eye) = (0.23 + 0.12 * of.eye_distance, 0.075 + 0.05 * of.eye_size);
    for side in [-1.0, 1.0] {
        let at = x(side * apart);
        fill(canvas, oval(at, -0.1, eye * 1.5, eye * (0.45 + 0.55 * open)), [0.95; 3]);
        fill(canvas, oval(at + 0.03 * turn, -0.1, eye * 0.7, eye * (0.4 + 0.3 * open)), of.iris);
        fill(canvas, oval(at + 0.03 * turn, -0.1, eye * 0.32, eye * 0.32), [0.05; 3]);
        let height = -0.27 - 0.06 * of.brow;
        let brow =
            arc((at - 0.15, height + 0.03), (at, height - 0.05 - 0.08 * of.brow), (at + 0.15, height + 0.03));
        line(canvas, brow, dark(of.hair, 0.75), 0.035 + 0.04 * of.brow);
        if of.glasses {
            line(canvas, oval(at, -0.09, 0.2, 0.16), [0.1; 3], 0.025);
        }
    }
    let (tip, bottom) = (x(0.05 + 0.08 * turn), 0.14 + 0.16 * of.nose);
    line(
        canvas,
        arc((x(0.0), -0.06), (tip + 0.1, bottom), (x(-0.04), bottom + 0.03)),
        dark(of.skin, 0.72),
        0.035,
    );
    let (mouth, height) = (0.17 + 0.14 * of.mouth, 0.46 + 0.08 * of.nose);
    let lips = arc((x(-mouth), height), (x(0.0), height + 0.16 * smile), (x(mouth), height));
    line(canvas, lips, [of.skin[0] * 0.75, of.skin[1] * 0.45, of.skin[2] * 0.45], 0.045 + 0.06 * of.lips);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_are_the_same_every_time_and_people_are_on_one_side() {
        let (a, b, other) = (faces(20, 32, 3), faces(20, 32, 3), faces(20, 32, 4));
        assert_eq!(a.origin.checksums, b.origin.checksums);
        assert_ne!(a.origin.checksums, other.origin.checksums);
        assert!(!a.origin.name.contains("LFW") && !a.origin.source.contains("LFW"));
        let people = |images: &[usize]| {
            images.iter().map(|&image| a.people[image]).collect::<std::collections::BTreeSet<_>>()
        };
        assert!(people(&a.train).is_disjoint(&people(&a.test)));
        assert_eq!((people(&a.train).len(), people(&a.test).len()), (20, 10));
        // More people do not change those who are there.
        let more = faces(24, 32, 3);
        let first = |faces: &Faces| faces.images.image(5).map(|image| image.pixels.clone()).ok();
        assert_eq!(first(&a), first(&more));
    }

    #[test]
    fn pairs_are_of_one_person_or_of_two_as_they_say_and_never_of_one_image() {
        let faces = faces(40, 16, 0);
        let same = faces.pairs.iter().filter(|pair| pair.same).count();
        assert_eq!(2 * same, faces.pairs.len());
        for pair in &faces.pairs {
            let [first, second] = pair.images;
            assert_ne!(first, second);
            assert_eq!(faces.people[first] == faces.people[second], pair.same);
            assert!(faces.test.contains(&first) && faces.test.contains(&second));
        }
    }

    #[test]
    fn the_same_person_looks_more_alike_than_another() {
        // Mean distances of pixels, without anything learned: a little less within a person.
        let faces = faces(60, 24, 1);
        let distance = |pair: &Pair| {
            let [a, b] = pair.images.map(|image| faces.images.image(image).expect("it is in memory"));
            let squares =
                a.pixels.iter().zip(&b.pixels).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
            squares.sum::<f64>().sqrt()
        };
        let mean = |same: bool| {
            let found: Vec<f64> = faces.pairs.iter().filter(|pair| pair.same == same).map(distance).collect();
            found.iter().sum::<f64>() / found.len() as f64
        };
        assert!(mean(true) < 0.95 * mean(false), "{} and {}", mean(true), mean(false));
    }
}
