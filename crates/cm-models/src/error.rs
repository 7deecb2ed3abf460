//! What a caller can get wrong about a backbone.

use crate::BackboneConfig;

/// The largest width, feature dimension, number of channels, height and width of images. No network
/// is near it; it keeps the sizes of the layers within what a computer counts with.
const LARGEST: usize = 1 << 16;

/// A backbone that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackboneError {
    /// No backbone has this name.
    #[error("there is no backbone named \"{name}\"; the backbones are {}", BackboneConfig::names())]
    UnknownBackbone {
        /// The name as given.
        name: String,
    },
    /// A number of a backbone is 0, or larger than any network has it.
    #[error("the {what} of {backbone} must be from 1 to {LARGEST}, but is {value}")]
    OutOfRange {
        /// Name of the backbone.
        backbone: &'static str,
        /// The number, for example `feature dimension`.
        what: &'static str,
        /// What was given.
        value: usize,
    },
    /// A number that must be divided into groups.
    #[error("the {what} of {backbone} must be a multiple of {of}, but is {value}")]
    NoMultiple {
        /// Name of the backbone.
        backbone: &'static str,
        /// The number, for example `width`.
        what: &'static str,
        /// What it must be a multiple of.
        of: usize,
        /// What was given.
        value: usize,
    },
    /// Images in the place of volumes.
    #[error(
        "{backbone} takes volumes of at least {smallest} slices, but the images have {channels} channels; take another backbone for \
         images"
    )]
    FewSlices {
        /// Name of the backbone.
        backbone: &'static str,
        /// The fewest slices.
        smallest: usize,
        /// Channels of the images.
        channels: usize,
    },
    /// Images that are gone before the last layer.
    #[error(
        "{backbone} takes images of at least {smallest} x {smallest} pixels, but they are {height} x {width} (height x \
         width); {way_out}"
    )]
    ImageTooSmall {
        /// Name of the backbone.
        backbone: &'static str,
        /// The smallest height and width.
        smallest: usize,
        /// Height of the images.
        height: usize,
        /// Width of the images.
        width: usize,
        /// What to do.
        way_out: &'static str,
    },
}

/// The numbers that every backbone is made from.
pub(crate) struct Sizes {
    /// Name of the backbone.
    pub backbone: &'static str,
    /// Channels of its first stage.
    pub width: usize,
    /// Channels, height and width of the images.
    pub input: [usize; 3],
    /// Dimensions of the feature.
    pub feature_dim: usize,
    /// The smallest height and width that it takes.
    pub smallest: usize,
    /// What to do where images are smaller.
    pub way_out: &'static str,
}

impl Sizes {
    /// `Ok` if the backbone can be made.
    pub fn check(&self) -> Result<(), BackboneError> {
        let &Self { backbone, width, input, feature_dim, smallest, way_out } = self;
        let [channels, image_height, image_width] = input;
        let numbers = [
            ("width", width),
            ("feature dimension", feature_dim),
            ("number of image channels", channels),
            ("image height", image_height),
            ("image width", image_width),
        ];
        for (what, value) in numbers {
            at_least_one(backbone, what, value)?;
        }
        if image_height.min(image_width) < smallest {
            let (height, width) = (image_height, image_width);
            return Err(BackboneError::ImageTooSmall { backbone, smallest, height, width, way_out });
        }
        Ok(())
    }
}

/// [`BackboneError::OutOfRange`] for 0, and for what no network has.
pub(crate) fn at_least_one(
    backbone: &'static str,
    what: &'static str,
    value: usize,
) -> Result<(), BackboneError> {
    match (1..=LARGEST).contains(&value) {
        true => Ok(()),
        false => Err(BackboneError::OutOfRange { backbone, what, value }),
    }
}
