//! Folders and lists in zip files.

use std::{fs, path::PathBuf};

use cm_data::{Collection, DataError, OpenOptions, ReadLimits, ZipProblem};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::helper::{image_bytes, message, open, summary, write_images, zip_bytes, zip_of_images};

fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.zip");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn opened(bytes: &[u8]) -> Result<Collection, DataError> {
    let (_folder, path) = file(bytes);
    open(&path)
}

fn problem(bytes: &[u8]) -> ZipProblem {
    match opened(bytes).unwrap_err() {
        DataError::Zip { problem, .. } => problem,
        other => panic!("{other}"),
    }
}

/// Changes bytes everywhere.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> =
        (0..=bytes.len() - from.len()).filter(|&at| bytes[at..].starts_with(from)).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to));
    bytes
}

/// Changes a field of every header in the central directory.
fn with_field(bytes: &[u8], offset: usize, value: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len() - 46 {
        if bytes[at..].starts_with(b"PK\x01\x02") {
            bytes[at + offset..at + offset + value.len()].copy_from_slice(value);
        }
    }
    bytes
}

#[test]
fn a_zipped_folder_is_the_same_data_as_the_folder() {
    let names = ["train/a/1", "train/猫/deep/2", "val/a/3", "val/.hidden", "__MACOSX/x", "__MACOSX/y"];
    let (_folder, path) = file(&zip_of_images(&names));
    let in_folder = tempfile::tempdir().unwrap();
    write_images(in_folder.path(), &names);
    let (zipped, plain) = (open(&path).unwrap(), open(in_folder.path()).unwrap());
    assert_eq!(zipped.name, "data");
    assert_eq!(summary(&zipped), summary(&plain));
    assert_eq!((zipped.classes.clone(), zipped.skipped), (plain.classes.clone(), plain.skipped));
    for index in 0..zipped.len() {
        assert_eq!(zipped.read(index).unwrap(), plain.read(index).unwrap());
        assert_eq!(zipped.image(index).unwrap(), plain.image(index).unwrap());
    }
    assert_eq!(zipped.checksum().unwrap(), plain.checksum().unwrap());
}

#[test]
fn one_folder_around_everything_is_left_out_of_the_names() {
    let plain = vec![("a/1", "a", None), ("b/2", "b", None)];
    let split = vec![("train/a/1", "a", Some("train")), ("train/b/2", "b", Some("train"))];
    let cases: [(&[&str], _); 3] = [
        (&["set/", "set/a/1", "set/b/2", "__MACOSX/z", ".DS_Store"], plain),
        (&["set/train/a/1", "set/train/b/2", "README.md"], split.clone()),
        (&["train/a/1", "train/b/2"], split),
    ];
    for (names, expected) in cases {
        assert_eq!(summary(&opened(&zip_of_images(names)).unwrap()), expected, "{names:?}");
    }
    let one_class = opened(&zip_of_images(&["cat/1", "cat/2"])).unwrap_err().to_string();
    assert!(one_class.contains("every image is of the class \"cat\""), "{one_class}");
    let empty = opened(&zip_of_images(&["a/1", "b/2", "c/"])).unwrap_err().to_string();
    assert!(empty.contains("no image in the class folders c"), "{empty}");
}

#[test]
fn a_list_in_an_archive_is_read_with_its_images() {
    let list = b"path;label\nimages/1;a\nimages/2;b\n";
    let image = image_bytes("");
    for top in ["", "set/"] {
        let names = ["list.csv", "images/1", "images/2", "other/3"].map(|name| format!("{top}{name}"));
        let [list_name, rest @ ..] = &names;
        let mut entries: Vec<(&str, &[u8])> = vec![(list_name, list)];
        entries.extend(rest.iter().map(|name| (name.as_str(), image.as_slice())));
        let readme = format!("{top}README.txt");
        entries.push((&readme, b"All images are mine."));
        let collection = opened(&zip_bytes(&entries)).unwrap();
        assert_eq!(summary(&collection), [("images/1", "a", None), ("images/2", "b", None)]);
        let again = format!("{top}again.csv");
        entries.push((&again, list));
        let names = vec!["again.csv".to_owned(), "list.csv".to_owned()];
        assert_eq!(problem(&zip_bytes(&entries)), ZipProblem::SeveralLists { names });
    }
    let climbing =
        zip_bytes(&[("list.csv", b"path,label\n../1,a\n/2,b\n"), ("a/1", &image), ("a/2", &image)]);
    let message = opened(&climbing).unwrap_err().to_string();
    assert!(message.contains("2 of its 2 files are not in"), "{message}");
}

#[test]
fn names_that_lead_out_of_the_archive_are_refused() {
    let good = zip_of_images(&["aaaaaa/1", "b/2"]);
    for name in ["../../x1", "a/../../", "/aaaaa/1", "C:/aaa/1", "..\\aaa/1", "a\\..\\..1"] {
        assert!(matches!(
            problem(&replaced(&good, b"aaaaaa/1", name.as_bytes())),
            ZipProblem::UnsafeName { .. }
        ));
    }
    let control = problem(&replaced(&good, b"aaaaaa/1", b"a\n\0aaa/1"));
    assert_eq!(control, ZipProblem::UnsafeName { name: "a\\n\\0aaa/1".to_owned() });
    let bytes = problem(&replaced(&good, b"aaaaaa/1", b"\xffaaaaa/1"));
    assert_eq!(bytes, ZipProblem::NotUnicode { name: "\u{fffd}aaaaa/1".to_owned() });
    // Other systems' separators are only separators.
    let backslash = opened(&replaced(&good, b"aaaaaa/1", b"aaaaaa\\1")).unwrap();
    assert_eq!(backslash.items[0].file, "aaaaaa/1");
    let twice = zip_of_images(&["a/1", "a/2", "b/3"]);
    assert_eq!(problem(&replaced(&twice, b"a/2", b"a/1")), ZipProblem::Repeated);
    let forms = problem(&zip_of_images(&["a/e\u{301}", "a/\u{e9}", "b/3"]));
    assert_eq!(forms, ZipProblem::SameName { name: "a/\u{e9}".to_owned() });
}

#[test]
fn encrypted_linked_and_strangely_packed_entries_are_refused() {
    let good = zip_of_images(&["a/1", "b/2"]);
    assert_eq!(problem(&with_field(&good, 8, &[1, 0])), ZipProblem::Encrypted { name: "a/1".to_owned() });
    let packed = problem(&with_field(&good, 10, &[12, 0])).to_string();
    assert!(packed.contains("\"a/1\" is packed by") && packed.contains("pack it again"), "{packed}");
    // Made on Unix, with the mode of a link.
    let link = with_field(&with_field(&good, 5, &[3]), 40, &0o120_777u16.to_le_bytes());
    assert_eq!(problem(&link), ZipProblem::Link { name: "a/1".to_owned() });
}

#[test]
fn an_entry_that_is_not_as_long_as_announced_is_refused() {
    let (_folder, path) = file(&zip_of_images(&["a/1", "b/2"]));
    let good = fs::read(&path).unwrap();
    let size = image_bytes("a/1").len() as u32;
    for (announced, expected) in [
        (size - 1, "a/1: File is larger than its declared uncompressed size"),
        (size + 1, "\"a/1\" announces 14 bytes but holds 13"),
    ] {
        fs::write(&path, with_field(&good, 24, &announced.to_le_bytes())).unwrap();
        let message = message(open(&path).unwrap().read(0), &path);
        assert!(message.contains(expected), "{message}");
    }
    fs::write(&path, with_field(&good, 16, &[1, 2, 3, 4])).unwrap();
    let message = message(open(&path).unwrap().read(0), &path);
    assert!(message.contains("a/1: ") && message.contains("damaged"), "{message}");
}

#[test]
fn what_no_archive_has_is_refused_before_memory_is_taken() {
    let good = zip_of_images(&["a/1", "b/2"]);
    let packed = problem(&with_field(&good, 20, &(good.len() as u32 + 1).to_le_bytes())).to_string();
    assert!(packed.contains("a/1: it announces more packed bytes than the archive has"), "{packed}");
    let deep = ["a/".repeat(2048), "1".to_owned()].concat();
    let name = problem(&zip_of_images(&[&deep, "b/2"])).to_string();
    assert!(name.contains("\"a/a/a/") && name.contains("has 4097 bytes, more than the 4096"), "{name}");
    let deep = ["a/".repeat(2047), "1".to_owned()].concat();
    assert_eq!(opened(&zip_of_images(&[&deep, "b/2"])).unwrap().classes, ["a", "b"]);
}

#[test]
fn archives_that_announce_too_much_are_refused() {
    let zeros = vec![0; 17 << 20];
    let bomb = zip_bytes(&[("a/1", &zeros), ("b/2", &image_bytes(""))]);
    let message = problem(&bomb).to_string();
    assert!(
        message.contains("\"a/1\" announces 17825792 bytes from")
            && message.contains("if you trust it, unpack it"),
        "{message}"
    );
    // Each entry below the size from which the ratio counts, all together above it.
    let some = &zeros[..9 << 20];
    let message = problem(&zip_bytes(&[("a/1", some), ("b/2", some)])).to_string();
    assert!(message.contains("everything in it together announces 18874368 bytes"), "{message}");
    let (_folder, path) = file(&zip_of_images(&["a/1", "b/2"]));
    let read = ReadLimits { file: 12, ..ReadLimits::default() };
    let result = Collection::open(&path, &OpenOptions { read, ..OpenOptions::default() });
    let message = crate::helper::message(result, &path);
    assert!(message.contains("\"a/1\" announces 13 bytes, more than the 12 allowed"), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn a_changed_archive_is_read_or_an_error_but_never_a_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = zip_bytes(&[
            ("set/list.csv", b"path,label\n1,a\n2,b\n"), ("set/1", b"P5 1 1 255 x"), ("set/2", b"P5 1 1 255 y"),
        ]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes.splice(..bytes.len().min(4), *b"PK\x03\x04");
        let (_folder, path) = file(&bytes);
        if let Ok(collection) = open(&path) {
            for index in 0..collection.len() {
                let _ = collection.image(index);
            }
        }
    }
}
