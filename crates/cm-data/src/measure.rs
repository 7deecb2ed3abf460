//! Mean and deviation of the pixels of a set.

use fast_image_resize::Resizer;
use rayon::prelude::*;

use crate::{
    DataError, Image, ImageSet, InputSpec,
    dataset::{check_prepared, prepared_image},
    image::SLICES,
};

/// Images that one thread reads before it takes others.
const CHUNK: usize = 64;

/// Mean and standard deviation of each channel of a set's images after preprocessing, where 0 is
/// black and 1 is white: what [`InputSpec::mean`] and [`InputSpec::std`] of a model that learns
/// from these images should be. The deviation is that of the set, `√(mean of v² − (mean of v)²)`;
/// where all pixels are alike it is given as 1, since nothing can be divided by 0. The slices of volumes have one mean and one
/// deviation, that of all of them together.
///
/// Sums are of whole numbers, so that any number of threads gives the same bits. Read in parallel
/// on rayon's threads.
///
/// # Errors
///
/// That of the first image that cannot be read or preprocessed; [`DataError::Setting`] where the
/// set has no image, or its images were preprocessed for other inputs.
pub fn measure(set: &dyn ImageSet, input: &InputSpec) -> Result<(Vec<f32>, Vec<f32>), DataError> {
    check_prepared(set, input)?;
    let chunks = (0..set.len()).into_par_iter().step_by(CHUNK).map(|start| {
        let mut resizer = Resizer::new();
        let mut sums = Sums::default();
        for index in start..set.len().min(start + CHUNK) {
            let image = prepared_image(set, index, input, &mut resizer)?;
            sums.add(&image);
        }
        Ok(sums)
    });
    // Collected in their order, so that the error is always the first image's.
    let mut total = Sums::default();
    for sums in chunks.collect::<Vec<Result<Sums, DataError>>>() {
        total.merge(&sums?);
    }
    if total.pixels == 0 {
        let reason = "mean and deviation of its pixels need at least one image";
        return Err(DataError::Setting { name: "the number of images", value: "0".to_owned(), reason });
    }
    if SLICES.contains(&input.channels) {
        return Ok((vec![total.mean(0); input.channels], vec![total.deviation(0); input.channels]));
    }
    let channels = 0..input.channels;
    Ok((channels.clone().map(|c| total.mean(c)).collect(), channels.map(|c| total.deviation(c)).collect()))
}

/// Sums over pixels, for each channel.
#[derive(Default)]
struct Sums {
    pixels: u64,
    values: [u64; 3],
    squares: [u64; 3],
}

impl Sums {
    fn add(&mut self, image: &Image) {
        if image.is_volume() {
            self.count(&image.pixels, 1);
        } else {
            self.count(&image.pixels, image.channels);
        }
    }

    fn count(&mut self, pixels: &[u8], channels: usize) {
        self.pixels += (pixels.len() / channels) as u64;
        // Counting first leaves one addition for each value, instead of a product and two sums.
        let mut counts = [[0u32; 256]; 3];
        for pixel in pixels.chunks_exact(channels) {
            for (counts, &value) in counts.iter_mut().zip(pixel) {
                counts[usize::from(value)] += 1;
            }
        }
        for (c, counts) in counts.iter().enumerate() {
            for (value, &count) in (0u64..).zip(counts) {
                self.values[c] += value * u64::from(count);
                self.squares[c] += value * value * u64::from(count);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.pixels += other.pixels;
        for c in 0..3 {
            self.values[c] += other.values[c];
            self.squares[c] += other.squares[c];
        }
    }

    fn mean(&self, channel: usize) -> f32 {
        (self.values[channel] as f64 / (self.pixels as f64 * 255.0)) as f32
    }

    fn deviation(&self, channel: usize) -> f32 {
        // n Σ v² − (Σ v)² is exact and never negative.
        let (pixels, sum) = (u128::from(self.pixels), u128::from(self.values[channel]));
        let spread = pixels * u128::from(self.squares[channel]) - sum * sum;
        match spread {
            0 => 1.0,
            spread => ((spread as f64).sqrt() / (self.pixels as f64 * 255.0)) as f32,
        }
    }
}
