//! Known quality: what spoils an image, and how much.

use std::{fmt, str::FromStr};

use image::{GrayImage, imageops};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use rand_distr::{Distribution, Normal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{DataError, LabelledImages};

/// Severities: 0 (untouched), 1, 2, 3 and 4 (worst).
pub const SEVERITIES: usize = 5;

/// A way in which images lose quality.
///
/// | kind | what is set | severity 1 | 2 | 3 | 4 |
/// |---|---|---|---|---|---|
/// | blur | σ of a Gaussian, as a share of the height | 0.030 | 0.055 | 0.080 | 0.110 |
/// | low resolution | share of the pixels a side that are kept | 0.5 | 0.36 | 0.25 | 0.18 |
/// | noise | σ of added Gaussian noise, in grey levels | 35 | 70 | 105 | 150 |
/// | occlusion | share of the area under a grey rectangle | 0.10 | 0.20 | 0.32 | 0.45 |
/// | low contrast | share of the contrast that is kept, then noise of σ 10 | 0.40 | 0.20 | 0.11 | 0.07 |
/// | mixed | one of the others for each image | | | | |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Degradation {
    /// Gaussian blur.
    Blur,
    /// Made small and large again.
    LowResolution,
    /// Gaussian noise.
    Noise,
    /// A rectangle of one random grey somewhere.
    Occlusion,
    /// Grey levels drawn together towards middle grey.
    LowContrast,
    /// One of the other kinds for each image.
    Mixed,
}

impl Degradation {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Blur, Self::LowResolution, Self::Noise, Self::Occlusion, Self::LowContrast, Self::Mixed];

    fn name(self) -> &'static str {
        match self {
            Self::Blur => "blur",
            Self::LowResolution => "low-resolution",
            Self::Noise => "noise",
            Self::Occlusion => "occlusion",
            Self::LowContrast => "low-contrast",
            Self::Mixed => "mixed",
        }
    }
}

/// Spoils one image of `rows` x `cols` grey pixels. The same seed and index give the same result.
///
/// # Panics
///
/// If the severity is above 4 or the number of pixels is not `rows · cols`.
pub fn degrade(
    pixels: &[u8],
    rows: usize,
    cols: usize,
    kind: Degradation,
    severity: u8,
    seed: u64,
    index: u64,
) -> Vec<u8> {
    assert!(usize::from(severity) < SEVERITIES, "severities go from 0 to 4, not to {severity}");
    assert_eq!(pixels.len(), rows * cols, "an image of {rows} x {cols} has as many pixels");
    if severity == 0 || pixels.is_empty() {
        return pixels.to_vec();
    }
    let level = usize::from(severity) - 1;
    let mut random = generator(seed, index);
    let kind = match kind {
        Degradation::Mixed => Degradation::ALL[random.random_range(0..Degradation::ALL.len() - 1)],
        kind => kind,
    };
    let image = || {
        GrayImage::from_raw(cols as u32, rows as u32, pixels.to_vec())
            .unwrap_or_else(|| unreachable!("the number of pixels was checked"))
    };
    match kind {
        Degradation::Blur => {
            let sigma = [0.030, 0.055, 0.080, 0.110][level] * rows as f32;
            imageops::blur(&image(), sigma).into_raw()
        }
        Degradation::LowResolution => {
            let share = [0.5, 0.36, 0.25, 0.18][level];
            let kept = |length: usize| ((length as f64 * share).round() as u32).max(1);
            let triangle = imageops::FilterType::Triangle;
            let small = imageops::resize(&image(), kept(cols), kept(rows), triangle);
            imageops::resize(&small, cols as u32, rows as u32, triangle).into_raw()
        }
        Degradation::Noise => add_noise(pixels, [35.0, 70.0, 105.0, 150.0][level], &mut random),
        Degradation::Occlusion => occlude(pixels, rows, cols, [0.10, 0.20, 0.32, 0.45][level], &mut random),
        Degradation::LowContrast => {
            let kept = [0.40, 0.20, 0.11, 0.07][level];
            let flat = |&pixel: &u8| (128.0 + kept * (f32::from(pixel) - 128.0)).round() as u8;
            add_noise(&pixels.iter().map(flat).collect::<Vec<_>>(), 10.0, &mut random)
        }
        Degradation::Mixed => unreachable!("replaced by one of the others"),
    }
}

fn add_noise(pixels: &[u8], sigma: f32, random: &mut StdRng) -> Vec<u8> {
    let Ok(noise) = Normal::new(0.0, sigma) else { unreachable!("the deviation is finite") };
    // Casting to u8 saturates, as a sensor does.
    pixels.iter().map(|&pixel| (f32::from(pixel) + noise.sample(random)).round() as u8).collect()
}

fn occlude(pixels: &[u8], rows: usize, cols: usize, share: f64, random: &mut StdRng) -> Vec<u8> {
    // Up to 1.5 times as long as wide, in either direction.
    let stretch = random.random_range(-0.2f64..0.2).exp();
    let side = |length: usize, factor: f64| {
        ((length as f64 * share.sqrt() * factor).round() as usize).clamp(1, length)
    };
    let (height, width) = (side(rows, stretch), side(cols, 1.0 / stretch));
    let top = random.random_range(0..=rows - height);
    let left = random.random_range(0..=cols - width);
    let grey: u8 = random.random();
    let mut covered = pixels.to_vec();
    for row in top..top + height {
        covered[row * cols + left..][..width].fill(grey);
    }
    covered
}

/// Severities for a training set of uneven quality.
///
/// `round(count · low_quality_fraction)` images get a severity of 1 to 4, each as often as the others as far as
/// the number can be divided by 4; the rest have 0. Which ones they are depends on the seed.
pub fn assign_severities(count: usize, low_quality_fraction: f64, seed: u64) -> Vec<u8> {
    let low = ((count as f64 * low_quality_fraction).round() as usize).min(count);
    let mut severities: Vec<u8> = (0..count).map(|i| if i < low { 1 + (i % 4) as u8 } else { 0 }).collect();
    severities.shuffle(&mut generator(seed, u64::MAX));
    severities
}

/// [`degrade`] for every image of a set, each with its own severity; the index is the position in the set.
///
/// # Panics
///
/// If there are not as many severities as images.
pub fn degrade_all(
    images: &LabelledImages,
    kind: Degradation,
    severities: &[u8],
    seed: u64,
) -> LabelledImages {
    assert_eq!(images.len(), severities.len(), "every image needs a severity");
    let (rows, cols) = (images.rows, images.cols);
    let spoil = |i: usize| degrade(images.image(i), rows, cols, kind, severities[i], seed, i as u64);
    let spoilt: Vec<Vec<u8>> = (0..images.len()).into_par_iter().map(spoil).collect();
    LabelledImages { rows, cols, pixels: spoilt.concat(), labels: images.labels.clone() }
}

/// A generator that belongs to one image.
pub(super) fn generator(seed: u64, index: u64) -> StdRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&index.to_le_bytes());
    StdRng::from_seed(bytes)
}

impl fmt::Display for Degradation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Degradation {
    type Err = DataError;

    fn from_str(name: &str) -> Result<Self, DataError> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| DataError::UnknownName {
            what: "degradation",
            name: name.to_owned(),
            choices: Self::ALL.map(Self::name).join(", "),
        })
    }
}
