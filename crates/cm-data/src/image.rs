//! A decoded image.

/// Pixels of an image in rows from the top, each pixel with its channels beside each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// 1 (gray) or 3 (red, green, blue).
    pub channels: usize,
    /// `height · width · channels` values from 0 to 255.
    pub pixels: Vec<u8>,
}
