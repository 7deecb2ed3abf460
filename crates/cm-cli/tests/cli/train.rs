//! `cm train` and `cm eval`.

use std::fs;

use serde_json::Value;

use crate::shared::{refused, run, striped, write_image};

const SMALL: &str =
    "--backbone lenet++ --width 2 --feature-dim 8 --epochs 6 --batch-size 8 --no-augmentation";

#[test]
fn a_folder_is_trained_on_and_the_model_tested_with_nothing_else_at_hand() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train", "test"], 24).display().to_string();
    let out = folder.path().join("out");
    let text = out.display().to_string();
    let arguments: Vec<&str> =
        ["train", &data, "--out", &text].into_iter().chain(SMALL.split_whitespace()).collect();
    let (success, stdout, stderr) = run(&arguments);
    assert!(success, "{stderr}");
    assert!(stdout.contains("accuracy on") && stdout.contains("test images"), "{stdout}");
    for file in ["model.safetensors", "last.safetensors", "config.json", "results.csv", "report.html"] {
        assert!(out.join(file).is_file(), "{file}");
    }

    let model = folder.path().join("elsewhere.safetensors");
    fs::rename(out.join("model.safetensors"), &model).unwrap();
    let model = model.display().to_string();
    let pictures = folder.path().join("pictures");
    let (success, stdout, stderr) =
        run(&["eval", &model, &data, "--json", "--out", &pictures.display().to_string()]);
    assert!(success, "{stderr}");
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((found["images"].as_u64(), found["classes"].as_u64()), (Some(48), Some(2)));
    assert!(found["accuracy"].as_f64().unwrap() > 0.9, "{stdout}");
    for file in ["confusion.png", "confusion.csv", "reliability.png"] {
        assert!(pictures.join(file).is_file(), "{file}");
    }
    let (success, stdout, stderr) = run(&["eval", &model, &data, "--split", "train"]);
    assert!(success && stdout.contains("95 % interval"), "{stdout}{stderr}");

    // Going on from the file: backbone and head are taken.
    let again = folder.path().join("again").display().to_string();
    let options = ["train", &data, "--out", &again, "--init", &model, "--freeze-backbone"];
    let arguments: Vec<&str> = options.into_iter().chain(SMALL.split_whitespace()).collect();
    let (success, stdout, stderr) = run(&arguments);
    assert!(success, "{stderr}");
    assert!(stdout.contains("100.00 %") || stdout.contains("9"), "{stdout}");
}

#[test]
fn a_list_with_columns_gives_accuracy_by_their_strata() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train"], 24);
    let mut list = "path;label;sharpness\n".to_owned();
    for class in ["down", "across"] {
        for i in 0..24 {
            list += &format!("stripes/train/{class}/{}_{}.pgm;{class};{}\n", i / 3, i % 3, i % 4);
        }
    }
    let path = folder.path().join("list.csv");
    fs::write(&path, list).unwrap();
    let out = folder.path().join("out").display().to_string();
    let list = path.display().to_string();
    let arguments: Vec<&str> =
        ["train", &list, "--out", &out].into_iter().chain(SMALL.split_whitespace()).collect();
    let (success, _, stderr) = run(&arguments);
    assert!(success, "{stderr}");
    let model = format!("{out}/model.safetensors");
    let (success, stdout, stderr) = run(&["eval", &model, &list, "--json", "--parts", "2"]);
    assert!(success, "{stderr}");
    let found: Value = serde_json::from_str(&stdout).unwrap();
    let levels: Vec<&str> =
        found["strata"]["sharpness"].as_array().unwrap().iter().filter_map(|l| l["level"].as_str()).collect();
    assert_eq!(levels, ["0–1", "2–3"], "{stdout}");
    assert!(data.is_dir());
}

#[test]
fn settings_come_from_a_file_flags_win_and_unknown_keys_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, "[training]\nepochs = 3\nbatch-size = 5\n[loss]\nname = \"ArcFace\"\n").unwrap();
    let config = path.display().to_string();
    let (success, stdout, stderr) = run(&["train", "--config", &config, "--epochs", "9", "--print-config"]);
    assert!(success, "{stderr}");
    for line in ["epochs = 9", "batch-size = 5", "name = \"ArcFace\"", "backbone = \"resnet18\""] {
        assert!(stdout.contains(line), "{line} is not in\n{stdout}");
    }
    // What is printed is a file of settings.
    fs::write(&path, &stdout).unwrap();
    let (_, again, _) = run(&["train", "--config", &config, "--print-config"]);
    assert_eq!(again, stdout);
    fs::write(&path, "[training]\nepoch = 3\n").unwrap();
    let message = refused(&["train", "--config", &config, "--print-config"]);
    assert!(message.contains("settings.toml") && message.contains("epoch"), "{message}");
}

#[test]
fn a_dry_run_says_what_would_be_trained_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train"], 24).display().to_string();
    let out = folder.path().join("out");
    let text = out.display().to_string();
    let arguments: Vec<&str> = ["train", &data, "--out", &text, "--dry-run", "--group-by-name", "_"]
        .into_iter()
        .chain(SMALL.split_whitespace())
        .collect();
    let (success, stdout, stderr) = run(&arguments);
    assert!(success, "{stderr}");
    assert!(stdout.contains("in 16 groups") && stdout.contains("parameters"), "{stdout}");
    assert!(stdout.contains("images/s"), "{stdout}");
    assert!(!out.exists());
}

#[test]
fn the_same_content_found_elsewhere_is_the_same_data_and_other_content_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train"], 24);
    let out = folder.path().join("out").display().to_string();
    let text = data.display().to_string();
    let arguments: Vec<&str> =
        ["train", &text, "--out", &out].into_iter().chain(SMALL.split_whitespace()).collect();
    let (success, _, stderr) = run(&arguments);
    assert!(success, "{stderr}");
    let moved = folder.path().join("elsewhere").join("stripes");
    fs::create_dir_all(moved.parent().unwrap()).unwrap();
    fs::rename(&data, &moved).unwrap();
    let moved_text = moved.display().to_string();
    let (success, stdout, stderr) = run(&["train", &moved_text, "--resume", &out, "--epochs", "7"]);
    assert!(success, "{stderr}");
    assert!(stdout.contains("goes on after epoch 6"), "{stdout}");
    write_image(&moved.join("train/down/new.pgm"), 16, |x, _| x as u8);
    let message = refused(&["train", &moved_text, "--resume", &out]);
    assert!(message.contains("other data"), "{message}");
    let message = refused(&["train", &moved_text, "--resume", &out, "--width", "5"]);
    assert!(message.contains("only --epochs"), "{message}");
}
