//! A rectangle of random values.

use rand::{Rng, RngExt};

use crate::Image;

/// Covers 2 % to 33 % of the image, as far as whole pixels allow, by a rectangle of random values,
/// up to 3.3 times as long as wide. Where so flat a rectangle does not fit in, it is less flat; so
/// a long image may get a longer one.
pub(super) fn erase(image: &mut Image, random: &mut impl Rng) {
    let &mut Image { width, height, channels, .. } = image;
    let (most_wide, most_high) = (width as f32, height as f32);
    let area = random.random_range(0.02..=0.33f32) * most_wide * most_high;
    let flatness = 3.3f32.ln();
    // Height by width. Both sides fit into the image for every proportion from A / width² to
    // height² / A.
    let ratio = random.random_range(-flatness..=flatness).exp();
    let ratio = ratio.clamp(area / (most_wide * most_wide), most_high * most_high / area);
    let side = |length: f32, most: usize| (length.round() as usize).clamp(1, most);
    let (rows, columns) = (side((area * ratio).sqrt(), height), side((area / ratio).sqrt(), width));
    let top = random.random_range(0..=height - rows);
    let left = random.random_range(0..=width - columns);
    for row in image.pixels.chunks_exact_mut(width * channels).skip(top).take(rows) {
        random.fill(&mut row[left * channels..][..columns * channels]);
    }
}
