//! A folder with a sub-folder for each class.

use std::{fs, path::Path};

use cm_data::{Collection, DataError, FolderProblem, Item, OpenOptions};
use tempfile::TempDir;

use crate::helper::{fixtures, image_bytes, message, open, summary, write_images};

fn folder(names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_images(folder.path(), names);
    folder
}

fn problem(folder: &Path) -> FolderProblem {
    match open(folder).unwrap_err() {
        DataError::Folder { problem, .. } => problem,
        other => panic!("{other}"),
    }
}

#[test]
fn each_sub_folder_is_a_class_and_classes_come_in_natural_order() {
    let folder = folder(&["10/a", "2/b", "2/deep/er/c", "Ωmega/d", "猫/e", "cat 7/f", "cat 11/g"]);
    let collection = open(folder.path()).unwrap();
    assert_eq!(collection.classes, ["2", "10", "cat 7", "cat 11", "Ωmega", "猫"]);
    let expected = [
        ("10/a", "10", None),
        ("2/b", "2", None),
        ("2/deep/er/c", "2", None),
        ("cat 11/g", "cat 11", None),
        ("cat 7/f", "cat 7", None),
        ("Ωmega/d", "Ωmega", None),
        ("猫/e", "猫", None),
    ];
    assert_eq!(summary(&collection), expected);
    assert_eq!(collection.read(2).unwrap(), image_bytes("2/deep/er/c"));
    let image = collection.image(2).unwrap();
    assert_eq!((image.width, image.height, image.channels), (2, 1, 1));
    assert!(image_bytes("2/deep/er/c").ends_with(&image.pixels));
}

#[test]
fn a_class_that_is_missing_in_one_split_keeps_its_place() {
    let folder = folder(&[
        "Train/b/1",
        "Train/c/2",
        "validation/a/3",
        "test/c/4",
        "test/b/5",
        "test/a/",
        "val/",
        "other/",
    ]);
    let collection = open(folder.path()).unwrap();
    assert_eq!(collection.classes, ["a", "b", "c"]);
    let expected = [
        ("Train/b/1", "b", Some("train")),
        ("Train/c/2", "c", Some("train")),
        ("test/b/5", "b", Some("test")),
        ("test/c/4", "c", Some("test")),
        ("validation/a/3", "a", Some("val")),
    ];
    assert_eq!(summary(&collection), expected);
}

#[test]
fn train_among_other_vehicles_is_a_class() {
    let folder = folder(&["car/1", "plane/2", "train/3"]);
    assert_eq!(open(folder.path()).unwrap().classes, ["car", "plane", "train"]);
}

#[test]
fn what_systems_leave_behind_is_passed_over_and_counted() {
    let folder = folder(&[
        "a/1",
        "b/2",
        ".git/x",
        "a/.DS_Store",
        "a/Thumbs.db",
        "b/desktop.ini",
        "__MACOSX/a/1",
        "a/.ipynb_checkpoints/1",
        "README.md",
        "b/notes.txt",
    ]);
    fs::write(folder.path().join("unknown"), "something else").unwrap();
    let collection = open(folder.path()).unwrap();
    assert_eq!(collection.len(), 2);
    let skipped = collection.skipped;
    assert_eq!((skipped.hidden, skipped.system, skipped.checkpoints, skipped.other), (2, 3, 1, 3));
    assert_eq!(
        skipped.to_string(),
        "2 hidden files, 3 files of the system, 1 checkpoint of Jupyter, 3 other files"
    );
    assert_eq!(skipped.total(), 9);
}

#[test]
fn a_name_is_one_name_however_its_accents_are_written() {
    let folder = folder(&["train/cafe\u{301}/1", "val/caf\u{e9}/2", "train/b/3"]);
    let collection = open(folder.path()).unwrap();
    assert_eq!(collection.classes, ["b", "café"]);
    assert_eq!(collection.items[1].file, "train/caf\u{e9}/1");
    assert_eq!(collection.read(1).unwrap(), image_bytes("train/cafe\u{301}/1"));
}

#[test]
fn each_way_not_to_be_a_data_set_has_its_own_message() {
    let cases: [(&[&str], &str); 7] = [
        (&["a/1", "b/2", "3"], "1 images lie in it and in none of its sub-folders, for example 3"),
        (&["train/a/1", "train/b/2", "train/3"], "1 images lie in train and in none"),
        (&["only/1", "only/2"], "every image is of the class \"only\""),
        (&["a/1", "b/2", "dog/", "猫/"], "no image in the class folders dog, 猫"),
        (&["a/", "b/"], "there are no images in it"),
        (&[], "there are no images in it"),
        (&["train/a/1", "val/a/2", "b/3"], "folders of splits (train, val) there are others (b)"),
    ];
    for (names, expected) in cases {
        let folder = folder(names);
        let message = message(open(folder.path()), folder.path());
        assert!(message.contains(expected), "{names:?}: {message}");
    }
    let folder = folder(&["images.csv", "classes.csv"]);
    let message = message(open(folder.path()), folder.path());
    assert!(message.contains("to open classes.csv, images.csv instead, name the file itself"), "{message}");
    let missing = open(Path::new("/nowhere/at-all")).unwrap_err().to_string();
    assert!(
        missing.contains("there is no file or folder /nowhere/at-all; name an image folder"),
        "{missing}"
    );
}

#[test]
fn classes_of_a_model_are_kept_and_others_are_an_error_that_names_them() {
    let folder = folder(&["cat/1", "dog/2"]);
    let with = |classes: &[&str], labels_required| {
        let classes = Some(classes.iter().map(|class| (*class).to_owned()).collect());
        Collection::open(folder.path(), &OpenOptions { classes, labels_required, ..OpenOptions::default() })
    };
    let collection = with(&["dog", "bird", "cat"], true).unwrap();
    assert_eq!(collection.classes, ["dog", "bird", "cat"]);
    assert_eq!(summary(&collection), [("cat/1", "cat", None), ("dog/2", "dog", None)]);
    let message = message(with(&["dog", "bird"], true), folder.path());
    assert!(message.contains("\"cat\" is none of the 2 classes asked for (dog, bird)"), "{message}");
    // Without required labels, folders that are no classes are only folders.
    assert_eq!(with(&["dog", "cat"], false).unwrap().items[0].label, 1);
    assert!(with(&["dog"], false).unwrap().items.iter().all(|item| item.label == Item::UNLABELED));
}

#[test]
fn images_without_classes_can_be_opened_where_no_labels_are_required() {
    let options = OpenOptions { labels_required: false, ..OpenOptions::default() };
    let folder = folder(&["1", "holiday/2"]);
    let collection = Collection::open(folder.path(), &options).unwrap();
    assert_eq!(summary(&collection), [("1", "-", None), ("holiday/2", "-", None)]);
    assert!(collection.classes.is_empty());
    let path = fixtures().join("rgb.png");
    let collection = Collection::open(&path, &options).unwrap();
    assert_eq!(summary(&collection), [("rgb.png", "-", None)]);
    assert_eq!(collection.name, "rgb");
    let message = message(open(&path), &path);
    assert!(message.contains("is no data set; give a folder"), "{message}");
}

#[cfg(unix)]
mod links {
    use std::os::unix::{ffi::OsStrExt, fs::symlink};

    use super::*;

    #[test]
    fn a_link_inside_of_the_folder_is_followed() {
        let folder = folder(&["store/1", "a/2", "b/3"]);
        symlink("../store/1", folder.path().join("a/linked")).unwrap();
        symlink("b", folder.path().join("c")).unwrap();
        let collection = open(folder.path()).unwrap();
        let files: Vec<&str> = collection.items.iter().map(|item| item.file.as_str()).collect();
        assert_eq!(files, ["a/2", "a/linked", "b/3", "c/3", "store/1"]);
        assert_eq!(collection.read(1).unwrap(), image_bytes("store/1"));
        // The folder itself may be reached by a link.
        let elsewhere = tempfile::tempdir().unwrap();
        symlink(folder.path(), elsewhere.path().join("data")).unwrap();
        assert_eq!(open(&elsewhere.path().join("data")).unwrap().len(), 5);
    }

    #[test]
    fn a_link_that_leads_out_or_nowhere_or_back_is_an_error() {
        let outside = folder(&["secret"]);
        let cases = [
            (outside.path().join("secret"), "the link b/link leads out of the folder, to"),
            (outside.path().to_owned(), "the link b/link leads out of the folder, to"),
            ("../gone".into(), "the link b/link leads nowhere"),
            ("..".into(), "the link b/link leads back to a folder that it is in"),
            (".".into(), "the link b/link leads back to a folder that it is in"),
        ];
        for (target, expected) in cases {
            let folder = folder(&["a/1", "b/2"]);
            symlink(&target, folder.path().join("b/link")).unwrap();
            let message = message(open(folder.path()), folder.path());
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn two_folders_that_lead_into_each_other_are_a_loop() {
        let folder = folder(&["a/1", "b/2"]);
        symlink("../b", folder.path().join("a/to-b")).unwrap();
        symlink("../a", folder.path().join("b/to-a")).unwrap();
        assert!(matches!(problem(folder.path()), FolderProblem::LinkLoops { .. }));
    }

    #[test]
    fn a_name_that_is_no_unicode_is_named() {
        let folder = folder(&["a/1", "b/2"]);
        fs::write(folder.path().join("b").join(std::ffi::OsStr::from_bytes(b"\xff.png")), "").unwrap();
        let name = "b/\u{fffd}.png".to_owned();
        assert_eq!(problem(folder.path()), FolderProblem::NotUnicode { name });
    }

    #[test]
    fn two_files_whose_names_are_one_are_an_error() {
        let folder = folder(&["a/1", "b/e\u{301}", "b/\u{e9}"]);
        let file = "b/\u{e9}".to_owned();
        assert_eq!(problem(folder.path()), FolderProblem::SameName { file });
    }
}
