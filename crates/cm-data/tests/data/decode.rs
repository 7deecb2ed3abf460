//! Against what Pillow reads, see `tools/image_fixtures.py`.

use std::{collections::BTreeMap, fs};

use cm_data::{BACKGROUND, DecodeError, DecodeLimits, Image, decode};
use proptest::prelude::*;
use serde::Deserialize;

use crate::helper::fixtures;

#[derive(Deserialize)]
struct Expected {
    width: usize,
    height: usize,
    channels: usize,
    tolerance: u8,
    /// In hexadecimal.
    pixels: String,
}

fn read(name: &str) -> Vec<u8> {
    fs::read(fixtures().join(name)).unwrap()
}

fn decoded(bytes: &[u8]) -> Result<Image, DecodeError> {
    decode(bytes, &DecodeLimits::default())
}

fn reason(bytes: &[u8]) -> String {
    decoded(bytes).unwrap_err().to_string()
}

fn expected() -> BTreeMap<String, Expected> {
    serde_json::from_slice(&read("expected.json")).unwrap()
}

#[test]
fn every_kind_of_file_has_the_pixels_that_pillow_finds_in_it() {
    let expected = expected();
    assert!(expected.len() > 30);
    for (name, expected) in expected {
        let image = decoded(&read(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let shape = (image.width, image.height, image.channels);
        assert_eq!(shape, (expected.width, expected.height, expected.channels), "{name}");
        let digits = expected.pixels.as_bytes().chunks_exact(2);
        let pixels: Vec<u8> =
            digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect();
        assert_eq!(image.pixels.len(), pixels.len(), "{name}");
        let difference = image.pixels.iter().zip(&pixels).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(difference <= Some(expected.tolerance), "{name}: off by {difference:?}");
    }
}

#[test]
fn the_eight_orientations_of_one_picture_are_eight_pictures() {
    let mut images: Vec<Vec<u8>> =
        (1..=8).map(|i| decoded(&read(&format!("orientation-{i}.jpg"))).unwrap().pixels).collect();
    images.sort();
    images.dedup();
    assert_eq!(images.len(), 8);
}

#[test]
fn the_content_tells_the_format_and_a_transparent_corner_is_background() {
    let image = decoded(&read("alpha.png")).unwrap();
    assert_eq!(image.pixels[..3], [BACKGROUND; 3]);
    assert_eq!(decoded(&read("alpha.webp")).unwrap(), image);
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let cases = [
        ("float.tif", "floating-point"),
        ("palette.tif", "palette TIFF is not read"),
        ("rgb.gif", "a GIF image, which is not read here"),
    ];
    for (name, expected) in cases {
        let reason = reason(&read(name));
        assert!(reason.contains(expected), "{name}: {reason}");
    }
    assert_eq!(decoded(&[]), Err(DecodeError::Empty));
    for (bytes, expected) in [
        (&b"\n<!doctype HTML><html>"[..], "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (&[0; 64], "nothing but zeros"),
        (b"hello", "no image of a kind that is read here"),
        (b"P5 0 4 255\n", "0 x 4 pixels"),
    ] {
        let reason = reason(bytes);
        assert!(reason.contains(expected), "{reason}");
    }
}

#[test]
fn an_image_of_60000_by_60000_pixels_is_refused_before_memory_is_taken() {
    for ending in ["png", "jpg", "ppm", "bmp", "tif", "webp"] {
        let reason = reason(&read(&format!("huge.{ending}")));
        assert!(
            reason.contains("60000 x 60000 pixels are more than the 100000000 allowed"),
            "{ending}: {reason}"
        );
    }
    // What is allowed is what the limits say.
    let bytes = read("rgb.png");
    assert!(decode(&bytes, &DecodeLimits { pixels: 18 * 10 }).is_ok());
    let refused = decode(&bytes, &DecodeLimits { pixels: 18 * 10 - 1 });
    assert_eq!(refused, Err(DecodeError::TooLarge { width: 18, height: 10, limit: 179 }));
}

#[test]
fn more_pixels_than_the_file_can_hold_are_refused_before_memory_is_taken() {
    let limits = DecodeLimits { pixels: u64::MAX };
    for (name, format) in [("huge.png", "PNG"), ("huge.ppm", "PPM")] {
        assert_eq!(decode(&read(name), &limits), Err(DecodeError::CutShort { format }));
    }
}

#[test]
fn a_webp_with_a_note_that_is_longer_than_the_file_is_refused_before_memory_is_taken() {
    let mut bytes = read("orientation-6.webp");
    let note = bytes.windows(4).position(|window| window == b"EXIF").unwrap();
    bytes[note + 4..note + 8].copy_from_slice(&0x4000_0000u32.to_le_bytes());
    assert_eq!(decoded(&bytes), Err(DecodeError::CutShort { format: "WebP" }));
}

#[test]
fn a_tiff_whose_tag_announces_more_than_the_file_has_is_refused_before_memory_is_taken() {
    let bytes = read("rgb-raw.tif");
    let directory = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    for (kind, count) in [(1u16, 4u32 << 20), (2, 200 << 20), (12, 1 << 20), (4, u32::MAX)] {
        // The last tag, which the image does not need.
        let entries = usize::from(u16::from_le_bytes(bytes[directory..directory + 2].try_into().unwrap()));
        let at = directory + 2 + 12 * (entries - 1);
        let mut bytes = bytes.clone();
        bytes[at + 2..at + 4].copy_from_slice(&kind.to_le_bytes());
        bytes[at + 4..at + 8].copy_from_slice(&count.to_le_bytes());
        assert_eq!(decoded(&bytes), Err(DecodeError::CutShort { format: "TIFF" }), "{kind}");
    }
}

#[test]
fn a_file_cut_short_anywhere_is_never_an_image() {
    for name in expected().into_keys() {
        let bytes = read(&name);
        let last_to_try = match name.as_str() {
            // The last number of a text can be shorter and still be one.
            "text.ppm" => bytes.len() - 5,
            // The last byte is padding.
            _ if name.ends_with(".webp") => bytes.len() - 2,
            _ => bytes.len() - 1,
        };
        for length in 1..=last_to_try {
            assert!(decoded(&bytes[..length]).is_err(), "{name}: {length} of {} bytes", bytes.len());
        }
    }
    assert!(reason(&read("rgb.jpg")[..600]).contains("the JPEG data ends too early"));
}

#[test]
fn a_jpeg_with_a_hole_in_its_middle_is_damaged_and_not_half_gray() {
    for name in ["subsampled.jpg", "progressive.jpg"] {
        let mut bytes = read(name);
        let scan = bytes.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
        let hole = scan + (bytes.len() - scan) / 2;
        // Nothing but ones, which is no code.
        bytes[hole..hole + 24].copy_from_slice(&[0xff, 0x00].repeat(12));
        let reason = reason(&bytes);
        assert!(reason.contains("damaged JPEG data"), "{name}: {reason}");
    }
}

/// How files of each format begin.
const STARTS: [&[u8]; 9] = [
    b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR",
    b"\xff\xd8\xff\xe0",
    b"P6\n3 ",
    b"P7\nWIDTH 3\n",
    b"BM",
    b"II*\0\x08\0\0\0",
    b"MM\0*\0\0\0\x08",
    b"RIFF\xff\0\0\0WEBPVP8 ",
    b"",
];

proptest! {
    #[test]
    fn any_bytes_give_an_image_or_an_error_but_never_a_panic(
        start in prop::sample::select(&STARTS[..]),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = decode(&[start, &bytes].concat(), &DecodeLimits { pixels: 1 << 16 });
    }

    #[test]
    fn a_changed_file_gives_an_image_or_an_error_but_never_a_panic(
        which in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let names: Vec<String> = expected().into_keys().collect();
        let mut bytes = read(&names[which.index(names.len())]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(image) = decode(&bytes, &DecodeLimits { pixels: 1 << 16 }) {
            prop_assert_eq!(image.pixels.len(), image.width * image.height * image.channels);
        }
    }
}
