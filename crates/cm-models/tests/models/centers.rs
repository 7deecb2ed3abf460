//! Class centers that other programs wrote. `tools/torch_weights.py` made the files.

use std::path::{Path, PathBuf};

use burn::tensor::{DType, Device, Tensor, TensorData};
use cm_loss_core::Preset;
use cm_models::{
    WeightsError,
    weights::{self, class_centers},
};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/torch").join(name)
}

fn expected() -> Vec<f32> {
    let rows: Vec<Vec<f32>> = serde_json::from_str(include_str!("torch/centers.json")).unwrap();
    rows.concat()
}

fn assert_expected(found: &TensorData, within: f32) {
    assert_eq!(found.shape().to_vec(), [5, 3]);
    for (found, expected) in found.iter::<f32>().zip(expected()) {
        assert!((found - expected).abs() <= within, "{found} is not {expected}");
    }
}

#[test]
fn heads_of_other_programs_are_read_whichever_way_round() {
    assert_expected(&class_centers(&path("head-adaface.pth"), 3, None).unwrap(), 0.0);
    let half = class_centers(&path("head-insightface.pth"), 3, None).unwrap();
    assert_eq!(half.dtype(), DType::F16);
    assert_expected(&half, 2e-3);
    assert_expected(&class_centers(&path("heads.safetensors"), 3, Some("loss.W")).unwrap(), 0.0);
}

#[test]
fn a_head_takes_what_was_read() {
    let device = Device::flex();
    let read = class_centers(&path("head-insightface.pth"), 3, None).unwrap();
    let head = Preset::ArcFace.config().init(3, 5, &device).unwrap();
    let head = head.with_class_centers(Tensor::from_data(read, (&device, DType::F16))).unwrap();
    assert_expected(&head.class_centers().into_data(), 2e-3);
}

#[test]
fn as_many_classes_as_features_are_told_apart_by_the_name() {
    let device = Device::flex();
    let head = Preset::ArcFace.config().init(4, 4, &device).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("head");
    std::fs::write(&file, weights::save(&head, &Default::default()).unwrap()).unwrap();
    assert_eq!(class_centers(&file, 4, None).unwrap(), head.class_centers().into_data());
}

#[test]
fn files_without_one_choice_are_refused() {
    let many = class_centers(&path("heads.safetensors"), 3, None).unwrap_err();
    let message = many.to_string();
    assert!(matches!(many, WeightsError::ManyCenters { .. }), "{message}");
    assert!(message.contains("loss.W [3, 5], other.W [3, 4]; give the full name"), "{message}");
    for (file, dim, name) in [
        ("head-adaface.pth", 8, None),
        ("head-adaface.pth", 3, Some("head.weight")),
        ("head-adaface.pth", 3, Some("head.batch_mean")),
        ("timm.safetensors", 5, None),
    ] {
        let none = class_centers(&path(file), dim, name).unwrap_err();
        assert!(matches!(none, WeightsError::NoCenters { .. }), "{file}: {none}");
        let text = none.to_string();
        assert!(text.contains(&format!("[classes, {dim}]")) && text.contains(" ["), "{text}");
    }
    assert!(matches!(class_centers(&path("nowhere.pth"), 3, None), Err(WeightsError::Io(_))));
    assert!(matches!(class_centers(&path("centers.json"), 3, None), Err(WeightsError::Foreign { .. })));
}

/// A file of PyTorch, of the kind without zip, with one weight `[rows, 3]` that is a view of a single number.
fn view(rows: u32) -> Vec<u8> {
    let head = std::fs::read(path("state-dict.pth")).unwrap();
    // A magic number, a version and the system.
    let head = &head[..137];
    let start = b"\x80\x02}X\x06\0\0\0weightctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n";
    let place = b"X\x01\0\0\0aX\x03\0\0\0cpuK\x01NtQK\0J";
    let end = b"K\x03\x86K\0K\0\x86\x89ccollections\nOrderedDict\n)RtRs.";
    let names = b"\x80\x02]X\x01\0\0\0aa.";
    let number = [&1u64.to_le_bytes()[..], &0.5f32.to_le_bytes()].concat();
    [head, start, place, &rows.to_le_bytes(), end, names, &number].concat()
}

#[test]
fn a_view_that_is_beyond_all_measure_larger_than_its_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("view.pth");
    std::fs::write(&file, view(5)).unwrap();
    let centers = class_centers(&file, 3, None).unwrap();
    assert_eq!((centers.shape().to_vec(), centers.iter::<f32>().sum::<f32>()), (vec![5, 3], 7.5));
    std::fs::write(&file, view(1 << 27)).unwrap();
    let message = class_centers(&file, 3, None).unwrap_err().to_string();
    assert!(message.contains("the tensor weight has 1610612736 bytes and its file"), "{message}");
}
