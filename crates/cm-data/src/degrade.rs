//! Known quality: what degrades an image, and how much.

use std::{convert::Infallible, fmt, str::FromStr, sync::Arc};

use image::{ImageBuffer, Luma, Pixel, Rgb, imageops};
use rand::{Rng, RngExt, seq::SliceRandom};
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, Normal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{DataError, Image, MemorySet, random::image_generator};

/// Severities: 0 (untouched), 1, 2, 3 and 4 (worst).
pub const SEVERITIES: usize = 5;

/// A way in which images lose quality.
///
/// | kind | what is set | severity 1 | 2 | 3 | 4 |
/// |---|---|---|---|---|---|
/// | blur | σ of a Gaussian, as a share of the height | 0.030 | 0.055 | 0.080 | 0.110 |
/// | low resolution | share of the pixels on each side that are kept | 0.5 | 0.36 | 0.25 | 0.18 |
/// | noise | σ of added Gaussian noise, in levels of 0 to 255 | 35 | 70 | 105 | 150 |
/// | occlusion | share of the area under a gray rectangle | 0.10 | 0.20 | 0.32 | 0.45 |
/// | low contrast | share of the contrast that is kept, then noise of σ 10 | 0.40 | 0.20 | 0.11 | 0.07 |
/// | mixed | one of the others for each image | | | | |
///
/// In a color image each channel has noise of its own, and so has each slice of a volume; everything
/// else is the same in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Degradation {
    /// Gaussian blur.
    Blur,
    /// Made small and large again.
    LowResolution,
    /// Gaussian noise.
    Noise,
    /// A rectangle of one random gray somewhere.
    Occlusion,
    /// Levels drawn together towards middle gray.
    LowContrast,
    /// One of the other kinds for each image.
    Mixed,
}

impl Degradation {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Blur, Self::LowResolution, Self::Noise, Self::Occlusion, Self::LowContrast, Self::Mixed];

    /// Every kind but the mixed one.
    pub const SINGLE: [Self; 5] =
        [Self::Blur, Self::LowResolution, Self::Noise, Self::Occlusion, Self::LowContrast];

    /// Its name, for people and settings.
    pub fn name(self) -> &'static str {
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

/// Degrades one image, which keeps its size. The same seed and index give the same result.
///
/// # Panics
///
/// If the severity is above 4, or the image does not have the pixels that its sizes ask for.
pub fn degrade(image: &Image, kind: Degradation, severity: u8, seed: u64, index: u64) -> Image {
    assert!(usize::from(severity) < SEVERITIES, "severities go from 0 to 4, not to {severity}");
    if severity == 0 || image.pixels.is_empty() {
        return image.clone();
    }
    let level = usize::from(severity) - 1;
    let mut random = image_generator(seed, index);
    let kind = match kind {
        Degradation::Mixed => drawn_kind(&mut random),
        kind => kind,
    };
    let pixels = match kind {
        Degradation::Blur | Degradation::LowResolution if image.channels == 1 => {
            soften::<Luma<u8>>(image, kind, level)
        }
        Degradation::Blur | Degradation::LowResolution if image.is_volume() => {
            let softened = |slice: Image| {
                Ok::<_, Infallible>(Image { pixels: soften::<Luma<u8>>(&slice, kind, level), ..slice })
            };
            let Ok(softened) = image.each_slice(softened);
            softened.pixels
        }
        Degradation::Blur | Degradation::LowResolution => soften::<Rgb<u8>>(image, kind, level),
        Degradation::Noise => add_noise(&image.pixels, [35.0, 70.0, 105.0, 150.0][level], &mut random),
        Degradation::Occlusion => occlude(image, [0.10, 0.20, 0.32, 0.45][level], &mut random),
        Degradation::LowContrast => {
            let kept = [0.40, 0.20, 0.11, 0.07][level];
            let flat = |&pixel: &u8| (128.0 + kept * (f32::from(pixel) - 128.0)).round() as u8;
            add_noise(&image.pixels.iter().map(flat).collect::<Vec<_>>(), 10.0, &mut random)
        }
        Degradation::Mixed => unreachable!("replaced by one of the others"),
    };
    Image { pixels, ..*image }
}

/// What [`Degradation::Mixed`] is for the image with this seed and index, at every severity.
pub fn mixed_kind(seed: u64, index: u64) -> Degradation {
    drawn_kind(&mut image_generator(seed, index))
}

fn drawn_kind(random: &mut ChaCha12Rng) -> Degradation {
    Degradation::SINGLE[random.random_range(0..Degradation::SINGLE.len())]
}

/// Blur or low resolution.
fn soften<P: Pixel<Subpixel = u8> + 'static>(image: &Image, kind: Degradation, level: usize) -> Vec<u8> {
    let (width, height) = (image.width as u32, image.height as u32);
    let sharp = ImageBuffer::<P, _>::from_raw(width, height, image.pixels.as_slice()).unwrap_or_else(|| {
        panic!("an image of {width} x {height} needs more than its {} values", image.pixels.len())
    });
    if kind == Degradation::Blur {
        let sigma = [0.030, 0.055, 0.080, 0.110][level] * image.height as f32;
        return imageops::blur(&sharp, sigma).into_raw();
    }
    let share = [0.5, 0.36, 0.25, 0.18][level];
    let kept = |length: usize| ((length as f64 * share).round() as u32).max(1);
    let triangle = imageops::FilterType::Triangle;
    let small = imageops::resize(&sharp, kept(image.width), kept(image.height), triangle);
    imageops::resize(&small, width, height, triangle).into_raw()
}

fn add_noise(pixels: &[u8], sigma: f32, random: &mut ChaCha12Rng) -> Vec<u8> {
    let Ok(noise) = Normal::new(0.0, sigma) else { unreachable!("the deviation is finite") };
    // Casting to u8 saturates, as a sensor does.
    pixels.iter().map(|&pixel| (f32::from(pixel) + noise.sample(random)).round() as u8).collect()
}

fn occlude(image: &Image, share: f64, random: &mut impl Rng) -> Vec<u8> {
    // Up to 1.5 times as long as wide, in either direction.
    let stretch = random.random_range(-0.2f64..0.2).exp();
    let side = |length: usize, factor: f64| {
        ((length as f64 * share.sqrt() * factor).round() as usize).clamp(1, length)
    };
    let (height, width) = (side(image.height, stretch), side(image.width, 1.0 / stretch));
    let top = random.random_range(0..=image.height - height);
    let left = random.random_range(0..=image.width - width);
    let gray: u8 = random.random();
    let mut covered = image.pixels.clone();
    for row in top..top + height {
        let start = (row * image.width + left) * image.channels;
        covered[start..start + width * image.channels].fill(gray);
    }
    covered
}

/// Severities for a training set of uneven quality.
///
/// `round(count · low_quality_fraction)` images get a severity of 1 to 4, each as often as the
/// others as far as the number can be divided by 4; the rest have 0. Which ones they are depends
/// on the seed.
pub fn assign_severities(count: usize, low_quality_fraction: f64, seed: u64) -> Vec<u8> {
    let low = ((count as f64 * low_quality_fraction).round() as usize).min(count);
    let mut severities: Vec<u8> = (0..count).map(|i| if i < low { 1 + (i % 4) as u8 } else { 0 }).collect();
    severities.shuffle(&mut image_generator(seed, u64::MAX));
    severities
}

/// [`degrade`] for every image of a set, each with its own severity; the index is the position in
/// the set. Images of severity 0 are shared with the set, not copied.
///
/// # Panics
///
/// If there are not as many severities as images.
pub fn degrade_all(set: &MemorySet, kind: Degradation, severities: &[u8], seed: u64) -> MemorySet {
    assert_eq!(set.images.len(), severities.len(), "every image needs a severity");
    let degraded = |(i, image): (usize, &Arc<Image>)| match severities[i] {
        0 => image.clone(),
        severity => Arc::new(degrade(image, kind, severity, seed, i as u64)),
    };
    let images = set.images.par_iter().enumerate().map(degraded).collect();
    MemorySet { images, labels: set.labels.clone(), names: set.names.clone() }
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
