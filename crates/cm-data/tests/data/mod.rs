//! Reading, downloading, drawing and spoiling digits.

mod degrade;
mod download;
mod idx;
pub mod mnist;
mod synthetic;

use std::io::Write;

use cm_train::data::LabelledImages;
use flate2::{Compression, write::GzEncoder};

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

/// Mean of the squared differences of all pixels.
pub fn mean_squared_difference(a: &LabelledImages, b: &LabelledImages) -> f64 {
    let differences = a.pixels.iter().zip(&b.pixels).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
    differences.sum::<f64>() / a.pixels.len() as f64
}
