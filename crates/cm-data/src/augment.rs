//! Random changes of training images.

mod affine;
mod color;
mod degradation;
mod erasing;

use affine::Affine;
pub use degradation::RandomDegradation;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::{DataError, Image};

/// Random changes of training images, as data. The default changes nothing.
///
/// They are made to images that have the size of the input already, in the order of the fields:
/// mirroring, moving, colors, degradation, erasing. Sizes and channels stay. The random numbers of
/// an image come from [`generator`](crate::generator) alone; a change that is switched off draws
/// none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Augmentation {
    /// Mirrors left and right, with probability ½.
    pub flip: bool,
    /// Mirrors top and bottom, with probability ½.
    pub vertical_flip: bool,
    /// Mirrors at the diagonal from the upper left, with probability ½. With the other two mirrors these are the eight symmetries
    /// of the square. The images must be square.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub transpose: bool,
    /// Moves by up to this share of the width and of the height, in either direction, each evenly
    /// likely. From 0 to 1.
    pub shift: f32,
    /// Makes larger by a factor between these two, each evenly likely. `[1, 1]` leaves the size of
    /// things.
    ///
    /// Shifts, factors and rotations are one bilinear interpolation; what lies beyond the border
    /// has the colors of the border. A factor far below 1 leaves pixels out.
    pub scale: [f32; 2],
    /// Turns by up to so many degrees, in either direction, each angle evenly likely. From 0 to
    /// 180.
    pub rotation: f32,
    /// Changes brightness, contrast and saturation, each by a factor between 1 − `color` and 1 +
    /// `color`, each evenly likely. From 0 to 1. Gray images have no saturation.
    pub color: f32,
    /// Degrades some of the images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degrade: Option<RandomDegradation>,
    /// Probability of a rectangle of random values somewhere, which covers 2 % to 33 % of the
    /// image and is up to 3.3 times as long as wide (Zhong et al., *Random Erasing Data
    /// Augmentation*, AAAI 2020). From 0 to 1.
    pub erasing: f32,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            flip: false,
            vertical_flip: false,
            transpose: false,
            shift: 0.0,
            scale: [1.0, 1.0],
            rotation: 0.0,
            color: 0.0,
            degrade: None,
            erasing: 0.0,
        }
    }
}

impl Augmentation {
    /// Whether images stay as they are.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether images can be changed so.
    ///
    /// # Errors
    ///
    /// [`DataError::Setting`] for a number outside of the range that its field names.
    pub fn validate(&self) -> Result<(), DataError> {
        let setting = |name, value, reason| Err(DataError::Setting { name, value, reason });
        let shares = [
            ("augmentation.shift", self.shift),
            ("augmentation.color", self.color),
            ("augmentation.erasing", self.erasing),
        ];
        for (name, share) in shares {
            if !(0.0..=1.0).contains(&share) {
                return setting(name, share.to_string(), "it has to be from 0 to 1");
            }
        }
        if !(0.0..=180.0).contains(&self.rotation) {
            let reason = "it has to be from 0 to 180 degrees";
            return setting("augmentation.rotation", self.rotation.to_string(), reason);
        }
        let [least, most] = self.scale;
        if !(0.01..=100.0).contains(&least) || !(least..=100.0).contains(&most) {
            let reason = "it has to hold the smallest and the largest factor, from 0.01 to 100";
            return setting("augmentation.scale", format!("{:?}", self.scale), reason);
        }
        self.degrade.as_ref().map_or(Ok(()), RandomDegradation::validate)
    }

    /// The image with its random changes.
    ///
    /// # Panics
    ///
    /// If [`Augmentation::validate`] refuses the numbers, or the image does not have the pixels that
    /// its sizes ask for.
    pub fn apply(&self, mut image: Image, random: &mut impl Rng) -> Image {
        if image.pixels.is_empty() {
            return image;
        }
        if self.flip && random.random() {
            image.flip_horizontally();
        }
        if self.vertical_flip && random.random() {
            image.flip_vertically();
        }
        if self.transpose && random.random() {
            image.transpose();
        }
        if (self.shift, self.scale, self.rotation) != (0.0, [1.0, 1.0], 0.0) {
            image = Affine::draw(self, random).apply(&image);
        }
        if self.color > 0.0 {
            color::jitter(&mut image, self.color, random);
        }
        if let Some(degradation) = &self.degrade {
            image = degradation.apply(image, random);
        }
        if self.erasing > 0.0 && random.random_bool(f64::from(self.erasing)) {
            erasing::erase(&mut image, random);
        }
        image
    }
}
