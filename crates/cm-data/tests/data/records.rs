//! Record files as insightface and im2rec pack them (`tools/face_fixtures.py`).

use std::{
    fs,
    path::{Path, PathBuf},
};

use cm_data::{Collection, DataError, OpenOptions, RecordProblem};
use tempfile::TempDir;

use crate::helper::image_bytes;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/faces").join(name)
}

fn open(path: &Path) -> Result<Collection, DataError> {
    Collection::open(path, &OpenOptions::default())
}

/// A copy of a record file and its index, to be spoilt.
fn copied(name: &str) -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let [records, index] = ["rec", "idx"].map(|ending| folder.path().join(format!("some.{ending}")));
    fs::copy(fixture(&format!("{name}.rec")), &records).unwrap();
    fs::copy(fixture(&format!("{name}.idx")), &index).unwrap();
    (folder, records, index)
}

fn problem(path: &Path) -> RecordProblem {
    match open(path).unwrap_err() {
        DataError::Record { problem, path: named } => {
            assert_eq!(named, path);
            problem
        }
        other => panic!("{other}"),
    }
}

/// The largest channel of every image: 0 for red, 1 for green, 2 for blue.
fn colors(set: &Collection) -> Vec<usize> {
    let color = |index: usize| {
        let image = set.image(index).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((image.width, image.height, image.channels), (16, 16, 3));
        (0..3).max_by_key(|&channel| image.pixels[3 * 8 * 17 + channel]).unwrap()
    };
    (0..set.len()).map(color).collect()
}

#[test]
fn images_and_their_identities_are_read_and_the_records_of_identities_are_no_images() {
    // With an index, with one that leaves the first record out, by the index, and without an index.
    let (_folder, alone, index) = copied("identities");
    fs::remove_file(index).unwrap();
    // face2rec2.py has record 0 after the images, and dataset_merge.py at the very end.
    let late: Vec<(TempDir, PathBuf)> = ["after-images", "at-the-end"]
        .map(|name| {
            let (folder, records, index) = copied(name);
            fs::remove_file(index).unwrap();
            (folder, records)
        })
        .into();
    let indexed =
        ["identities.rec", "without-first.rec", "identities.idx", "after-images.rec", "at-the-end.rec"];
    let paths = indexed.map(fixture).into_iter().chain([alone]);
    for path in paths.chain(late.iter().map(|(_, records)| records.clone())) {
        let set = open(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(set.classes, ["0", "1", "2"], "{}", path.display());
        let labels: Vec<u32> = set.items.iter().map(|item| item.label).collect();
        assert_eq!(labels, [0, 0, 1, 1, 1, 2, 2]);
        assert_eq!(colors(&set), [0, 0, 1, 1, 1, 2, 2], "a red face is red");
        assert_eq!(set.items[3].file, "record 4");
    }
}

#[test]
fn an_image_that_was_divided_at_the_magic_number_is_whole_again() {
    let set = open(&fixture("identities.rec")).unwrap();
    let bytes = set.read(3).unwrap();
    let magic = 0xced7_230a_u32.to_le_bytes();
    let comment = [&b"ab"[..], &magic, &magic, b"x", &magic].concat();
    assert_eq!(bytes[6..6 + comment.len()], comment);
    assert_eq!(bytes[bytes.len() - 2..], [0xff, 0xd9]);
    // In the file it is in three parts.
    let file = fs::read(fixture("identities.rec")).unwrap();
    let parts = file.windows(4).filter(|window| *window == magic).count();
    assert_eq!(parts, 11 + 2 + 1, "11 records, two further parts, and one number that nothing is divided at");
}

#[test]
fn records_of_any_images_have_their_first_label() {
    let set = open(&fixture("plain.rec")).unwrap();
    assert_eq!(set.classes, ["7", "9"]);
    assert_eq!(set.items.iter().map(|item| item.label).collect::<Vec<_>>(), [0, 1, 0]);
    assert_eq!(colors(&set), [0, 2, 0]);
    assert_eq!(set.items[0].file, "record 0");
    let options =
        OpenOptions { classes: Some(vec!["9".to_owned(), "7".to_owned()]), ..OpenOptions::default() };
    let of_model = Collection::open(&fixture("plain.rec"), &options).unwrap();
    assert_eq!(of_model.items[0].label, 1);
    // The same images have the same checksum, wherever they are.
    let (_folder, elsewhere, _) = copied("plain");
    assert_eq!(open(&elsewhere).unwrap().checksum().unwrap(), set.checksum().unwrap());
}

#[test]
fn a_folder_is_its_record_file_or_the_one_for_training() {
    let (folder, records, _) = copied("identities");
    assert_eq!(open(folder.path()).unwrap().len(), 7);
    fs::copy(fixture("plain.rec"), folder.path().join("train.rec")).unwrap();
    assert_eq!(open(folder.path()).unwrap().len(), 3);
    fs::rename(folder.path().join("train.rec"), folder.path().join("other.rec")).unwrap();
    let message = open(folder.path()).unwrap_err().to_string();
    assert!(message.contains("other.rec") && message.contains("some.rec"), "{message}");
    assert_eq!(open(&records).unwrap().len(), 7);
}

#[test]
fn a_record_file_beside_folders_of_images_is_not_taken_for_them() {
    let (folder, records, _) = copied("plain");
    // What is no image, such as checkpoints, is in nobody's way.
    let beside = folder.path().join("beside");
    fs::create_dir(&beside).unwrap();
    fs::write(beside.join("model.bin"), b"no image").unwrap();
    assert_eq!(open(folder.path()).unwrap().len(), 3);
    fs::write(beside.join("one.ppm"), image_bytes("one")).unwrap();
    let message = open(folder.path()).unwrap_err().to_string();
    assert!(message.contains("some.rec") && message.contains("folder of images beside"), "{message}");
    assert_eq!(open(&records).unwrap().len(), 3);
}

#[test]
fn a_file_cut_anywhere_is_an_error_and_never_a_smaller_data_set() {
    for name in ["identities", "plain"] {
        let whole = fs::read(fixture(&format!("{name}.rec"))).unwrap();
        let images = open(&fixture(&format!("{name}.rec"))).unwrap().len();
        let (_folder, records, index) = copied(name);
        let cut = |length: usize, is_indexed: bool| {
            fs::write(&records, &whole[..length]).unwrap();
            match open(&records) {
                Err(DataError::Record { problem, .. }) => problem,
                Err(other) => panic!("{length} bytes: {other}"),
                // Behind the images there are identities, which the index of a cut file points past.
                Ok(set) => {
                    panic!("{length} of {} bytes, index {is_indexed}: {} images", whole.len(), set.len())
                }
            }
        };
        for length in (0..whole.len()).step_by(4) {
            let problem = cut(length, true);
            let is_named = matches!(
                problem,
                RecordProblem::Empty | RecordProblem::IndexPastEnd { .. } | RecordProblem::CutShort { .. }
            );
            assert!(is_named, "{problem}");
        }
        let borders: Vec<usize> = fs::read_to_string(&index)
            .unwrap()
            .lines()
            .filter_map(|line| line.split('\t').nth(1)?.parse().ok())
            .collect();
        fs::remove_file(&index).unwrap();
        // Where nothing announces how many records there are, a border is as good an end as any.
        let is_told = |length: &usize| name == "identities" || !borders.contains(length);
        for length in (0..whole.len()).filter(is_told) {
            let problem = cut(length, false);
            let is_named = match problem {
                RecordProblem::Empty => length == 0,
                RecordProblem::Fewer { announced: 11, .. } => borders.contains(&length),
                RecordProblem::CutShort { .. } => !borders.contains(&length),
                _ => false,
            };
            assert!(is_named, "{length}: {problem}");
        }
        fs::write(&records, &whole).unwrap();
        assert_eq!(open(&records).unwrap().len(), images);
    }
}

#[test]
fn an_index_that_is_wrong_is_named_with_the_record() {
    assert_eq!(problem(&fixture("cut-index.rec")), RecordProblem::IndexCut { record: 6, found: 6 });
    let (_folder, records, index) = copied("plain");
    let lines = fs::read_to_string(&index).unwrap();
    let with = |text: &str| {
        fs::write(&index, text).unwrap();
        problem(&records)
    };
    let lines: Vec<&str> = lines.lines().collect();
    let found = with(&lines[..2].join("\n"));
    assert_eq!(found, RecordProblem::IndexCut { record: 2, found: 2 });
    assert!(found.to_string().contains("delete it to find the records without it"), "{found}");
    let length = fs::metadata(&records).unwrap().len();
    let found = with(&format!("{}\n3\t{length}\n", lines.join("\n")));
    assert_eq!(found, RecordProblem::IndexPastEnd { record: 3, offset: length, bytes: length });
    let found = with(&format!("{}\n3\t18446744073709551612\n", lines.join("\n")));
    assert!(matches!(found, RecordProblem::IndexPastEnd { record: 3, .. }), "{found:?}");
    let found = with(&format!("{}\n1\t0\n", lines.join("\n")));
    assert_eq!(found, RecordProblem::IndexTwice { record: 1, line: 4 });
    for wrong in ["a\t0", "0 zero", "0\t2", "0", "\u{0}"] {
        assert!(matches!(with(wrong), RecordProblem::IndexLine { line: 1, .. }), "{wrong}");
    }
    let found = with("0\t0\n1\t8\n2\t16");
    assert!(matches!(found, RecordProblem::NoMagic { record: 2, offset: 16, .. }), "{found:?}");
}

#[test]
fn labels_and_images_that_cannot_be_used_are_named_with_their_record() {
    assert_eq!(problem(&fixture("fraction.rec")), RecordProblem::Label { record: 0, label: 7.5 });
    let set = open(&fixture("no-image.rec")).unwrap();
    assert!(set.image(0).is_ok());
    let message = set.image(1).unwrap_err().to_string();
    assert!(message.contains("no-image.rec, record 1"), "{message}");
    let (_folder, records, index) = copied("identities");
    // The numbers that the first record announces, the wrong way round.
    let mut bytes = fs::read(&records).unwrap();
    bytes.copy_within(32..36, 36);
    bytes[32..36].copy_from_slice(&99.0f32.to_le_bytes());
    fs::write(&records, &bytes).unwrap();
    assert!(matches!(problem(&records), RecordProblem::Range { images: 99.0, .. }));
    // A second part without a first.
    bytes = fs::read(fixture("plain.rec")).unwrap();
    bytes[7] = 2 << 5;
    fs::write(&records, &bytes).unwrap();
    fs::remove_file(index).unwrap();
    assert_eq!(problem(&records), RecordProblem::Parts { record: 0, offset: 0 });
}
