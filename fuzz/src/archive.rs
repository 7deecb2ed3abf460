//! Zip files.

use std::io::{Cursor, Write};

use cm_data::{Collection, DecodeLimits, OpenOptions};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::{
    list::PER_BYTE as OF_LIST,
    memory::{Limit, READING, within},
    place::Place,
    promises::{READ, consistent, whole},
};

/// An entry takes 76 bytes of a file at least, and its description a few hundred. The name of a folder in a folder costs the
/// names above it anew, up to a length that names have.
const PER_BYTE: usize = 64;
/// Deflate makes at most so many bytes of one.
const DEFLATE: u64 = 1032;
/// Largest image that is decoded here; the target `decode` is for larger ones.
const PIXELS: u64 = 1 << 12;
/// What stands between two entries.
const BETWEEN: &[u8] = b"\n%%\n";

/// The bytes as a zip file.
///
/// Memory is bounded by the file, and where a list is read by what it holds unpacked, as far as Deflate can unpack.
pub fn archive(bytes: &[u8]) {
    let (unpacked, largest) = sizes(bytes);
    // What begins as an image is one, whatever its name.
    let largest = largest.max(bytes.len());
    let place = Place::new();
    let path = place.file("data.zip", bytes);
    let decode = DecodeLimits { pixels: PIXELS };
    for labels_required in [true, false] {
        let options = OpenOptions { labels_required, decode, ..OpenOptions::default() };
        let limit = Limit::per_byte(PER_BYTE, bytes.len()).and(OF_LIST.saturating_mul(unpacked));
        let Ok(opened) = within("opening", limit, || Collection::open(&path, &options)) else { continue };
        consistent(&opened);
        for item in &opened.items {
            let file = &item.file;
            let climbs = file.split('/').any(|part| part.is_empty() || part == "..");
            assert!(!climbs && !file.contains(['\\', '\0']), "the name {file:?}");
        }
        for index in 0..opened.len().min(READ) {
            let limit = Limit::per_byte(PER_BYTE, bytes.len()).and(READING * largest);
            let Ok(read) = within("reading", limit, || opened.read(index)) else { continue };
            assert!(read.len() <= largest, "{} bytes of {largest}", read.len());
            if let Ok(image) = opened.image(index) {
                whole(&image);
            }
        }
    }
}

/// The bytes as the entries of a zip file, which is whole: what stands between marks is a name, an end of line, and a content.
pub fn entries(bytes: &[u8]) {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (index, entry) in split(bytes).into_iter().enumerate() {
        let end = entry.iter().position(|&byte| byte == b'\n').unwrap_or(entry.len());
        let name = String::from_utf8_lossy(&entry[..end]);
        let method = [CompressionMethod::Stored, CompressionMethod::Deflated][index % 2];
        let options = SimpleFileOptions::default().compression_method(method);
        let written = match name.ends_with('/') {
            true => writer.add_directory(name, options),
            false => writer.start_file(name, options),
        };
        // A name that the writer refuses, such as one that is there.
        if written.is_err() || writer.write_all(entry.get(end + 1..).unwrap_or_default()).is_err() {
            return;
        }
    }
    if let Ok(file) = writer.finish() {
        archive(file.get_ref());
    }
}

fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        parts.push(&rest[..at]);
        rest = &rest[at + BETWEEN.len()..];
    }
    parts.push(rest);
    parts
}

/// Bytes of all entries together and of the largest of them, as far as they can be unpacked from what is there.
fn sizes(bytes: &[u8]) -> (usize, usize) {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else { return (0, 0) };
    let (mut total, mut largest) = (0usize, 0usize);
    for index in 0..archive.len() {
        let Ok(entry) = archive.by_index_raw(index) else { continue };
        let packed = entry.compressed_size().min(bytes.len() as u64);
        let most = if entry.compression() == CompressionMethod::Stored { packed } else { DEFLATE * packed };
        let size = entry.size().min(most) as usize;
        total = total.saturating_add(size);
        largest = largest.max(size);
    }
    (total, largest)
}
