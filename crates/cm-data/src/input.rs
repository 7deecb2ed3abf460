//! From an image of any size to what a network is fed: the preprocessing that belongs to a model.

use fast_image_resize::Resizer;
use serde::{Deserialize, Serialize};

use crate::{DataError, Image, image::SLICES, normalize::Normalizer, resize::prepare};

/// Gray around images that [`Resize::Fit`] does not fill.
pub const PADDING: u8 = 128;

/// No side is longer.
const LONGEST_SIDE: usize = 1 << 14;

/// The preprocessing that is part of a model, as data.
///
/// An image goes through these steps, the same ones in training, evaluation and use:
///
/// 1. `region` is cut out, if there is one;
/// 2. the channels become what `channels` says ([`Image::to_gray`], [`Image::to_rgb`]);
/// 3. `resize` gives it `width` x `height` pixels;
/// 4. each value v from 0 to 255 of channel c becomes (v / 255 − `mean[c]`) / `std[c]`.
///
/// Sizes change by bilinear interpolation whose triangle is as wide as a pixel of the smaller
/// image, so that shrinking takes in every pixel (in Pillow `BILINEAR`, in torchvision
/// `antialias=True`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSpec {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// 1 (gray), 3 (red, green, blue), or from 8 to 255: the slices of a volume.
    pub channels: usize,
    /// How images of other sizes get this one.
    pub resize: Resize,
    /// Part of the image that is cut out first: left edge, upper edge, width and height in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<[usize; 4]>,
    /// Mean of each channel, where 0 is black and 1 is white.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel, on the same scale.
    pub std: Vec<f32>,
}

/// How an image gets the size that a network takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// Each side on its own, whatever becomes of the proportions.
    Stretch,
    /// Proportions are kept and the size is filled; what stands out on two sides is cut off
    /// evenly.
    Crop,
    /// Proportions are kept and everything is seen; what remains free on two sides is gray
    /// ([`PADDING`]).
    Fit,
    /// Not at all: images of another size are an error.
    None,
}

impl InputSpec {
    /// Whether images can be preprocessed so.
    ///
    /// # Errors
    ///
    /// [`DataError::Setting`] for a side that is 0 or above 16384, channels that no image has, a
    /// region without pixels, a mean or deviation that is missing or not finite, a deviation that
    /// is not above 0.
    pub fn validate(&self) -> Result<(), DataError> {
        let setting = |name, value, reason| Err(DataError::Setting { name, value, reason });
        for (name, side) in [("input.width", self.width), ("input.height", self.height)] {
            if !(1..=LONGEST_SIDE).contains(&side) {
                return setting(name, side.to_string(), "it has to be from 1 to 16384 pixels");
            }
        }
        if !matches!(self.channels, 1 | 3) && !SLICES.contains(&self.channels) {
            let reason =
                "it has to be 1 for gray images, 3 for color images, or 8 to 255 for the slices of volumes";
            return setting("input.channels", self.channels.to_string(), reason);
        }
        if let Some(region) = self.region
            && (region[2] == 0 || region[3] == 0)
        {
            let reason = "its width and height, the last two numbers, have to be above 0";
            return setting("input.region", format!("{region:?}"), reason);
        }
        for (name, values) in [("input.mean", &self.mean), ("input.std", &self.std)] {
            if values.len() != self.channels {
                return setting(name, format!("{values:?}"), "it has to hold one number for each channel");
            }
            if values.iter().any(|value| !value.is_finite()) {
                return setting(name, format!("{values:?}"), "its numbers have to be finite");
            }
        }
        if self.std.iter().any(|&std| std <= 0.0) {
            return setting("input.std", format!("{:?}", self.std), "its numbers have to be above 0");
        }
        Ok(())
    }

    /// The image with the region, the channels and the size of this preprocessing (steps 1 to 3).
    ///
    /// # Errors
    ///
    /// [`DataError::NotWhole`] for an image without the pixels that its sizes ask for,
    /// [`DataError::Slices`] for a volume in the place of an image and the other way round,
    /// [`DataError::RegionOutside`] for one that the region is not in, [`DataError::WrongSize`]
    /// for one that would have to be resized and may not.
    pub fn apply(&self, image: &Image) -> Result<Image, DataError> {
        let prepared = prepare(image, self, &mut Resizer::new())?;
        Ok(prepared.unwrap_or_else(|| image.clone()))
    }

    /// Writes a preprocessed image as a network is fed: channel after channel, (v / 255 − mean) /
    /// std (step 4).
    ///
    /// # Panics
    ///
    /// If the image does not have this size and these channels, or `out` not as many places.
    pub fn normalize(&self, image: &Image, out: &mut [f32]) {
        Normalizer::new(self).write(image, out);
    }

    /// Number of values that an image has, `channels · height · width`.
    pub fn values(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether both make the same pixels of an image, however they normalize them.
    pub(crate) fn makes_the_same_pixels(&self, other: &Self) -> bool {
        (self.width, self.height, self.channels, self.resize, self.region)
            == (other.width, other.height, other.channels, other.resize, other.region)
    }
}
