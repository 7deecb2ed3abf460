//! IDX files: a magic number, sizes, and bytes, all big-endian.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use flate2::read::MultiGzDecoder;
use md5::{Digest, Md5};

use crate::{DataError, decode::begins_like_a_web_page};

const IMAGES_MAGIC: u32 = 0x0000_0803;
const LABELS_MAGIC: u32 = 0x0000_0801;
/// As IDX files are read whole, a larger one would fill the memory.
const MAX_BYTES: u64 = 1 << 30;

/// Content of an IDX file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxFile {
    /// Number of items, and rows and columns of images.
    pub dims: Vec<usize>,
    /// The bytes after the header.
    pub bytes: Vec<u8>,
    /// MD5 sum of the whole uncompressed content, in hexadecimal.
    pub md5: String,
}

/// Reads images, from a raw or a gzip file.
///
/// # Errors
///
/// [`DataError::Io`], [`DataError::Compressed`], [`DataError::WebPage`],
/// [`DataError::WrongMagic`] or [`DataError::WrongLength`], with the file's name.
pub fn read_images(path: &Path) -> Result<IdxFile, DataError> {
    read(path, "images", IMAGES_MAGIC, 3)
}

/// Reads labels from 0 to `highest`, from a raw or a gzip file.
///
/// # Errors
///
/// As [`read_images`], and [`DataError::WrongLabel`] for a higher label.
pub fn read_labels(path: &Path, highest: u8) -> Result<IdxFile, DataError> {
    let file = read(path, "labels", LABELS_MAGIC, 1)?;
    match file.bytes.iter().position(|&label| label > highest) {
        Some(index) => {
            let value = file.bytes[index];
            Err(DataError::WrongLabel { path: path.to_owned(), index, value, highest })
        }
        None => Ok(file),
    }
}

/// Uncompressed content of a raw or gzip file; which of the two it is, its first bytes tell.
pub(crate) fn content(path: &Path) -> Result<Vec<u8>, DataError> {
    let open = || File::open(path).map(BufReader::new).map_err(DataError::io("open", path));
    let mut start = Vec::new();
    open()?.take(2).read_to_end(&mut start).map_err(DataError::io("read", path))?;
    let mut content = Vec::new();
    if start == [0x1f, 0x8b] {
        let read = MultiGzDecoder::new(open()?).take(MAX_BYTES).read_to_end(&mut content);
        read.map_err(|source| DataError::Compressed { path: path.to_owned(), source })?;
    } else {
        open()?.take(MAX_BYTES).read_to_end(&mut content).map_err(DataError::io("read", path))?;
    }
    if begins_like_a_web_page(&content) {
        return Err(DataError::WebPage { path: path.to_owned() });
    }
    Ok(content)
}

/// MD5 sum in hexadecimal.
pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(path: &Path, kind: &'static str, magic: u32, dimensions: usize) -> Result<IdxFile, DataError> {
    let mut content = content(path)?;
    let header = 4 * (1 + dimensions);
    let wrong_length = |expected: u128| DataError::WrongLength {
        path: path.to_owned(),
        found: content.len() as u64,
        expected,
    };
    let number = |at: usize| {
        let bytes: Option<[u8; 4]> = content.get(4 * at..4 * at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_be_bytes).ok_or_else(|| wrong_length(header as u128))
    };
    let found = number(0)?;
    if found != magic {
        return Err(DataError::WrongMagic { path: path.to_owned(), kind, found, expected: magic });
    }
    let dims = (1..=dimensions).map(|at| number(at).map(|n| n as usize)).collect::<Result<Vec<_>, _>>()?;
    // The header may announce more than any machine holds: count in 128 bits and compare before
    // use.
    let announced = dims.iter().map(|&n| n as u128).product::<u128>() + header as u128;
    if announced != content.len() as u128 {
        return Err(wrong_length(announced));
    }
    let md5 = md5_hex(&content);
    content.drain(..header);
    Ok(IdxFile { dims, bytes: content, md5 })
}
