//! Arrays as NumPy writes them.

use std::io::{Cursor, Write};

use cm_data::{Array, Collection, Numbers, OpenOptions};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    memory::{Limit, READING, within},
    place::Place,
    promises::{READ, consistent, whole},
};

/// A byte becomes a number of 64 bits, once in the order of the file and once in ours.
const PER_BYTE: usize = 2 * 8;
/// A pixel may be an image of its own, which has a name, a place and a label.
const OPENING: usize = 1024;
/// Most bytes that are tried as the images of a data set.
const SMALL: usize = 1 << 12;

/// The bytes as an array, and as the images of a data set whose labels are right.
pub fn array(bytes: &[u8]) {
    let limit = Limit::per_byte(PER_BYTE, bytes.len());
    let Ok(array) = within("reading", limit, || Array::parse(bytes)) else { return };
    let count: usize = array.shape.iter().product();
    assert_eq!(array.numbers.len(), count);
    if let Ok(whole) = array.integers() {
        assert_eq!(whole.len(), count);
    }
    let Some(&images) = array.shape.first().filter(|_| bytes.len() <= SMALL) else { return };
    if images > SMALL {
        return;
    }
    let labels: Vec<u8> = (0..images).map(|i| (i % 2) as u8).collect();
    let place = Place::new();
    let path = place.file("data.npz", &archive(&[("train_images", bytes), ("train_labels", &npy(&labels))]));
    let limit = Limit::per_byte(READING + OPENING, bytes.len() + images);
    let options = OpenOptions::default();
    let Ok(collection) = within("opening", limit, || Collection::open(&path, &options)) else { return };
    assert!(matches!(array.numbers, Numbers::Bytes(_)) && collection.len() == images);
    consistent(&collection);
    for index in 0..images.min(READ) {
        whole(&collection.image(index).expect("it is in memory"));
        assert_eq!(collection.items[index].class(), Some(index % 2));
    }
}

/// A `.npy` file of bytes.
fn npy(bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({},), }}", bytes.len());
    let padded = format!("{header:<117}\n");
    [b"\x93NUMPY\x01\x00", &(padded.len() as u16).to_le_bytes()[..], padded.as_bytes(), bytes].concat()
}

fn archive(arrays: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in arrays {
        writer.start_file(format!("{name}.npy"), options).expect("the name is good");
        writer.write_all(bytes).expect("memory can be written");
    }
    writer.finish().expect("memory can be written").into_inner()
}
