//! `cm train` and `cm eval`.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::shared::{cm, refused, run, striped, write_image};

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
    let (success, stdout, stderr) = run(&["train", &data, "--resume", &text, "--epochs", "7", "--json"]);
    assert!(success, "{stderr}");
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&found["epochs"], &found["test"]["images"]), (&7.into(), &48.into()));
    assert!(Path::new(found["model"].as_str().unwrap()).is_file(), "{stdout}");
    let (success, stdout, stderr) = run(&["eval", &model, &data, "--split", "train"]);
    assert!(success && stdout.contains("95 % interval"), "{stdout}{stderr}");
}

/// The tensors of a model file by their names: type, shape and bytes.
fn tensors(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    let length = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: BTreeMap<String, Value> = serde_json::from_slice(&bytes[8..length]).unwrap();
    let content = |tensor: &Value| {
        let [from, to] = [0, 1].map(|end| length + tensor["data_offsets"][end].as_u64().unwrap() as usize);
        bytes[from..to].to_vec()
    };
    let named = header.iter().filter(|(name, _)| *name != "__metadata__");
    named.map(|(name, tensor)| (name.clone(), content(tensor))).collect()
}

#[test]
fn a_training_that_starts_from_a_model_file_has_its_weights_and_leaves_a_frozen_backbone_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train", "test"], 24).display().to_string();
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    let train = |out: &Path, more: &[&str]| {
        let out = out.display().to_string();
        let arguments = ["train", &data, "--out", &out].into_iter();
        let arguments: Vec<&str> =
            arguments.chain(SMALL.split_whitespace()).chain(more.iter().copied()).collect();
        let (success, _, stderr) = run(&arguments);
        assert!(success, "{stderr}");
    };
    train(&first, &[]);
    let model = first.join("model.safetensors");
    let text = model.display().to_string();
    train(&second, &["--init", &text, "--freeze-backbone", "--seed", "9"]);
    let (before, after) = (tensors(&model), tensors(&second.join("model.safetensors")));
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    let is_backbone = |name: &str| name.starts_with("backbone.");
    assert!(before.keys().any(|name| is_backbone(name)), "{:?}", before.keys());
    for (name, found) in &after {
        assert_eq!(before[name] == *found, is_backbone(name), "{name}");
    }

    // With a checkpoint the file is not needed again, without one it is, wherever it lies now.
    let moved = folder.path().join("moved.safetensors");
    fs::rename(&model, &moved).unwrap();
    let [out, moved_text] = [&second, &moved].map(|path| path.display().to_string());
    let (success, _, stderr) = run(&["train", &data, "--resume", &out, "--epochs", "7"]);
    assert!(success, "{stderr}");
    for run in fs::read_dir(second.join("runs")).unwrap() {
        fs::remove_dir_all(run.unwrap().path().join("checkpoint")).unwrap();
    }
    let again = ["train", &data, "--resume", &out, "--epochs", "8"];
    let message = refused(&again);
    assert!(message.contains("name that file by --init"), "{message}");
    let other = second.join("model.safetensors").display().to_string();
    let message = refused(&[&again[..], &["--init", &other]].concat());
    assert!(message.contains("model.init-checksum"), "{message}");
    let (success, _, stderr) = run(&[&again[..], &["--init", &moved_text]].concat());
    assert!(success, "{stderr}");
    let after = tensors(&second.join("model.safetensors"));
    assert!(after.iter().filter(|(name, _)| is_backbone(name)).all(|(name, found)| before[name] == *found));
    let text = moved_text;

    // Weights that do not fit, or are none, leave nothing behind.
    let third = folder.path().join("third");
    let out = third.display().to_string();
    let wider = ["train", &data, "--out", &out, "--backbone", "lenet++", "--width", "3", "--init", &text];
    let message = refused(&wider);
    assert!(message.contains("moved.safetensors") && message.contains("--width"), "{message}");
    let missing = ["train", &data, "--out", &out, "--init", "/no/such/weights.pth"];
    assert!(refused(&missing).contains("/no/such/weights.pth"));
    let reversed = ["train", &data, "--out", &out, "--init", &text, "--init-bgr"];
    assert!(refused(&reversed).contains("--init-bgr is for weights of other programs"));
    assert!(!third.exists());
}

#[test]
fn a_model_of_a_newer_program_is_no_start_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train"], 6).display().to_string();
    let newer = folder.path().join("newer.safetensors");
    let header = r#"{"__metadata__":{"cm_loss_card":"{\"format\":99}"}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    fs::write(&newer, bytes).unwrap();
    let out = folder.path().join("out");
    let [newer, text] = [newer, out.clone()].map(|path| path.display().to_string());
    let message = refused(&["train", &data, "--out", &text, "--init", &newer]);
    assert!(message.contains("newer.safetensors") && message.contains("format 99"), "{message}");
    assert!(!out.exists());
}

#[test]
fn the_stem_follows_the_size_of_the_images_and_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train"], 6).display().to_string();
    let dry = |more: &[&str]| {
        let options = ["train", &data, "--dry-run", "--width", "2", "--batch-size", "4"];
        run(&[&options, more].concat())
    };
    // Images of 16 pixels: with the stem for small ones they are one pixel at the end, with that for large ones nothing.
    for stem in [&[][..], &["--stem", "cifar"], &["--stem", "small"]] {
        let (success, stdout, stderr) = dry(&[&["--backbone", "resnet18"], stem].concat());
        assert!(success && stdout.contains("resnet18"), "{stem:?}: {stderr}");
    }
    let (success, _, stderr) = dry(&["--backbone", "resnet18", "--stem", "imagenet"]);
    assert!(!success && stderr.contains("at least 32 x 32") && stderr.contains("stem"), "{stderr}");
    let (success, _, stderr) = dry(&["--stem", "cifar"]);
    assert!(!success && stderr.contains("--stem") && stderr.contains("lenet++"), "{stderr}");
    let (success, _, stderr) = dry(&["--stem", "patchify"]);
    assert!(!success && stderr.contains("cifar, small, imagenet"), "{stderr}");
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
    for line in ["epochs = 9", "batch-size = 5", "name = \"ArcFace\"", "backbone = \"lenet++\""] {
        assert!(stdout.contains(line), "{line} is not in\n{stdout}");
    }
    // What has no value is shown as a comment.
    for line in ["# stem = ", "# degrade = ", "# out = ", "cache = 2048"] {
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
    let moved = folder.path().join("elsewhere").join("renamed");
    fs::create_dir_all(moved.parent().unwrap()).unwrap();
    fs::rename(&data, &moved).unwrap();
    let moved_text = moved.display().to_string();
    let (success, stdout, stderr) = run(&["train", &moved_text, "--resume", &out, "--epochs", "7"]);
    assert!(success, "{stderr}");
    assert!(stderr.contains("goes on after epoch 6"), "{stdout}{stderr}");
    // By another way to write the path. The raised number of epochs is what was chosen from then on.
    let output =
        cm(&["train", "renamed", "--resume", &out]).current_dir(moved.parent().unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lowered = refused(&["train", &moved_text, "--resume", &out, "--epochs", "6"]);
    assert!(lowered.contains("epochs = 7, and not with 6"), "{lowered}");
    write_image(&moved.join("train/down/new.pgm"), 16, |x, _| x as u8);
    let message = refused(&["train", &moved_text, "--resume", &out]);
    assert!(message.contains("other data"), "{message}");
    fs::remove_file(moved.join("train/down/new.pgm")).unwrap();
    // Also a choice that is the usual one, but not what was chosen.
    for (option, expected) in [
        (["--width", "5"], "model.width = 2, and not with 5"),
        (["--feature-dim", "128"], "model.feature-dim = 8, and not with 128"),
        (["--loss", "ArcFace"], "loss.name = \"CosFace\", and not with \"ArcFace\""),
    ] {
        let message = refused(&["train", &moved_text, "--resume", &out, option[0], option[1]]);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn results_among_the_images_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train"], 6);
    let output = cm(&["train", "."]).current_dir(&data).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && message.contains("among the images"), "{message}");
    assert!(message.contains("--out") && !data.join("runs").exists(), "{message}");
}

#[test]
fn every_recipe_is_read_with_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/recipes");
    if !folder.is_dir() {
        println!("skipped: {} is not a part of the package alone", folder.display());
        return;
    }
    let mut recipes = 0;
    for entry in fs::read_dir(&folder).unwrap().flatten() {
        let (name, path) = (entry.file_name().into_string().unwrap(), entry.path().display().to_string());
        if !name.starts_with("train-") {
            continue;
        }
        recipes += 1;
        let (success, settings, stderr) = run(&["train", "--print-config", "--config", &path]);
        assert!(success, "{name}: {stderr}");
        // Nothing that it says is lost.
        let said = fs::read_to_string(&path).unwrap();
        for line in said.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')) {
            let (key, _) = line.split_once(" = ").unwrap();
            let table = format!(".{key}]");
            let has = |line: &str| line.starts_with(&format!("{key} =")) || line.ends_with(&table);
            assert!(settings.lines().any(has), "{name}: {line} is not in {settings}");
        }
        // Everything in it can be.
        let images = tempfile::tempdir().unwrap();
        if !["train-devices.toml", "train-from-weights.toml"].contains(&name.as_str()) {
            let data = striped(images.path(), &["train"], 6).display().to_string();
            let (success, _, stderr) = run(&[
                "train",
                &data,
                "--config",
                &path,
                "--dry-run",
                "--batch-size",
                "4",
                "--width",
                "2",
                "--size",
                "32",
            ]);
            assert!(success, "{name}: {stderr}");
        }
    }
    assert_eq!(recipes, 7);
}

#[test]
fn two_devices_train_what_one_trains_and_it_goes_on_on_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train", "test"], 12).display().to_string();
    let out = |name: &str| folder.path().join(name).display().to_string();
    let train = |name: &str, more: &[&str]| {
        let out = out(name);
        let begun = [
            "train",
            &data,
            "--out",
            &out,
            "--optimizer",
            "sgd",
            "--learning-rate",
            "0.01",
            "--schedule",
            "constant",
        ];
        let small = ["--width", "2", "--feature-dim", "8", "--epochs", "2", "--batch-size", "7", "-v"];
        let (success, _, stderr) = run(&[&begun[..], &small, more].concat());
        assert!(success, "{stderr}");
        stderr
    };
    train("one", &[]);
    let said = train("two", &["--devices", "0,0"]);
    assert!(said.contains("backend flex:0,0"), "{said}");
    let (success, _, stderr) =
        run(&["train", &data, "--resume", &out("two"), "--device", "flex:0", "--epochs", "3"]);
    assert!(success, "{stderr}");
    let losses = |name: &str| -> Vec<f64> {
        let text = fs::read_to_string(format!("{}/runs/cosface-d8-s0/epochs.json", out(name))).unwrap();
        let curve: Value = serde_json::from_str(&text).unwrap();
        let epochs = curve.as_array().cloned().unwrap_or_else(|| curve["epochs"].as_array().unwrap().clone());
        epochs.iter().map(|epoch| epoch["train_loss"].as_f64().unwrap()).collect()
    };
    let (one, two) = (losses("one"), losses("two"));
    assert_eq!((one.len(), two.len()), (2, 3));
    for (one, two) in one.iter().zip(&two) {
        assert!((one / two - 1.0).abs() < 1e-4, "{one} {two}");
    }
    let many = refused(&[
        "train",
        &data,
        "--devices",
        "0,0,0,0,0,0,0,0",
        "--batch-size",
        "7",
        "--out",
        &out("many"),
    ]);
    assert!(many.contains("8 devices cannot share batches of 7 images"), "{many}");
    assert!(!Path::new(&out("many")).exists());
    let twice = refused(&["train", &data, "--device", "flex:0", "--devices", "0,0", "--out", &out("twice")]);
    assert!(twice.contains("--devices"), "{twice}");
}
