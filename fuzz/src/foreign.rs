//! Weights that other programs wrote.

use std::{
    io::{Cursor, Write},
    path::Path,
    sync::OnceLock,
};

use burn::{module::Module, tensor::Device};
use cm_models::{Backbone, BackboneConfig, weights};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    memory::{Limit, within},
    place::Place,
};

/// A byte of a safetensors header may be a tensor's number, and a byte of its tensors is held as bytes, as a tensor, and in
/// between.
const PER_BYTE: usize = 64;
/// A file of PyTorch may be packed, and a tensor be a view that repeats a number. What is read is limited to a thousand times the
/// file.
const PER_BYTE_OF_PICKLE: usize = 4 * 1032;
/// A pickle refers to what it has, again and again: its reader copies so much at most, whatever the size of the file.
const COPIES: usize = 256 << 20;
/// Numbers of a feature in the files where fuzzing begins.
const DIM: usize = 3;

/// The bytes as a file of weights: for the smallest backbone, and for the class centers of a head.
pub fn foreign(bytes: &[u8]) {
    let place = Place::new();
    let path = place.file("weights.pth", bytes);
    let limit = match bytes.get(8) {
        Some(b'{') => Limit::per_byte(PER_BYTE, bytes.len()),
        _ => Limit::per_byte(PER_BYTE_OF_PICKLE, bytes.len()).and(COPIES),
    };
    for name in [None, Some("weight"), Some("head.kernel")] {
        let centers = within("reading centers", limit, || weights::class_centers(&path, DIM, name));
        if let Ok(centers) = centers {
            let shape = centers.shape().to_vec();
            assert!(matches!(shape[..], [_, DIM]), "centers of {shape:?}");
            assert_eq!(centers.num_elements(), shape.iter().product::<usize>());
        }
    }
    let loaded = within("reading weights", limit, || {
        weights::load_foreign(backbone(), &path, weights::ChannelOrder::Rgb)
    });
    if let Ok((backbone, report)) = loaded {
        assert!(!report.loaded.is_empty());
        assert_eq!(backbone.num_params(), self::backbone().num_params());
    }
}

/// The bytes as the pickle in a file of PyTorch that is whole, with two tensors' numbers.
pub fn pickle(bytes: &[u8]) {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let numbers: Vec<u8> = (0..64u8).collect();
    let entries: [(&str, &[u8]); 5] = [
        ("archive/data.pkl", bytes),
        ("archive/byteorder", b"little"),
        ("archive/data/0", &numbers),
        ("archive/data/1", &numbers[..12]),
        ("archive/version", b"3\n"),
    ];
    for (name, content) in entries {
        writer.start_file(name, options).expect("the name is good");
        writer.write_all(content).expect("memory can be written");
    }
    foreign(writer.finish().expect("memory can be written").get_ref());
}

fn backbone() -> Backbone {
    static BACKBONE: OnceLock<Backbone> = OnceLock::new();
    let make = || BackboneConfig::lenet_pp(1).init([1, 8, 8], 2, &Device::flex()).expect("it can be made");
    BACKBONE.get_or_init(make).clone()
}

/// The weights of that backbone as a file without a card.
pub(crate) fn file() -> Vec<u8> {
    weights::save(&backbone(), &Default::default()).expect("weights can be read back")
}

/// The pickle in a file of PyTorch.
pub(crate) fn pickle_of(path: &Path) -> Vec<u8> {
    let file = std::fs::File::open(path).expect("the file is there");
    let mut archive = zip::ZipArchive::new(file).expect("it is a zip file");
    let index = (0..archive.len())
        .find(|&index| archive.by_index(index).is_ok_and(|entry| entry.name_raw().ends_with(b"data.pkl")));
    let mut bytes = Vec::new();
    let mut entry = archive.by_index(index.expect("it has a pickle")).expect("it was found");
    std::io::copy(&mut entry, &mut bytes).expect("it can be read");
    bytes
}
