//! Images from the bytes of a file, whatever the file is called.

mod error;
mod jpeg;
mod png;
mod tiff;
mod webp;

use std::io::{Cursor, ErrorKind};

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, metadata::Orientation};

pub use self::error::DecodeError;
use crate::Image;

/// The color that transparent pixels are laid over: white, as on a page.
///
/// Images without transparency are not touched by it.
pub const BACKGROUND: u8 = 255;

/// What a decoder may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Most pixels, `width · height`. An image that announces more is refused before memory is
    /// taken.
    pub pixels: u64,
}

impl Default for DecodeLimits {
    /// 100 million pixels, as many as 10,000 x 10,000.
    fn default() -> Self {
        Self { pixels: 100_000_000 }
    }
}

impl DecodeLimits {
    /// Checks what a header announces.
    fn check(self, format: &'static str, width: u64, height: u64) -> Result<(), DecodeError> {
        if width == 0 || height == 0 {
            return Err(DecodeError::NoPixels { format, width, height });
        }
        match width.checked_mul(height) {
            Some(pixels) if pixels <= self.pixels => Ok(()),
            _ => Err(DecodeError::TooLarge { width, height, limit: self.pixels }),
        }
    }
}

/// Decodes PNG, JPEG, PPM, PGM, BMP, TIFF or WebP; which of them it is, the content tells.
///
/// - The image is turned and mirrored as the file says (EXIF in JPEG, PNG and WebP, a tag in
///   TIFF).
/// - Gray images have 1 channel, all others 3. Palettes are expanded.
/// - Values of 16 bits become `v · 255 / 65535`, rounded to the nearest.
/// - Transparent pixels are laid over [`BACKGROUND`]: `(v · a + 255 · (255 − a)) / 255`, rounded.
/// - CMYK in a JPEG becomes red, green and blue by `c · k / 255` of the stored values, which
///   Adobe's programs and all that follow them store inverted. In a TIFF they are stored upright.
/// - Of several pages or frames the first is taken. Color profiles are not applied.
///
/// # Errors
///
/// [`DecodeError`]: content that is no image, too large, cut short, damaged, or of a kind that is
/// not read.
pub fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Image, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    let Ok(format) = image::guess_format(bytes) else {
        return Err(DecodeError::NoImage { hint: hint(bytes) });
    };
    let name = name(format);
    let (mut image, orientation) = match format {
        ImageFormat::Jpeg => jpeg::decode(bytes, limits)?,
        ImageFormat::Png => {
            let (image, _) = with_image_crate(bytes, format, name, limits)?;
            (image, png::orientation(bytes)?)
        }
        ImageFormat::Tiff => {
            tiff::check_kind(bytes, limits)?;
            with_image_crate(bytes, format, name, limits)?
        }
        ImageFormat::WebP => {
            let decoded = webp::can_be_read(bytes).then(|| with_image_crate(bytes, format, name, limits));
            let decoded = decoded.ok_or(DecodeError::CutShort { format: name })??;
            webp::is_whole(bytes).then_some(decoded).ok_or(DecodeError::CutShort { format: name })?
        }
        ImageFormat::Pnm | ImageFormat::Bmp => with_image_crate(bytes, format, name, limits)?,
        _ => return Err(DecodeError::OtherFormat { format: name }),
    };
    image.apply_orientation(orientation);
    eight_bits(image, name)
}

/// Whether bytes begin as an image of any known format does.
pub(crate) fn begins_like_an_image(bytes: &[u8]) -> bool {
    image::guess_format(bytes).is_ok()
}

/// Whether bytes begin as a web page does, which is what a failed download leaves.
pub(crate) fn begins_like_a_web_page(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let begins = |tag: &[u8]| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    begins(b"<!doctype html") || begins(b"<html") || begins(b"<head")
}

fn hint(bytes: &[u8]) -> &'static str {
    if begins_like_a_web_page(bytes) {
        "; it is a web page, download the image again"
    } else if bytes.starts_with(b"version https://git-lfs") {
        "; it is a Git LFS pointer, fetch the image with `git lfs pull`"
    } else if bytes.iter().all(|&byte| byte == 0) {
        "; it holds nothing but zeros, replace it by the original"
    } else {
        ""
    }
}

fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Pnm => "PPM",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::WebP => "WebP",
        ImageFormat::Gif => "GIF",
        ImageFormat::Ico => "ICO",
        ImageFormat::Hdr => "Radiance HDR",
        ImageFormat::OpenExr => "OpenEXR",
        ImageFormat::Avif => "AVIF",
        ImageFormat::Dds => "DDS",
        ImageFormat::Qoi => "QOI",
        ImageFormat::Farbfeld => "farbfeld",
        _ => "foreign",
    }
}

fn with_image_crate(
    bytes: &[u8],
    format: ImageFormat,
    name: &'static str,
    limits: &DecodeLimits,
) -> Result<(DynamicImage, Orientation), DecodeError> {
    // 16 bits and 4 channels a pixel, and as much again for what lies between the file and the
    // pixels.
    let mut memory = image::Limits::no_limits();
    memory.max_alloc = Some(limits.pixels.saturating_mul(16).saturating_add(1 << 26));
    let problem = |error| problem(error, name);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(memory.clone());
    let mut decoder = reader.into_decoder().map_err(problem)?;
    let (width, height) = decoder.dimensions();
    limits.check(name, width.into(), height.into())?;
    let pixels = u64::from(width) * u64::from(height);
    if most_pixels(format, bytes.len()).is_some_and(|most| pixels > most) {
        return Err(DecodeError::CutShort { format: name });
    }
    decoder.set_limits(memory).map_err(problem)?;
    // Notes that make no sense are no reason to lose the image.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((DynamicImage::from_decoder(decoder).map_err(problem)?, orientation))
}

/// Most pixels that a file of so many bytes can hold; of other formats a few bytes can be an image of any size.
fn most_pixels(format: ImageFormat, bytes: usize) -> Option<u64> {
    // A bit for each pixel, and what Deflate makes of a byte.
    let in_a_byte = match format {
        ImageFormat::Pnm => 8,
        ImageFormat::Png => 8 * 1032,
        _ => return None,
    };
    Some((bytes as u64).saturating_mul(in_a_byte))
}

fn problem(error: ImageError, format: &'static str) -> DecodeError {
    match error {
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            DecodeError::CutShort { format }
        }
        ImageError::Unsupported(_) => DecodeError::OtherKind { format, what: "this kind of".to_owned() },
        ImageError::Limits(_) => DecodeError::TooMuchMemory { format },
        error => DecodeError::Damaged { format, reason: error.to_string().replace('\n', " ") },
    }
}

fn eight_bits(image: DynamicImage, format: &'static str) -> Result<Image, DecodeError> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (channels, pixels) = match image {
        DynamicImage::ImageLuma8(image) => (1, image.into_raw()),
        DynamicImage::ImageRgb8(image) => (3, image.into_raw()),
        DynamicImage::ImageLumaA8(image) => (1, over_background(&image, 1)),
        DynamicImage::ImageRgba8(image) => (3, over_background(&image, 3)),
        DynamicImage::ImageLuma16(image) => (1, reduced(&image)),
        DynamicImage::ImageRgb16(image) => (3, reduced(&image)),
        DynamicImage::ImageLumaA16(image) => (1, over_background(&reduced(&image), 1)),
        DynamicImage::ImageRgba16(image) => (3, over_background(&reduced(&image), 3)),
        DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_) => {
            return Err(DecodeError::FloatingPoint);
        }
        _ => return Err(DecodeError::OtherKind { format, what: "this kind of".to_owned() }),
    };
    Ok(Image { width, height, channels, pixels })
}

fn reduced(values: &[u16]) -> Vec<u8> {
    values.iter().map(|&value| reduce(value)).collect()
}

/// `value · 255 / 65535`, rounded to the nearest: 65535 is 255 · 257.
fn reduce(value: u16) -> u8 {
    ((u32::from(value) + 128) / 257) as u8
}

/// Colors of pixels whose last value is how opaque they are.
fn over_background(values: &[u8], colors: usize) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(values.len() / (colors + 1) * colors);
    for pixel in values.chunks_exact(colors + 1) {
        let opacity = u32::from(pixel[colors]);
        let background = u32::from(BACKGROUND) * (255 - opacity);
        pixels.extend(
            pixel[..colors].iter().map(|&v| ((u32::from(v) * opacity + background + 127) / 255) as u8),
        );
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_are_rounded_to_the_nearest_of_eight() {
        for value in 0..=u16::MAX {
            assert_eq!(f64::from(reduce(value)), (f64::from(value) * 255.0 / 65535.0).round(), "{value}");
        }
    }

    #[test]
    fn a_transparent_pixel_is_white_and_an_opaque_one_itself() {
        for value in 0..=255 {
            assert_eq!(over_background(&[value, 0, value, 255], 1), [255, value]);
            for opacity in 0..=255 {
                let exact =
                    (f64::from(value) * f64::from(opacity) + 255.0 * f64::from(255 - opacity)) / 255.0;
                assert_eq!(f64::from(over_background(&[value, opacity], 1)[0]), exact.round());
            }
        }
    }
}
