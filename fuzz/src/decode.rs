//! Images.

use cm_data::{DecodeLimits, decode as decoded};

use crate::{
    memory::{Limit, within},
    promises::whole,
};

/// Largest image here. A limit that is small shows what is taken beyond it.
const PIXELS: usize = 1 << 16;
/// Notes and profiles may be packed, and are unpacked before anybody asks for them. A number of one byte in a tag of a TIFF is a
/// value of 32 bytes.
const PER_BYTE: usize = 64;
/// 16 bits and 4 channels a pixel, as much again for the coefficients of a JPEG or the rows of a TIFF, and again for the image that
/// is turned, and for the one whose transparency is gone.
const PER_PIXEL: usize = 32;
/// Tables of the decoders.
const DECODERS: usize = 1 << 20;
/// The decoder of WebP makes room for a part of a frame before it reads it, and its length has 24 bits.
const PART_OF_WEBP: usize = 1 << 24;

/// The bytes as an image of any format.
pub fn decode(bytes: &[u8]) {
    let limits = DecodeLimits { pixels: PIXELS as u64 };
    // A few bytes may be a JPEG or a WebP of any size. A PPM holds 8 pixels a byte at most.
    let pixels = if bytes.starts_with(b"P") { PIXELS.min(8 * bytes.len()) } else { PIXELS };
    let part = if bytes.starts_with(b"RIFF") { PART_OF_WEBP } else { 0 };
    let limit = Limit::per_byte(PER_BYTE, bytes.len()).and(PER_PIXEL * pixels).and(DECODERS + part);
    let Ok(image) = within("decoding", limit, || decoded(bytes, &limits)) else { return };
    whole(&image);
    assert!(image.width * image.height <= PIXELS);
    let kind = if image.channels == 1 { 5 } else { 6 };
    let plain =
        [format!("P{kind} {} {} 255\n", image.width, image.height).as_bytes(), &image.pixels].concat();
    assert_eq!(decoded(&plain, &limits), Ok(image));
}
