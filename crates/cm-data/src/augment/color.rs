//! Brightness, contrast and saturation.

use rand::{Rng, RngExt};

use crate::{Image, image_ops::luma};

/// Multiplies brightness by b, then the distance from the mean luma of the image by c, then the
/// distance of each pixel from its own luma by s, each factor evenly likely between 1 − `strength`
/// and 1 + `strength`.
///
/// Nothing is rounded or cut off in between: with the luma l of a pixel and the mean luma m of the
/// image before, a value v becomes b c (s v + (1 − s) l) + (1 − c) b m.
pub(super) fn jitter(image: &mut Image, strength: f32, random: &mut impl Rng) {
    let mut factor = || random.random_range(1.0 - strength..=1.0 + strength);
    let (brightness, contrast) = (factor(), factor());
    if image.channels != 3 {
        let mean = mean(image.pixels.iter().copied());
        // Without saturation there are 256 answers.
        let offset = (1.0 - contrast) * brightness * mean;
        let mut table = [0; 256];
        for (value, changed) in (0..=255u8).zip(&mut table) {
            *changed = level(brightness * contrast * f32::from(value) + offset);
        }
        image.pixels.iter_mut().for_each(|value| *value = table[usize::from(*value)]);
        return;
    }
    let saturation = factor();
    let pixels = image.pixels.as_chunks_mut::<3>().0;
    let offset = (1.0 - contrast) * brightness * mean(pixels.iter().map(luma));
    let (own, gray) = (brightness * contrast * saturation, brightness * contrast * (1.0 - saturation));
    for pixel in pixels {
        let offset = gray * f32::from(luma(pixel)) + offset;
        *pixel = pixel.map(|value| level(own * f32::from(value) + offset));
    }
}

fn mean(levels: impl ExactSizeIterator<Item = u8>) -> f32 {
    let count = levels.len().max(1);
    (levels.map(u64::from).sum::<u64>() as f64 / count as f64) as f32
}

/// The nearest level; casting to u8 cuts off what is below 0 or above 255.
fn level(value: f32) -> u8 {
    (value + 0.5) as u8
}
