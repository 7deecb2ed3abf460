//! `cm study`.

use std::{fs, path::Path};

use crate::shared::{refused, run};

const STUDY: &str = r#"
application = "digits"
feature-dims = [2]
seeds = [0, 1]
epochs = 1
width = 2
losses = ["Softmax", "CosFace"]
compare-with = ["CosFace"]
settings = { data = "synthetic", train_images = 128, test_images = 64, plan = { recipe = { batch_size = 64 } } }

[[arm]]
name = "CosFace outside"
loss = "CM-CosFace"
head = { margin_place = { kind = "outside", scale = 30.0 } }
"#;

const SPOILT: &str = r#"
[[arm]]
name = "CosFace + degraded"
loss = "CosFace"
degrade = { kind = "mixed", fraction = 0.5 }
"#;

fn study(folder: &Path, text: &str) -> String {
    let path = folder.join("study.toml");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn curves(out: &str) -> Vec<String> {
    let runs = fs::read_dir(Path::new(out).join("runs")).unwrap();
    let mut names: Vec<String> =
        runs.map(|run| run.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_study_compares_what_its_file_names_and_grows_by_what_is_added() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let file = study(folder.path(), STUDY);
    let (success, stdout, stderr) = run(&["study", &file, "--out", &out]);
    assert!(success, "{stderr}");
    for word in ["CosFace outside − CosFace", "Softmax − CosFace"] {
        assert!(stdout.contains(word), "{word} is not in\n{stdout}");
    }
    assert_eq!(curves(&out).len(), 6);

    // It goes on with the data it was begun with, whatever would be found now.
    let grown = STUDY.replace("data = \"synthetic\", ", "");
    let file = study(folder.path(), &format!("{grown}{SPOILT}"));
    let (success, stdout, stderr) = run(&["study", &file, "--resume", &out]);
    assert!(success, "{stderr}");
    assert!(stdout.contains("CosFace + degraded − CosFace"), "{stdout}");
    let trained: Vec<&str> = stderr.lines().filter(|line| line.contains("epoch  1/1")).collect();
    let new = |line: &&str| line.starts_with("CosFace + degraded");
    assert!(trained.len() == 2 && trained.iter().all(new), "only what is new is trained: {stderr}");
    assert_eq!(curves(&out).len(), 8);
    let stored = fs::read_to_string(Path::new(&out).join("config.json")).unwrap();
    assert!(stored.contains("CosFace + degraded"), "{stored}");
    // Without the file it goes on with all of it.
    assert!(run(&["study", "--resume", &out]).0);
}

#[test]
fn what_a_file_leaves_out_is_what_the_study_began_with() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let text = STUDY.replace("seeds = [0, 1]\nepochs = 1\n", "").replace("\"Softmax\", ", "");
    let file = study(folder.path(), &text);
    let (success, _, stderr) = run(&["study", &file, "--epochs", "1", "--seeds", "3", "--out", &out]);
    assert!(success, "{stderr}");
    let file = study(folder.path(), &format!("{text}{SPOILT}"));
    let (success, _, stderr) = run(&["study", &file, "--resume", &out]);
    assert!(success, "{stderr}");
    let trained: Vec<&str> = stderr.lines().filter(|line| line.contains("epoch  ")).collect();
    assert!(trained.len() == 1 && trained[0].contains("seed 3  epoch  1/1"), "{stderr}");
    assert!(trained[0].starts_with("CosFace + degraded"), "{stderr}");

    // The epochs may be raised in the file, and then all of it goes on.
    let more = format!("epochs = 2\n{text}{SPOILT}");
    let (success, _, stderr) = run(&["study", &study(folder.path(), &more), "--resume", &out]);
    assert!(success, "{stderr}");
    assert_eq!(stderr.lines().filter(|line| line.contains("epoch  2/2")).count(), 3, "{stderr}");
}

#[test]
fn a_study_that_is_not_one_is_refused_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let refusal = |text: &str| refused(&["study", &study(folder.path(), text), "--out", &out]);
    for (good, bad, expected) in [
        ("\"digits\"", "\"birds\"", "digits or signs"),
        ("train_images", "images", "unknown field `images`"),
        ("\"outside\"", "\"beyond\"", "CosFace outside"),
        ("[\"CosFace\"]", "[\"ArcFace\"]", "names of the losses compared"),
        ("name = \"CosFace outside\"", "name = \"CosFace\"", "values that differ"),
        ("epochs = 1", "epoch = 1", "study.toml"),
    ] {
        assert!(STUDY.contains(good));
        let message = refusal(&STUDY.replacen(good, bad, 1));
        assert!(message.contains(expected), "{bad}: {message}");
        assert!(!Path::new(&out).exists(), "{bad}");
    }
    let message = refused(&["study", "nowhere.toml"]);
    assert!(message.contains("nowhere.toml"), "{message}");
}

#[test]
fn what_a_study_has_trained_is_not_changed_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let one = STUDY.replace("[0, 1]", "[0]").replace("\"Softmax\", ", "");
    assert!(run(&["study", &study(folder.path(), &one), "--out", &out]).0);
    let before = fs::read_to_string(Path::new(&out).join("config.json")).unwrap();
    for (good, bad, expected) in [
        ("scale = 30.0", "scale = 20.0", "a name of its own"),
        ("\"digits\"", "\"signs\"", "digits"),
        ("width = 2", "width = 3", "plan.width = 2, and not with 3"),
        ("train_images = 128", "train_images = 64", "train_images = 128, and not with 64"),
        ("batch_size = 64", "batch_size = 32", "batch_size = 64, and not with 32"),
    ] {
        let file = study(folder.path(), &one.replacen(good, bad, 1));
        let message = refused(&["study", &file, "--resume", &out]);
        assert!(message.contains(expected), "{bad}: {message}");
        assert_eq!(fs::read_to_string(Path::new(&out).join("config.json")).unwrap(), before);
    }
}
