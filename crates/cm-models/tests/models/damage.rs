//! Files that are cut short or altered are refused, and nothing else happens.

use std::{collections::BTreeMap, sync::LazyLock};

use burn::tensor::Device;
use cm_models::{Backbone, BackboneConfig, Stem, WeightsError, weights};
use proptest::prelude::*;

use crate::shared::{resnet18, shaken};

static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let metadata = BTreeMap::from([("key".to_owned(), "value".to_owned())]);
    weights::save(&shaken(&BackboneConfig::lenet_pp(1), [1, 8, 8], 2), &metadata).unwrap()
});

fn network() -> Backbone {
    BackboneConfig::lenet_pp(1).init([1, 8, 8], 2, &Device::flex()).unwrap()
}

fn header_length() -> usize {
    u64::from_le_bytes(FILE[..8].try_into().unwrap()) as usize
}

/// A file with this header and nothing after it.
fn with_header(header: &str) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat()
}

#[test]
fn the_file_itself_is_good() {
    assert!(weights::load(network(), &FILE).is_ok());
}

#[test]
fn a_file_with_more_behind_it_is_damaged() {
    let bytes = [&FILE[..], b"and more"].concat();
    let message = weights::load(network(), &bytes).unwrap_err().to_string();
    let tensors = FILE.len() - 8 - header_length();
    let expected = format!("it tells of {tensors} bytes of tensors and has {}", tensors + 8);
    assert!(message.contains(&expected), "{message}");
}

#[test]
fn lengths_beyond_the_file_are_refused() {
    for length in [u64::MAX, u64::MAX - 7, 1 << 40, 100_000_001, FILE.len() as u64, 0] {
        let mut bytes = FILE.clone();
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        for error in [weights::load(network(), &bytes).err(), weights::metadata(&bytes).err()] {
            assert!(matches!(error, Some(WeightsError::Damaged { .. })), "{length}: {error:?}");
        }
    }
}

#[test]
fn shapes_that_no_memory_holds_are_refused() {
    let largest = u64::MAX >> 3;
    let tensor = |name: &str, start: u64, end: u64| {
        let size = end - start;
        format!(r#""{name}":{{"dtype":"U8","shape":[{size}],"data_offsets":[{start},{end}]}}"#)
    };
    let tensors: Vec<String> =
        (0..8).map(|i| tensor(&format!("t{i}"), i * largest, (i + 1) * largest)).collect();
    let headers = [
        format!("{{{}}}", tensors.join(",")),
        r#"{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#.to_owned(),
        r#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}"#.to_owned(),
        r#"{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#.to_owned(),
        r#"{"x":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#.to_owned(),
        "[".repeat(100_000),
    ];
    for header in headers {
        let error = weights::load(network(), &with_header(&header)).unwrap_err();
        assert!(matches!(error, WeightsError::Damaged { .. }), "{error}");
        assert!(error.to_string().len() < 500, "{error}");
    }
}

proptest! {
    #[test]
    fn a_file_cut_anywhere_is_damaged(length in 0..FILE.len()) {
        let error = weights::load(network(), &FILE[..length]).unwrap_err();
        prop_assert!(matches!(error, WeightsError::Damaged { .. }), "{error}");
    }

    #[test]
    fn an_altered_header_is_read_or_refused(
        changes in prop::collection::vec((8..8 + header_length(), any::<u8>()), 1..4),
    ) {
        let mut bytes = FILE.clone();
        for (place, byte) in changes {
            bytes[place] = byte;
        }
        let _ = weights::load(network(), &bytes);
        let _ = weights::metadata(&bytes);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = weights::load(network(), &bytes);
        let _ = weights::metadata(&bytes);
    }

    #[test]
    fn any_header_is_read_or_refused(header in r#"\{("[a-z_]{1,14}":(\{("(dtype|shape|data_offsets)":("F32"|\[[0-9]{0,20}(,[0-9]{1,2})?\]),?){0,3}\}|\{"a":"b"\}|"x"),?){0,3}\}"#) {
        let _ = weights::load(network(), &with_header(&header));
        let _ = weights::metadata(&with_header(&header));
    }
}

proptest! {
    // Each case writes a file.
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_damaged_file_of_pytorch_is_read_or_refused(
        which in 0..3_usize,
        length in 0.0..1.0,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let files: [&[u8]; 3] = [
            include_bytes!("torch/checkpoint.pth"),
            include_bytes!("torch/state-dict.pth"),
            include_bytes!("torch/timm.safetensors"),
        ];
        let mut bytes = files[which].to_vec();
        if changes.is_empty() {
            bytes.truncate((length * bytes.len() as f64) as usize);
        }
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        let network = resnet18(1, Stem::Imagenet).init([3, 32, 32], 3, &Device::flex()).unwrap();
        let _ = weights::load_foreign(network, file.path(), weights::ChannelOrder::Rgb);
    }
}
