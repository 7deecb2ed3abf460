//! Arrays as MedMNIST has them, by every command that takes data.

use std::{
    fs,
    io::{Cursor, Write},
    path::Path,
};

use npyz::WriterBuilder;
use serde_json::Value;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::shared::{refused, run};

const SIDE: usize = 16;

/// An array of bytes as NumPy writes it.
fn npy(shape: &[usize], bytes: Vec<u8>) -> Vec<u8> {
    let shape: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
    let mut written = Vec::new();
    let mut writer =
        npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut written).begin_nd().unwrap();
    writer.extend(bytes).unwrap();
    writer.finish().unwrap();
    written
}

/// Volumes with a ball in the middle, small or large, in noise; the first one of the training has one value everywhere.
fn volumes(path: &Path, labels: usize) {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (split, count) in [("train", 24), ("val", 8), ("test", 12)] {
        let volume = |i: usize| {
            let radius = if i % 2 == 1 { 6.0 } else { 3.0 };
            (0..SIDE.pow(3)).map(move |at| {
                let [x, y, z] = [at % SIDE, at / SIDE % SIDE, at / SIDE / SIDE].map(|at| at as f64 - 7.5);
                let inside = x.hypot(y).hypot(z) < radius;
                if i == 0 && split == "train" {
                    return 90;
                }
                // Noise of its own for each volume: a copy in another split would be an error.
                let noise = (at * 2654435761 + i * 97 + count * 7919) >> 7;
                (if inside { 170 } else { 40 }) + (noise % 60) as u8
            })
        };
        let images = npy(&[count, SIDE, SIDE, SIDE], (0..count).flat_map(volume).collect());
        let of = (0..count * labels).map(|i| (i / labels % 2) as u8).collect();
        for (what, array) in [("images", images), ("labels", npy(&[count, labels], of))] {
            zip.start_file(format!("{split}_{what}.npy"), SimpleFileOptions::default()).unwrap();
            zip.write_all(&array).unwrap();
        }
    }
    fs::write(path, zip.finish().unwrap().into_inner()).unwrap();
}

#[test]
fn volumes_are_checked_learned_and_tested() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (data, out) = (path("nodules.npz"), path("out"));
    volumes(Path::new(&data), 1);
    let (success, stdout, stderr) = run(&["data", "check", &data]);
    assert!(success && stdout.contains("1 images are constant"), "{stdout}{stderr}");
    let options = "--backbone resnet3d --width 4 --feature-dim 4 --epochs 6 --batch-size 8 --learning-rate 1e-2 \
                   --no-augmentation --loss CM-Softmax --out";
    let arguments = ["train", &data].into_iter().chain(options.split_whitespace()).chain([out.as_str()]);
    let (success, _, stderr) = run(&arguments.collect::<Vec<_>>());
    assert!(success, "{stderr}");
    assert!(stderr.contains("1 of 44 images have the same value everywhere"), "{stderr}");
    let model = path("out/model.safetensors");
    let (success, stdout, stderr) = run(&["eval", &model, &data, "--json"]);
    assert!(success, "{stderr}");
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert!(found["accuracy"].as_f64().unwrap() > 0.7, "{found}");

    let several = path("several.npz");
    volumes(Path::new(&several), 14);
    let message = refused(&["data", "check", &several]);
    assert!(message.contains("several.npz") && message.contains("14"), "{message}");
}
