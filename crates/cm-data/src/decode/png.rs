//! How a PNG is to be turned, wherever in the file that stands.

use image::metadata::Orientation;

use super::DecodeError;

/// The orientation in the `eXIf` chunk, which some programs write after the pixels.
///
/// # Errors
///
/// [`DecodeError::CutShort`] if the file ends before its end chunk.
pub(super) fn orientation(bytes: &[u8]) -> Result<Orientation, DecodeError> {
    let mut orientation = Orientation::NoTransforms;
    let mut rest = bytes.get(8..).unwrap_or_default();
    while let Some(([a, b, c, d, kind @ ..], after)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        // The checksum has four bytes.
        let Some((content, after)) = after.get(..length).zip(after.get(length.saturating_add(4)..)) else {
            break;
        };
        match kind {
            b"IEND" => return Ok(orientation),
            b"eXIf" => orientation = Orientation::from_exif_chunk(content).unwrap_or(orientation),
            _ => {}
        }
        rest = after;
    }
    Err(DecodeError::CutShort { format: "PNG" })
}
