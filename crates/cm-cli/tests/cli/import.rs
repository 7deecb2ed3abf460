//! `cm import`: weights of other programs as a model.

use std::{fs, path::Path};

use crate::shared::{refused, run, write_image};

/// A narrow IResNet-18 as insightface keeps it, for images of 33 x 40 pixels, with the centers of 5 classes.
const CHECKPOINT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../cm-models/tests/models/torch/iresnet18-checkpoint.pth");

fn is_there() -> bool {
    let found = Path::new(CHECKPOINT).is_file();
    if !found {
        println!("skipped: the package alone has no checkpoint");
    }
    found
}

fn import<'a>(model: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let base = ["import", CHECKPOINT, model, "--backbone", "iresnet18", "--width", "1", "--feature-dim", "3"];
    base.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn a_checkpoint_of_insightface_becomes_a_model_that_embeds_verifies_and_predicts() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for i in 0..4 {
        let shade = |x: usize, y: usize| ((x * 7 * (i + 1) + y * 3) % 256) as u8;
        write_image(&folder.path().join(format!("images/{i}.pgm")), 48, shade);
    }
    let images = path("images");
    let (model, bare) = (path("model.safetensors"), path("bare.safetensors"));
    let whole = ["--size", "33x40", "--centers", CHECKPOINT];
    let (success, _, stderr) = run(&import(&model, &whole));
    assert!(success && stderr.contains("156 tensors taken") && stderr.contains("wrote"), "{stderr}");
    let (success, stdout, stderr) = run(&["predict", &model, &images]);
    assert!(success, "{stderr}");
    assert_eq!(stdout.lines().count(), 5, "{stdout}");
    let (success, _, stderr) = run(&import(&bare, &["--size", "33x40"]));
    assert!(success, "{stderr}");
    let features = |model: &str| {
        let file = path("features.npy");
        let (success, _, stderr) = run(&["embed", model, &images, "--npy", &file]);
        assert!(success, "{stderr}");
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(file).unwrap();
        bytes
    };
    assert_eq!(features(&model), features(&bare));
    // Of gray images the order of the channels does not matter, and without a change of it the file is the same.
    let reversed = path("reversed.safetensors");
    let (success, _, stderr) = run(&import(&reversed, &["--size", "33x40", "--bgr"]));
    assert!(success, "{stderr}");
    assert_ne!(fs::read(&reversed).unwrap(), fs::read(&bare).unwrap());
    let names = path("names.txt");
    fs::write(&names, "a\nb\nc\nd\ne\n").unwrap();
    let (success, _, stderr) = run(&import(&model, &[&whole[..], &["--classes", &names]].concat()));
    assert!(success, "{stderr}");
    let (success, stdout, _) = run(&["predict", &model, &images]);
    assert!(
        success && stdout.lines().skip(1).all(|line| "abcde".contains(&line.split(',').nth(1).unwrap()[..1]))
    );
}

#[test]
fn what_does_not_fit_is_listed_and_nothing_is_written() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model.safetensors").display().to_string();
    let names = folder.path().join("names.txt");
    fs::write(&names, "only one\n").unwrap();
    let names = names.display().to_string();
    let fitting = ["--size", "33x40", "--centers", CHECKPOINT, "--classes", &names];
    for (more, parts) in [
        // 112 pixels make another last layer.
        (&[][..], &["fc.weight", "1 of the tensors", "--size"][..]),
        (&["--size", "33x40", "--mean", "0.5,0.5"], &["--mean has 2 numbers", "3 channels"]),
        (&fitting, &["has 1 lines", "5 class centers"]),
        (&["--size", "33x40", "--centers", "/no/such.pth"], &["/no/such.pth"]),
    ] {
        let message = refused(&import(&model, more));
        assert!(parts.iter().all(|part| message.contains(part)), "{more:?}: {message}");
    }
    let other =
        ["import", CHECKPOINT, &model, "--backbone", "resnet18", "--width", "1", "--feature-dim", "3"];
    let message = refused(&other);
    assert!(
        message.contains("14 of the tensors of resnet18") && message.contains("conv1.weight"),
        "{message}"
    );
    // A deeper network leaves some tensors without a value; what would fit is said.
    let message = refused(&[
        "import",
        CHECKPOINT,
        &model,
        "--backbone",
        "iresnet34",
        "--width",
        "1",
        "--feature-dim",
        "3",
        "--size",
        "33x40",
    ]);
    assert!(message.contains("its blocks are those of iresnet18"), "{message}");
    assert!(!Path::new(&model).exists());
}
