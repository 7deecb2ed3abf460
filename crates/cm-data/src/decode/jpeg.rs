//! JPEG, decoded strictly: a file that was cut short or damaged is refused, not half gray.

use image::{DynamicImage, GrayImage, RgbImage, metadata::Orientation};
use zune_jpeg::{
    JpegDecoder,
    errors::DecodeErrors,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use super::{DecodeError, DecodeLimits};

const FORMAT: &str = "JPEG";

pub(super) fn decode(
    bytes: &[u8],
    limits: &DecodeLimits,
) -> Result<(DynamicImage, Orientation), DecodeError> {
    // Strange bytes between the headers do no harm, and cameras leave them.
    let options = DecoderOptions::default().set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options.set_strict_mode(false));
    decoder.decode_headers().map_err(|error| problem(error, bytes))?;
    let Some((width, height)) = decoder.dimensions() else { unreachable!("the headers are decoded") };
    limits.check(FORMAT, width as u64, height as u64)?;
    if !has_end(bytes) {
        return Err(DecodeError::CutShort { format: FORMAT });
    }
    let gray = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => true,
        Some(ColorSpace::YCbCr | ColorSpace::RGB | ColorSpace::CMYK | ColorSpace::YCCK) => false,
        _ => {
            let channels = decoder.info().map_or(0, |info| info.components);
            return Err(DecodeError::OtherKind { format: FORMAT, what: format!("{channels}-channel") });
        }
    };
    // Without being strict the decoder leaves the rest gray wherever the data makes no sense.
    let colors = if gray { ColorSpace::Luma } else { ColorSpace::RGB };
    decoder.set_options(options.set_strict_mode(true).jpeg_set_out_colorspace(colors));
    let pixels = decoder.decode().map_err(|error| problem(error, bytes))?;
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    let (width, height) = (width as u32, height as u32);
    let image = if gray {
        GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8)
    } else {
        RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8)
    };
    let image = image.ok_or(DecodeError::CutShort { format: FORMAT })?;
    Ok((image, orientation.unwrap_or(Orientation::NoTransforms)))
}

fn problem(error: DecodeErrors, bytes: &[u8]) -> DecodeError {
    match error {
        DecodeErrors::Unsupported(scheme) => {
            DecodeError::OtherKind { format: FORMAT, what: kind(&format!("{scheme:?}")).to_owned() }
        }
        _ if !has_end(bytes) => DecodeError::CutShort { format: FORMAT },
        error => DecodeError::Damaged { format: FORMAT, reason: error.to_string().replace('\n', " ") },
    }
}

fn kind(scheme: &str) -> &'static str {
    if scheme.contains("rithmetic") {
        "arithmetic-coded"
    } else if scheme.contains("ossless") {
        "lossless"
    } else {
        "extended"
    }
}

/// Whether the image in the file has its end marker. Pictures inside of notes have their own,
/// which do not count.
fn has_end(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        let Some(next) = bytes.get(at..).and_then(|rest| rest.iter().position(|&byte| byte == 0xff)) else {
            return false;
        };
        at += next + 1;
        match bytes.get(at) {
            None => return false,
            Some(0xd9) => return true,
            // Stuffing, restarts, and what has no length. Filling (0xff) may be the start of the
            // next marker.
            Some(0x00 | 0x01 | 0xd0..=0xd8) => at += 1,
            Some(0xff) => {}
            Some(_) => {
                let Some(&[high, low]) = bytes.get(at + 1..at + 3) else { return false };
                at += 1 + usize::from(u16::from_be_bytes([high, low]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_picture_inside_of_a_note_is_not_the_end() {
        let note = [0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9];
        let scan = [0xff, 0xda, 0, 3, 7, 1, 2, 0xff, 0x00, 0xff, 0xd0, 3];
        let whole = [&[0xff, 0xd8][..], &note, &scan, &[0xff, 0xff, 0xd9]].concat();
        assert!(has_end(&whole));
        for length in 0..whole.len() {
            assert!(!has_end(&whole[..length]), "{length}");
        }
    }
}
