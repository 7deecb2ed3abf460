//! `cm verify`: a model on pairs of images.

use std::{fs, path::Path};

use cm_data::{OpenOptions, PairSet};
use serde_json::Value;

use crate::{
    look::{Trained, trained},
    shared::{refused, run},
};

/// Pairs of stripes in two folds: within a direction, and across.
fn pairs(folder: &Path) -> String {
    let mut text = "first,second,same,fold\n".to_owned();
    for i in 0..12 {
        let (a, b, fold) = (format!("{}_{}", i / 3, i % 3), format!("{}_{}", i / 3 + 4, i % 3), i % 2);
        text += &format!("down/{a}.pgm,down/{b}.pgm,1,{fold}\nacross/{a}.pgm,across/{b}.pgm,1,{fold}\n");
        text += &format!("down/{a}.pgm,across/{b}.pgm,0,{fold}\nacross/{a}.pgm,down/{b}.pgm,0,{fold}\n");
    }
    let path = folder.join("pairs.csv");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn json(arguments: &[&str]) -> Value {
    let (success, stdout, stderr) = run(arguments);
    assert!(success, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

#[test]
fn pairs_are_told_apart_with_every_score_and_undefined_rates_are_said() {
    let Trained { folder, model, images } = trained();
    let (pairs, root) = (pairs(folder.path()), images.display().to_string());
    let out = folder.path().join("verified");
    let command = ["verify", &model, &pairs, "--root", &root, "--views", "one"];
    let (success, stdout, stderr) = run(&[&command[..], &["--out", &out.display().to_string()]].concat());
    assert!(success, "{stderr}");
    for part in ["48 pairs, 24 of one person and 24 of two", "over 2 folds", "equal error rate", "(at most)"]
    {
        assert!(stdout.contains(part), "{stdout}");
    }
    // Of 24 pairs none can be a hundredth.
    assert!(stdout.contains("1e-2             –  less than one of 24 pairs of two people"), "{stdout}");
    let table = fs::read_to_string(out.join("scores.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + 48);
    assert!(
        table.starts_with(
            "first,second,same,fold,score,norm_first,norm_second\ndown/0_0.pgm,down/4_0.pgm,1,0,"
        )
    );
    // The model was trained on these two directions.
    assert!(
        stderr.contains("warning: 48 of 48 pairs show somebody who, by the name, was learned"),
        "{stderr}"
    );
    assert!(out.join("verification.svg").is_file() && out.join("verification.png").is_file());

    let cosine = json(&[&command[..], &["--json", "--far", "0.1,0.05"]].concat());
    assert!(cosine["accuracy"].as_f64().unwrap() > 0.8 && cosine["auc"].as_f64().unwrap() > 0.85, "{cosine}");
    assert_eq!(cosine["folds"].as_array().unwrap().len(), 2);
    assert_eq!(cosine["pairs_of_learned"], 48);
    assert!(cosine["tar_at_far"][0]["tar"].as_f64().unwrap() > 0.5);
    assert!(cosine["tar_at_far"][0]["far_found"].as_f64().unwrap() <= 0.1);
    // The squared distance of unit features is the cosine with another scale.
    let distance = json(&[&command[..], &["--json", "--score", "distance", "--far", "0.1,0.05"]].concat());
    for name in ["auc", "eer", "accuracy"] {
        let difference = cosine[name].as_f64().unwrap() - distance[name].as_f64().unwrap();
        assert!(difference.abs() < 1e-9, "{name}: {difference}");
    }
    let grid = [&command[..], &["--json", "--score", "distance", "--thresholds", "grid"]].concat();
    assert!(json(&grid)["accuracy"].as_f64().unwrap() > 0.8);
    for more in
        [&["--score", "raw"][..], &["--quality-aware"], &["--quality-aware=0.5,0.5"], &["--views", "flip"]]
    {
        let base = if more[0] == "--views" { &command[..5] } else { &command[..] };
        let found = json(&[base, more, &["--json"]].concat());
        assert!(found["auc"].as_f64().unwrap() > 0.5, "{more:?}: {found}");
    }
    // Which rates there are depends on the model; the rules themselves are tested where they are.
    let rate = |rule: &str| {
        let found = json(&[&command[..], &["--json", "--far", "0.06", "--far-rule", rule]].concat());
        assert_eq!(found["far_rule"], rule.replace('-', " "));
        found["tar_at_far"][0]["far_found"].as_f64().unwrap()
    };
    let (at_most, nearest) = (rate("at-most"), rate("nearest"));
    assert!(at_most <= 0.06 && (0.0..=1.0).contains(&nearest), "{at_most} {nearest}");
}

#[test]
fn a_verification_set_of_insightface_is_read_as_it_is() {
    let Trained { folder: _folder, model, .. } = trained();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cm-data/tests/data/faces");
    let set = |name: &str| fixtures.join(name).display().to_string();
    let found = json(&["verify", &model, &set("python2-2.bin"), "--json"]);
    assert_eq!((found["pairs"].as_u64(), found["mated"].as_u64()), (Some(4), Some(2)), "{found}");
    assert!(found["auc"].as_f64().is_some());
    assert_eq!(found["pairs_of_learned"], 0);
    assert_eq!(found, json(&["verify", &model, &set("python3-4.bin"), "--json"]));
    let message = refused(&["verify", &model, &set("evil.bin")]);
    assert!(message.contains("evil.bin") && message.contains("posix.system"), "{message}");
}

#[test]
#[cfg_attr(
    not(cm_data),
    ignore = "LFW is not on this machine: CM_DATA_DIR names the folder that holds mnist/ and lfw/"
)]
fn the_protocols_of_lfw_are_whole() {
    let folder = Path::new(env!("CM_TEST_DATA")).join("lfw");
    for (name, pairs, folds) in
        [("pairs.txt", 6000, 10), ("pairsDevTrain.txt", 2200, 10), ("pairsDevTest.txt", 1000, 10)]
    {
        let set = PairSet::open(&folder.join(name), &OpenOptions::default())
            .unwrap_or_else(|error| panic!("{error}"));
        let same = set.pairs.iter().filter(|pair| pair.same).count();
        assert_eq!((set.pairs.len(), same, set.folds()), (pairs, pairs / 2, folds), "{name}");
    }
}

#[test]
fn pairs_of_missing_and_broken_images_are_errors_that_stay_in_the_count() {
    let Trained { folder, model, images } = trained();
    let (pairs, root) = (pairs(folder.path()), images.display().to_string());
    let command = ["verify", &model, &pairs, "--root", &root, "--json"];
    let before = json(&command);
    fs::remove_file(images.join("down/0_0.pgm")).unwrap();
    fs::write(images.join("across/5_2.pgm"), "no image").unwrap();
    let message = refused(&command);
    assert!(message.contains("1 of the 48 images") && message.contains("down/0_0.pgm"), "{message}");
    let message = refused(&[&command[..], &["--skip-bad", "1"]].concat());
    assert!(message.contains("2 of 48 images cannot be read, more than the 1"), "{message}");
    let found = json(&[&command[..], &["--skip-bad", "2"]].concat());
    assert_eq!(found["pairs"], 48);
    let unread: Vec<&str> = found["unread"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(unread, ["down/0_0.pgm", "across/5_2.pgm"]);
    assert!(found["accuracy"].as_f64() < before["accuracy"].as_f64());
    let (success, stdout, _) = run(&[&command[..5], &["--skip-bad", "2"]].concat());
    assert!(
        success && stdout.contains("2 images are missing or cannot be read; their pairs are accepted by no")
    );
}

#[test]
fn what_cannot_be_verified_is_said_and_nothing_panics() {
    let Trained { folder, model, images } = trained();
    let root = images.display().to_string();
    let file = folder.path().join("pairs.csv");
    let text = file.display().to_string();
    // A fold whose others have no pair of two.
    fs::write(
        &file,
        "first,second,same,fold\ndown/0_0.pgm,down/1_0.pgm,1,0\ndown/0_0.pgm,across/1_0.pgm,0,0\ndown/0_1.pgm,down/1_1.pgm,1,1\n",
    )
    .unwrap();
    let command = ["verify", &model, &text, "--root", &root];
    let (success, stdout, stderr) = run(&command);
    assert!(success && stdout.contains("accuracy – (a fold has no pair"), "{stdout}{stderr}");
    // Pairs of one kind alone.
    fs::write(&file, "first,second,same\ndown/0_0.pgm,down/1_0.pgm,1\n").unwrap();
    let (success, stdout, stderr) = run(&command);
    assert!(
        success && stdout.contains("ROC curve –") && stdout.contains("equal error rate –"),
        "{stdout}{stderr}"
    );
    let found = json(&[&command[..], &["--json"]].concat());
    assert!(found["auc"].is_null() && found["tar_at_far"][0]["tar"].is_null() && found["accuracy"].is_null());
    let with = |more: &[&str]| refused(&[&command[..], more].concat());
    assert!(with(&["--quality-aware", "--score", "raw"]).contains("--quality-aware changes the cosine"));
    assert!(with(&["--thresholds", "grid"]).contains("add --score distance"));
    assert!(with(&["--far", "2"]).contains("give numbers between 0 and 1"));
    assert!(with(&["--quality-aware=x"]).contains("give two numbers"));
    fs::write(&file, "down\n").unwrap();
    assert!(with(&[]).contains("its first line is \"down\""));
    let missing = refused(&["verify", &model, "/no/such/pairs.txt"]);
    assert!(missing.contains("/no/such/pairs.txt"), "{missing}");
}
