//! Data that cannot be trained on: each gets its own error, and nothing half-written stays behind.

use std::fs;

use crate::shared::{cm, refused, striped, write_image};

fn trained_on(data: &std::path::Path) -> String {
    let out = data.parent().unwrap().join("out");
    let message = refused(&[
        "train",
        &data.display().to_string(),
        "--out",
        &out.display().to_string(),
        "--epochs",
        "1",
    ]);
    assert!(!out.exists(), "{message}");
    message
}

#[test]
fn folders_without_classes_or_images_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let missing = trained_on(&data);
    let text = data.display().to_string();
    assert!(missing.contains(&format!("there is no file or folder {text};")), "{missing}");
    fs::create_dir(&data).unwrap();
    let empty = trained_on(&data);
    assert!(
        empty.contains(&text)
            && empty.contains("there are no images in it; put a folder with images into it for each class"),
        "{empty}"
    );
    write_image(&data.join("one.pgm"), 8, |x, _| x as u8);
    let flat = trained_on(&data);
    assert!(
        flat.contains(&text)
            && flat.contains("1 images lie in it and in none of its sub-folders, for example one.pgm"),
        "{flat}"
    );
    fs::remove_file(data.join("one.pgm")).unwrap();
    write_image(&data.join("only/one.pgm"), 8, |x, _| x as u8);
    let single = trained_on(&data);
    assert!(single.contains("only") && single.contains("one class"), "{single}");
    fs::create_dir(data.join("nothing-in-it")).unwrap();
    let hollow = trained_on(&data);
    assert!(hollow.contains("nothing-in-it"), "{hollow}");
}

#[test]
fn files_that_cannot_be_used_are_listed_and_may_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train"], 12);
    fs::write(data.join("train/down/zero.png"), "").unwrap();
    let image = fs::read(data.join("train/down/0_0.pgm")).unwrap();
    fs::write(data.join("train/across/cut.pgm"), &image[..40]).unwrap();
    let message = trained_on(&data);
    assert!(message.contains("zero.png") && message.contains("cut.pgm"), "{message}");
    assert!(message.contains("2 of the 26 images"), "{message}");
    let out = folder.path().join("out").display().to_string();
    let text = data.display().to_string();
    let options = "--epochs 1 --backbone lenet++ --width 2 --skip-bad 2 --out";
    let arguments: Vec<&str> =
        ["train", &text].into_iter().chain(options.split_whitespace()).chain([out.as_str()]).collect();
    let (success, stdout, stderr) = crate::shared::run(&arguments);
    assert!(success, "{stderr}");
    assert!(stderr.contains("left out 2"), "{stdout}{stderr}");
    let page = fs::read_to_string(format!("{out}/report.html")).unwrap();
    assert!(page.contains("cut.pgm") && page.contains("zero.png"));
}

#[test]
fn a_model_refuses_classes_that_it_does_not_know_and_files_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train"], 12);
    let text = data.display().to_string();
    let out = folder.path().join("out").display().to_string();
    let options = "--epochs 1 --backbone lenet++ --width 2 --out";
    let arguments: Vec<&str> =
        ["train", &text].into_iter().chain(options.split_whitespace()).chain([out.as_str()]).collect();
    assert!(crate::shared::run(&arguments).0);
    let model = format!("{out}/model.safetensors");
    write_image(&data.join("train/novel/1.pgm"), 16, |x, _| x as u8);
    let message = refused(&["eval", &model, &text]);
    assert!(message.contains("novel") && message.contains("across"), "{message}");
    let message = refused(&["eval", &format!("{out}/results.csv"), &text]);
    assert!(message.contains("results.csv"), "{message}");
    let message = refused(&["eval", "/no/such/model.safetensors", &text]);
    assert!(message.contains("/no/such/model.safetensors"), "{message}");
}

#[test]
fn numbers_that_no_training_can_use_are_refused_with_the_name_of_their_option() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train"], 4).display().to_string();
    let cases = [
        (["--epochs", "0"], "--epochs must be at least 1"),
        (["--batch-size", "0"], "--batch-size"),
        (["--learning-rate", "-1"], "--learning-rate must be a number above 0"),
        (["--width", "0"], "--width"),
        (["--validation", "1.5"], "--validation must be at least 0 and below 1"),
        (["--backbone", "vgg"], "possible values: lenet++"),
        (["--size", "0"], "--size"),
        (["--margin", "7"], "margin"),
        // Known only when the data are.
        (["--width", "100000000"], "the width of lenet++ must be from 1 to 65536, but is 100000000"),
        (["--class-weights", "1,2,3"], "3 class weights were given for 2 classes"),
        (["--size", "4"], "takes images of at least"),
        (["--schedule", "sine"], "possible values: constant, cosine, one-cycle, step"),
    ];
    for (option, expected) in cases {
        let joined = format!("{}={}", option[0], option[1]);
        let output = cm(&["train", &data, &joined]).current_dir(folder.path()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && stderr.contains(expected), "{option:?}: {stderr}");
        assert!(!folder.path().join("runs").exists(), "{option:?}");
    }
}

#[test]
fn data_without_images_to_learn_from_or_with_a_group_on_two_sides_name_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["val", "test"], 4);
    let message = trained_on(&data);
    assert!(
        message.contains(&data.display().to_string()) && message.contains("no images to train on"),
        "{message}"
    );

    let list = folder.path().join("list.csv");
    let rows = "path,label,group,split\nstripes/val/down/0_0.pgm,down,a,train\nstripes/val/across/0_0.pgm,across,b,\n\
                stripes/test/down/0_0.pgm,down,a,test\n";
    fs::write(&list, rows).unwrap();
    let message = trained_on(&list);
    assert!(message.contains("the group \"a\"") && message.contains("--allow-shared-groups"), "{message}");
    let options =
        ["train", &list.display().to_string(), "--allow-shared-groups", "--dry-run", "--width", "2"];
    let (success, _, stderr) = crate::shared::run(&options);
    assert!(success, "{stderr}");
}
