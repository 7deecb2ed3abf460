//! The whole program on wgpu: it trains, goes on, and scores as it does on the CPU.

use std::path::Path;

use crate::shared::{run, striped};

const SMALL: &str = "--backbone lenet++ --width 2 --feature-dim 8 --epochs 1 --batch-size 8 --no-augmentation --backend wgpu -v";

/// The rows of a table, without its header.
fn rows(text: &str) -> Vec<Vec<String>> {
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn a_model_is_trained_resumed_and_used_on_wgpu() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train", "test"], 8).display().to_string();
    let out = folder.path().join("out").display().to_string();
    let arguments: Vec<&str> =
        ["train", &data, "--out", &out].into_iter().chain(SMALL.split_whitespace()).collect();
    let (success, stdout, stderr) = run(&arguments);
    assert!(success && stderr.contains("backend wgpu"), "{stdout}{stderr}");
    let (success, stdout, stderr) = run(&["train", &data, "--resume", &out, "--epochs", "2"]);
    assert!(success && stderr.contains("goes on after epoch 1"), "{stdout}{stderr}");
    let (success, stdout, stderr) = run(&["list", "devices"]);
    assert!(success && stdout.lines().any(|line| line.starts_with("wgpu:0 ")), "{stdout}{stderr}");

    let model = Path::new(&out).join("model.safetensors").display().to_string();
    let test = Path::new(&data).join("test").display().to_string();
    let score = |device: &str| {
        let (success, stdout, stderr) = run(&["score", &model, &test, "--device", device]);
        assert!(success, "{stderr}");
        rows(&stdout)
    };
    let (cpu, gpu) = (score("flex:0"), score("wgpu:0"));
    assert_eq!((cpu.len(), gpu.len()), (16, 16));
    for (cpu, gpu) in cpu.iter().zip(&gpu) {
        assert_eq!(cpu[0], gpu[0]);
        let [expected, found] = [cpu, gpu].map(|row| row[1].parse::<f64>().unwrap());
        assert!((found / expected - 1.0).abs() < 1e-4, "{cpu:?} {gpu:?}");
    }
}
