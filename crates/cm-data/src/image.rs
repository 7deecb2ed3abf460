//! A decoded image.

use std::ops::RangeInclusive;

/// Slices that a volume may have.
pub(crate) const SLICES: RangeInclusive<usize> = 8..=255;

/// Pixels of an image in rows from the top, each pixel with its channels beside each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// 1 (gray), 3 (red, green, blue), or from 8 to 255: the slices of a volume, one behind the other.
    pub channels: usize,
    /// `height · width · channels` values from 0 to 255.
    pub pixels: Vec<u8>,
}
