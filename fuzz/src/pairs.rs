//! Pairs of images: verification sets that Python pickled, LFW's files and tables.

use cm_data::{OpenOptions, PairSet};

use crate::{
    memory::{Limit, within},
    place::Place,
    promises::consistent,
};

/// A byte may be a value of its own, of which there is a number on the stack and maybe in a list.
const PER_VALUE: usize = 256;
/// A line of six bytes may name two images, each with its path, its place and a position by its name.
const PER_LINE: usize = 512;

/// The bytes as a verification set.
pub fn verification_set(bytes: &[u8]) {
    open(bytes, "set.bin", PER_VALUE);
}

/// The bytes as a file of pairs.
pub fn pairs(bytes: &[u8]) {
    open(bytes, "pairs.txt", PER_LINE);
}

fn open(bytes: &[u8], name: &str, per_byte: usize) {
    let place = Place::new();
    let path = place.file(name, bytes);
    let options = OpenOptions { files_required: false, ..OpenOptions::default() };
    let limit = Limit::per_byte(per_byte, bytes.len());
    let Ok(set) = within("opening", limit, || PairSet::open(&path, &options)) else { return };
    assert!(!set.pairs.is_empty());
    consistent(&set.images);
    for pair in &set.pairs {
        assert!(pair.images.iter().all(|&image| image < set.images.len()), "{pair:?}");
        assert!(pair.fold < set.folds());
    }
    assert!(set.missing.iter().all(|&image| image < set.images.len()));
}
