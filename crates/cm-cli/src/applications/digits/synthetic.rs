//! Digits drawn from stroke templates, for machines without MNIST and without network.

use std::{collections::BTreeMap, f32::consts::PI};

use cm_data::{MemorySet, image_generator};
use md5::{Digest, Md5};
use rand::{Rng, RngExt, seq::SliceRandom};
use rand_distr::{Distribution, Normal};
use rayon::prelude::*;
use tiny_skia::{LineCap, LineJoin, Paint, PathBuilder, Pixmap, Transform};

use super::{
    source::DataSet,
    strokes::{DIGITS, Point},
    study::SIZE,
};
use crate::{applications::start::Origin, files::hex};

/// Height of the digits in pixels, as MNIST's.
const DIGIT_SIZE: f32 = 20.0;

/// Training and test images of the ten digits, each class as often as the others.
///
/// Each image is one of several ways of writing its digit, rotated by up to about 15°, sheared, scaled and moved,
/// bent by a smooth random displacement, and drawn with a random stroke width and gray. What is drawn depends on the
/// seed, the set, the index and the class alone.
pub fn synthetic_digits(train: usize, test: usize, seed: u64) -> DataSet {
    let (train, test) = (draw_set(train, seed, 1), draw_set(test, seed, 2));
    let mut checksums = BTreeMap::new();
    for (name, set) in [("train", &train), ("test", &test)] {
        let mut sum = Md5::new();
        set.images.iter().for_each(|image| sum.update(&image.pixels));
        sum.update(set.labels.iter().map(|&label| label as u8).collect::<Vec<_>>());
        checksums.insert(format!("{name} pixels and labels"), format!("md5:{}", hex(&sum.finalize())));
    }
    let source = format!("drawn from stroke templates with seed {seed}");
    let origin =
        Origin { name: "synthetic digits".into(), place: source.clone(), source, notice: None, checksums };
    DataSet { origin, train, test }
}

fn draw_set(count: usize, seed: u64, set: u64) -> MemorySet {
    // The upper bits tell the sets apart, so that no image of one appears in the other.
    let index = |i: usize| (set << 48) | i as u64;
    let mut labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    labels.shuffle(&mut image_generator(seed, index(1 << 40)));
    let draw = |(i, &label): (usize, &u8)| draw(label, &mut image_generator(seed, index(i)));
    let images: Vec<Vec<u8>> = labels.par_iter().enumerate().map(draw).collect();
    MemorySet::gray(SIZE, SIZE, &images.concat(), labels.into_iter().map(u32::from).collect())
}

fn draw(label: u8, random: &mut impl Rng) -> Vec<u8> {
    let ways = DIGITS[usize::from(label)];
    let strokes = ways[random.random_range(0..ways.len())];
    let place = Placement::random(random);
    let mut path = PathBuilder::new();
    for stroke in strokes {
        for (i, point) in stroke.trace().into_iter().enumerate() {
            let (x, y) = place.apply(point);
            if i == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
    }
    let stroke = tiny_skia::Stroke {
        width: random.random_range(1.5..3.3),
        line_cap: LineCap::Round,
        line_join: LineJoin::Round,
        ..Default::default()
    };
    let gray = random.random_range(190..=255u8);
    let mut paint = Paint { anti_alias: true, ..Default::default() };
    paint.set_color_rgba8(gray, gray, gray, 255);
    let (Some(path), Some(mut pixmap)) = (path.finish(), Pixmap::new(SIZE as u32, SIZE as u32)) else {
        unreachable!("every template has strokes, and the size is not zero")
    };
    pixmap.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
    // Premultiplied by coverage, which is the gray on a black ground.
    pixmap.pixels().iter().map(|pixel| pixel.red()).collect()
}

/// From the unit square to pixels: an elastic and then an affine deformation.
struct Placement {
    /// Displacements at the corners of a 3 x 3 grid over the unit square.
    bends: [[Point; 4]; 4],
    matrix: [[f32; 2]; 2],
    center: Point,
}

impl Placement {
    fn random(random: &mut impl Rng) -> Self {
        let Ok(bend) = Normal::new(0.0f32, 0.045) else { unreachable!("the deviation is finite") };
        let bends = std::array::from_fn(|_| {
            std::array::from_fn(|_| (bend.sample(&mut *random), bend.sample(&mut *random)))
        });
        let Ok(turn) = Normal::new(0.0f32, 7.0 * PI / 180.0) else { unreachable!("the deviation is finite") };
        let (sin, cos) = turn.sample(&mut *random).sin_cos();
        let shear = random.random_range(-0.25..0.25f32);
        let height = DIGIT_SIZE * random.random_range(0.82..1.05f32);
        let width = DIGIT_SIZE * random.random_range(0.6..1.0f32);
        let matrix =
            [[width * cos, height * (-sin - shear * cos)], [width * sin, height * (cos - shear * sin)]];
        let middle = SIZE as f32 / 2.0;
        let shift = |random: &mut dyn Rng| middle + random.random_range(-1.5..1.5f32);
        let center = (shift(&mut *random), shift(&mut *random));
        Self { bends, matrix, center }
    }

    fn apply(&self, point: Point) -> Point {
        let (dx, dy) = self.bend(point);
        let (x, y) = (point.0 + dx - 0.5, point.1 + dy - 0.5);
        let [[a, b], [c, d]] = self.matrix;
        (self.center.0 + a * x + b * y, self.center.1 + c * x + d * y)
    }

    /// Displacement between the corners of the grid, smoothly interpolated.
    fn bend(&self, point: Point) -> Point {
        let cell = |along: f32| {
            let at = (along * 3.0).clamp(0.0, 2.999);
            let t = at.fract();
            (at as usize, t * t * (3.0 - 2.0 * t))
        };
        let ((column, tx), (row, ty)) = (cell(point.0), cell(point.1));
        let mix = |pick: fn(Point) -> f32| {
            let corner = |down: usize, right: usize| pick(self.bends[row + down][column + right]);
            let upper = corner(0, 0) + tx * (corner(0, 1) - corner(0, 0));
            let lower = corner(1, 0) + tx * (corner(1, 1) - corner(1, 0));
            upper + ty * (lower - upper)
        };
        (mix(|p| p.0), mix(|p| p.1))
    }
}
