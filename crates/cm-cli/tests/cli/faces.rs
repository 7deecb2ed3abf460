//! `cm reproduce faces`.

use std::{fs, path::Path};

use serde_json::Value;

use crate::shared::{refused, run, study};

const SMALL: &str = "reproduce faces --backbone lenet++ --width 2 --epochs 1 --size 24 --out";

#[test]
fn without_data_the_study_is_done_on_faces_that_nothing_calls_lfw() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let text = out.display().to_string();
    let options = "--feature-dim 8 --data synthetic --synthetic-people 40 --losses Softmax,CosFace,CM-CosFace --seeds 0,1";
    let (success, stdout, stderr) = study(SMALL, &out, options);
    assert!(success, "{stderr}");
    assert!(
        stderr.contains("36 people learned, ") && stderr.contains("20 people tested, 80 pairs"),
        "{stderr}"
    );
    for word in [
        "of both images",
        "of the second image",
        "All seeds together",
        "PCA",
        "pixels",
        "CM-CosFace − CosFace",
        "DeLong",
        "McNemar",
    ] {
        assert!(stdout.contains(word), "{word} is not in\n{stdout}");
    }
    assert!(!stdout.contains("LFW") && !stderr.contains("LFW"), "{stdout}{stderr}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("synthetic faces") && !page.contains("LFW"));
    for picture in
        ["roc-8d", "left-out-8d", "shortest-and-longest-8d", "accuracy-by-severity-8d", "norm-by-severity-8d"]
    {
        assert!(out.join(format!("{picture}.png")).is_file() && page.contains(picture), "{picture}");
    }
    let csv = fs::read_to_string(out.join("results.csv")).unwrap();
    for metric in ["tar_at_far_0.1", "rank_1", "map_at_r", "pauc_best", "valid_auc", "probe=4", "gallery=1"] {
        assert!(csv.contains(metric), "{metric}");
    }
    // A training goes on with the people that it began with.
    let (success, _, stderr) = run(&["reproduce", "faces", "--resume", &text]);
    assert!(success, "{stderr}");
}

#[test]
fn pairs_are_no_points_in_the_picture_of_two_dimensional_features() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let options = "--feature-dim 2 --data synthetic --synthetic-people 40 --losses Softmax";
    let (success, _, stderr) = study(SMALL, &out, options);
    assert!(success, "{stderr}");
    assert!(out.join("roc-2d.png").is_file() && !out.join("features.png").exists());
    let (success, _, stderr) = run(&["report", &out.display().to_string()]);
    assert!(success, "{stderr}");
}

/// A folder like that of LFW: images of noise, a person a folder, and the protocol.
fn lfw(folder: &Path) {
    let data = folder.join("lfw");
    let mut files = [String::new(), String::new()];
    let mut counts = [0; 2];
    for person in 0..30 {
        let (side, name) = (usize::from(person >= 20), format!("Person_{person:02}"));
        let images = 1 + person % 4;
        files[side] += &format!("{name}\t{images}\n");
        counts[side] += 1;
        for number in 1..=images {
            let path = data.join("images").join(&name).join(format!("{name}_{number:04}.jpg"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut bytes = b"P6 250 250 255\n".to_vec();
            bytes.extend((0..250 * 250 * 3).map(|i| ((i / 3 * (person + 3) + number * 7) % 251) as u8));
            fs::write(path, bytes).unwrap();
        }
    }
    for (side, name) in [(0, "peopleDevTrain.txt"), (1, "peopleDevTest.txt")] {
        fs::write(data.join(name), format!("{}\n{}", counts[side], files[side])).unwrap();
    }
    // The people tested from 20 on have 1, 2, 3, 4, 1, … images.
    let mut pairs = "5\n".to_owned();
    for name in ["Person_21", "Person_22", "Person_23", "Person_25", "Person_26"] {
        pairs += &format!("{name}\t1\t2\n");
    }
    for other in 23..28 {
        pairs += &format!("Person_22\t1\tPerson_{}\t1\n", if other == 24 { 29 } else { other });
    }
    fs::write(data.join("pairsDevTest.txt"), pairs).unwrap();
}

fn study_of(folder: &Path, options: &str) -> (bool, String, String) {
    let options = format!("--feature-dim 8 --data-dir {} --losses Softmax {options}", folder.display());
    study(SMALL, &folder.join("out"), &options)
}

#[test]
fn the_protocol_of_lfw_is_followed_and_nobody_is_learned_and_tested_on() {
    let folder = tempfile::tempdir().unwrap();
    lfw(folder.path());
    let (success, _, stderr) = study_of(folder.path(), "");
    assert!(success && stderr.contains("LFW: "), "{stderr}");
    // Of 20 people 15 have two images or more, of whom two are left out.
    assert!(
        stderr.contains("13 people learned") && stderr.contains("10 people tested, 10 pairs"),
        "{stderr}"
    );
    let results = fs::read_to_string(folder.path().join("out/results.json")).unwrap();
    assert!(results.contains("images by name") && results.contains("pairsDevTest.txt"));
    // The model takes images as they are stored.
    let model = walk(&folder.path().join("out"));
    let pairs = folder.path().join("lfw/pairsDevTest.txt").display().to_string();
    let (success, stdout, stderr) = run(&["verify", &model, &pairs]);
    assert!(success && stdout.contains("10 pairs, 5 of one person"), "{stdout}{stderr}");
    let (_, stdout, _) = run(&["verify", &model, &pairs, "--json"]);
    let found: Value = serde_json::from_str(&stdout).unwrap();
    let results: Value = serde_json::from_str(&results).unwrap();
    let measured = results["runs"][0]["measurements"].as_array().unwrap().iter();
    for metric in ["auc", "accuracy"] {
        let of_study = measured.clone().find(|of| of["metric"] == metric && of["stratum"] == "").unwrap();
        let difference = found[metric].as_f64().unwrap() - of_study["value"].as_f64().unwrap();
        assert!(difference.abs() < 1e-9, "{metric}: {found} and {of_study}");
    }
}

/// The model file of a study with one run.
fn walk(folder: &Path) -> String {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name == "model.safetensors") {
                return path.display().to_string();
            }
        }
    }
    panic!("no model")
}

#[test]
fn what_is_wrong_with_the_protocol_or_the_images_is_named() {
    let refused_after = |change: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        lfw(folder.path());
        change(&folder.path().join("lfw"));
        let (success, _, stderr) = study_of(folder.path(), "");
        assert!(!success && !stderr.contains("panicked"), "{stderr}");
        assert!(!folder.path().join("out/results.json").exists() || stderr.contains("error: "));
        stderr
    };
    let replace = |file: &'static str, from: &'static str, to: &'static str| {
        move |data: &Path| {
            let text = fs::read_to_string(data.join(file)).unwrap();
            fs::write(data.join(file), text.replacen(from, to, 1)).unwrap();
        }
    };
    let message = refused_after(&|data| fs::remove_file(data.join("peopleDevTest.txt")).unwrap());
    assert!(message.contains("peopleDevTest.txt is not there"), "{message}");
    let message = refused_after(&replace("peopleDevTrain.txt", "20\n", "21\n"));
    assert!(message.contains("lists 20 people and announces 21"), "{message}");
    let message = refused_after(&replace("peopleDevTest.txt", "Person_20\t1", "Person_05\t2"));
    assert!(message.contains("Person_05 is in both"), "{message}");
    let message = refused_after(&replace("peopleDevTrain.txt", "Person_03\t4", "Person_03\tfour"));
    assert!(message.contains("line 5 is \"Person_03\tfour\""), "{message}");
    let message =
        refused_after(&|data| fs::remove_file(data.join("images/Person_07/Person_07_0002.jpg")).unwrap());
    assert!(message.contains("Person_07/Person_07_0002.jpg") && message.contains("1 of the "), "{message}");
    let message = refused_after(&replace("pairsDevTest.txt", "Person_21\t1\t2", "Person_03\t1\t2"));
    assert!(message.contains("Person_03/Person_03_0001.jpg, which is none of the people"), "{message}");
    let message = refused_after(&|data| fs::rename(data.join("images"), data.join("../elsewhere")).unwrap());
    assert!(message.contains("there is no folder of images"), "{message}");
    let message = refused_after(&|data| {
        fs::write(data.join("images/Person_22/Person_22_0001.jpg"), "no image").unwrap();
    });
    assert!(message.contains("Person_22_0001.jpg"), "{message}");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let message = refused(&["reproduce", "faces", "--data", "lfw", "--data-dir", &data]);
    assert!(message.contains("there is nothing of LFW"), "{message}");
}
