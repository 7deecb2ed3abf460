//! Signs drawn by the program, for machines without GTSRB: a car drives towards each, so that the frames of a track go
//! from far and small to near and large, in the light that there was.

use std::{collections::BTreeMap, f32::consts::PI, sync::Arc};

use cm_data::{Image, MemorySet};
use image::{RgbImage, imageops};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Rect, Stroke, Transform};

use super::{
    glyphs::{CLASSES, Glyph, Outline, SignClass},
    source::{Quality, Signs},
};
use crate::{applications::start::Origin, files::hex};

/// Height and width of the images, as GTSRB's are here.
pub const SIZE: u32 = 32;
/// Height and width that a sign is drawn with before the camera sees it.
const DRAWN: u32 = 96;
/// Frames of a track.
pub const FRAMES: usize = 10;

/// Training tracks, and half as many single test images of other signs.
///
/// What is drawn depends on the seed, the set, the track and the frame alone. The resolution is the number of pixels that
/// the sign had before it was brought to 32 x 32.
pub fn synthetic_signs(tracks: usize, seed: u64) -> Signs {
    signs_with_quality(tracks, seed).0
}

/// The same, and what is known of each training image.
pub fn signs_with_quality(tracks: usize, seed: u64) -> (Signs, Vec<Quality>) {
    let frames: Vec<(usize, usize)> =
        (0..tracks).flat_map(|track| (0..FRAMES).map(move |frame| (track, frame))).collect();
    let train = draw_set(&frames, seed, 1);
    // Of each test sign one frame, near or far.
    let tests: Vec<(usize, usize)> = (0..tracks * FRAMES / 2).map(|i| (i, i * 7 % FRAMES)).collect();
    let test = draw_set(&tests, seed, 2);
    let mut checksums = BTreeMap::new();
    for (name, set) in [("train", &train.0), ("test", &test.0)] {
        let mut sum = Sha256::new();
        for (image, label) in set.images.iter().zip(&set.labels) {
            sum.update(&image.pixels);
            sum.update(label.to_le_bytes());
        }
        checksums.insert(format!("{name} pixels and labels"), format!("sha256:{}", hex(&sum.finalize())));
    }
    let signs = Signs {
        origin: Origin::drawn("synthetic signs", seed, checksums),
        classes: CLASSES.iter().map(|class| class.name.to_owned()).collect(),
        train: train.0,
        train_groups: frames.iter().map(|(track, _)| *track as u32).collect(),
        test: test.0,
        test_quality: test.1,
    };
    (signs, train.1)
}

fn draw_set(frames: &[(usize, usize)], seed: u64, set: u64) -> (MemorySet, Vec<Quality>) {
    let drawn: Vec<(Image, u32, Quality)> =
        frames.par_iter().map(|&(track, frame)| draw(seed, set, track, frame)).collect();
    let mut images = MemorySet::default();
    let mut qualities = Vec::new();
    for ((image, label, quality), (track, frame)) in drawn.into_iter().zip(frames) {
        images.images.push(Arc::new(image));
        images.labels.push(label);
        images.names.push(format!("track {track}, frame {frame}"));
        qualities.push(quality);
    }
    (images, qualities)
}

/// Random numbers of a track, or of one of its frames.
fn generator(seed: u64, set: u64, track: usize, frame: usize) -> ChaCha8Rng {
    let mut bytes = [0; 32];
    for (place, number) in bytes.chunks_exact_mut(8).zip([seed, set, track as u64, frame as u64]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    ChaCha8Rng::from_seed(bytes)
}

/// What all frames of a track share.
struct Track {
    class: usize,
    /// Resolution of the first frame, and how it grows.
    nearest: f32,
    growth: f32,
    contrast: f32,
    brightness: f32,
    background: [Color; 2],
    tilt: f32,
}

impl Track {
    fn random(random: &mut impl Rng) -> Self {
        // Signs are not equally common.
        let common: f32 = random.random();
        let color = |random: &mut dyn Rng| {
            let mut channel = || random.random_range(0.15..0.75f32);
            Color::from_rgba(channel(), channel(), channel(), 1.0).unwrap_or(Color::BLACK)
        };
        Self {
            class: ((common.powf(1.3) * CLASSES.len() as f32) as usize).min(CLASSES.len() - 1),
            nearest: random.random_range(9.0..18.0),
            growth: random.random_range(1.12..1.24),
            contrast: random.random_range(0.0..1.0f32).powi(2).mul_add(-0.85, 1.0),
            brightness: random.random_range(-0.25..0.15),
            background: [color(&mut *random), color(&mut *random)],
            tilt: random.random_range(-10.0..10.0f32) * PI / 180.0,
        }
    }
}

fn draw(seed: u64, set: u64, index: usize, frame: usize) -> (Image, u32, Quality) {
    // Frame numbers from 1, so that 0 is the track itself.
    let track = Track::random(&mut generator(seed, set, index, 0));
    let mut random = generator(seed, set, index, frame + 1);
    let sharp = sign(&track, &mut random);
    let resolution = (track.nearest * track.growth.powi(frame as i32)).min(90.0);
    let height = (resolution * random.random_range(0.92..1.08)).round().max(6.0) as u32;
    let width = (resolution * random.random_range(0.92..1.08)).round().max(6.0) as u32;
    // A camera: few pixels, a little motion, light, and noise.
    let seen = imageops::resize(&sharp, width, height, imageops::FilterType::Triangle);
    let seen = match random.random_range(0.0..1.2f32) {
        sigma if sigma > 0.3 => imageops::blur(&seen, sigma),
        _ => seen,
    };
    let mut seen = imageops::resize(&seen, SIZE, SIZE, imageops::FilterType::Triangle);
    let Ok(noise) = Normal::new(0.0f32, 5.0) else { unreachable!("the deviation is finite") };
    for value in seen.iter_mut() {
        let light = 128.0 + track.contrast * (f32::from(*value) - 128.0) + 255.0 * track.brightness;
        // Casting to u8 saturates, as a sensor does.
        *value = (light + noise.sample(&mut random)).round() as u8;
    }
    let image = Image { width: SIZE as usize, height: SIZE as usize, channels: 3, pixels: seen.into_raw() };
    let quality = Quality::of(&image, f64::from(width.min(height)));
    (image, track.class as u32, quality)
}

/// The sign before its background, without any fault of a camera.
fn sign(track: &Track, random: &mut impl Rng) -> RgbImage {
    let Some(mut canvas) = Pixmap::new(DRAWN, DRAWN) else { unreachable!("the size is not zero") };
    let side = DRAWN as f32;
    canvas.fill(track.background[0]);
    if let Some(lower) = Rect::from_xywh(0.0, side * random.random_range(0.3..0.8f32), side, side) {
        canvas.fill_rect(lower, &paint(track.background[1]), Transform::identity(), None);
    }
    let jitter = |random: &mut dyn Rng| random.random_range(-0.05..0.05f32) * side;
    let place =
        Transform::from_translate(side / 2.0 + jitter(&mut *random), side / 2.0 + jitter(&mut *random))
            .pre_concat(Transform::from_rotate(track.tilt * 180.0 / PI))
            .pre_scale(side * random.random_range(0.36..0.44), side * random.random_range(0.36..0.44));
    let class: &SignClass = &CLASSES[track.class];
    if let Some(path) = outline(class.outline) {
        canvas.fill_path(&path, &paint(class.fill()), FillRule::Winding, place, None);
        let border = Stroke { width: 0.22, ..Stroke::default() };
        canvas.stroke_path(&path, &paint(class.border()), &border, place, None);
    }
    glyph(&mut canvas, class, place);
    let pixels =
        canvas.pixels().iter().flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect();
    RgbImage::from_raw(DRAWN, DRAWN, pixels).unwrap_or_else(|| unreachable!("the canvas has this size"))
}

fn paint(color: Color) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(color);
    paint
}

/// The shape of a sign around the origin, with a radius of 1.
fn outline(outline: Outline) -> Option<tiny_skia::Path> {
    let (corners, start) = match outline {
        Outline::Circle => return PathBuilder::from_circle(0.0, 0.0, 0.9),
        Outline::Triangle => (3, -PI / 2.0),
        Outline::Downward => (3, PI / 2.0),
        Outline::Diamond => (4, -PI / 2.0),
        Outline::Square => (4, -PI / 4.0),
        Outline::Octagon => (8, PI / 8.0),
    };
    let mut path = PathBuilder::new();
    for corner in 0..corners {
        let (sin, cos) = (start + 2.0 * PI * corner as f32 / corners as f32).sin_cos();
        if corner == 0 { path.move_to(cos, sin) } else { path.line_to(cos, sin) }
    }
    path.close();
    path.finish()
}

/// What is painted on a sign.
fn glyph(canvas: &mut Pixmap, class: &SignClass, place: Transform) {
    let ink = paint(class.ink());
    let stroke = Stroke { width: 0.2, line_cap: tiny_skia::LineCap::Round, ..Stroke::default() };
    match class.glyph {
        Glyph::Lines(lines) => {
            for line in lines {
                let mut path = PathBuilder::new();
                for (i, &(x, y)) in line.iter().enumerate() {
                    if i == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
                }
                if let Some(path) = path.finish() {
                    canvas.stroke_path(&path, &ink, &stroke, place, None);
                }
            }
        }
        Glyph::Dots(dots) => {
            for &(x, y) in dots {
                if let Some(path) = PathBuilder::from_circle(x, y, 0.17) {
                    canvas.fill_path(&path, &ink, FillRule::Winding, place, None);
                }
            }
        }
    }
}
