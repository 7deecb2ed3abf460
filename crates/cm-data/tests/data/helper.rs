//! Files of every kind, made on the spot.

use std::{
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
};

use cm_data::{Collection, DataError, OpenOptions};
use flate2::{Compression, write::GzEncoder};
use zip::{ZipWriter, write::SimpleFileOptions};

/// Where the image files made by `tools/image_fixtures.py` are.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/files")
}

/// An IDX file: magic number, sizes, bytes.
pub fn idx_bytes(magic: u32, dims: &[u32], bytes: &[u8]) -> Vec<u8> {
    let header = std::iter::once(magic).chain(dims.iter().copied());
    header.flat_map(u32::to_be_bytes).chain(bytes.iter().copied()).collect()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A gray image of 2 x 1 pixels that is the same file for the same name and another for another.
pub fn image_bytes(name: &str) -> Vec<u8> {
    let sum = name.bytes().fold(0u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    [b"P5 2 1 255\n".as_slice(), &sum.to_le_bytes()].concat()
}

/// Writes an image under each name, and empty folders for names that end in `/`.
pub fn write_images(folder: &Path, names: &[&str]) {
    for name in names {
        let path = folder.join(name);
        if name.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, image_bytes(name)).unwrap();
        }
    }
}

/// A zip file of these entries.
pub fn zip_bytes(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        if name.ends_with('/') {
            writer.add_directory(*name, SimpleFileOptions::default()).unwrap();
        } else {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

/// A zip file with an image under each name, as [`write_images`] makes a folder.
pub fn zip_of_images(names: &[&str]) -> Vec<u8> {
    let images: Vec<Vec<u8>> = names.iter().map(|name| image_bytes(name)).collect();
    let entries: Vec<(&str, &[u8])> = names.iter().copied().zip(images.iter().map(Vec::as_slice)).collect();
    zip_bytes(&entries)
}

pub fn open(path: &Path) -> Result<Collection, DataError> {
    Collection::open(path, &OpenOptions::default())
}

/// The message of an error, which must name the path.
#[track_caller]
pub fn message<T: std::fmt::Debug>(result: Result<T, DataError>, path: &Path) -> String {
    let message = result.unwrap_err().to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
    message
}

/// File, class and split of every image.
pub fn summary(collection: &Collection) -> Vec<(&str, &str, Option<&str>)> {
    let class = |label: Option<usize>| label.map_or("-", |label| collection.classes[label].as_str());
    let row = |item: &'_ cm_data::Item| (class(item.class()), item.split.map(cm_data::Split::name));
    collection.items.iter().map(|item| (item.file.as_str(), row(item).0, row(item).1)).collect()
}
