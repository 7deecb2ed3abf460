//! Pairs of images: verification sets as Python pickles them (`tools/face_fixtures.py`), LFW's files, tables.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cm_data::{DataError, OpenOptions, PairSet, PairsProblem, PickleProblem};

use crate::helper::write_images;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/faces").join(name)
}

fn open(path: &Path) -> Result<PairSet, DataError> {
    PairSet::open(path, &OpenOptions::default())
}

fn problem(path: &Path) -> PairsProblem {
    match open(path).unwrap_err() {
        DataError::Pairs { problem, path: named } => {
            assert_eq!(named, path);
            problem
        }
        other => panic!("{other}"),
    }
}

#[test]
fn the_same_set_is_read_whichever_python_pickled_it() {
    let mut names: Vec<String> = (0..3).map(|protocol| format!("python2-{protocol}")).collect();
    names.extend((0..6).map(|protocol| format!("python3-{protocol}")));
    names.extend([2, 4, 5].map(|protocol| format!("arrays-{protocol}")));
    names.extend(["arrays-of-numbers", "bytearrays"].map(str::to_owned));
    for name in names {
        let set = open(&fixture(&format!("{name}.bin"))).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(set.images.name, name);
        let same: Vec<bool> = set.pairs.iter().map(|pair| pair.same).collect();
        assert_eq!(same, [true, true, false, false], "{name}");
        let images: Vec<usize> = set.pairs.iter().flat_map(|pair| pair.images).collect();
        assert_eq!(images, [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(set.pairs.iter().map(|pair| pair.fold).collect::<Vec<_>>(), [0, 1, 2, 3]);
        let red = set.images.image(0).unwrap();
        assert_eq!((red.width, red.height, red.channels), (16, 16, 3));
        assert!(red.pixels[0] > 150 && red.pixels[1] < 80 && red.pixels[2] < 80, "a red face is red");
        assert_eq!(set.images.read(0).unwrap(), set.images.read(4).unwrap(), "{name}");
    }
}

#[test]
fn anything_else_than_data_is_refused_by_its_name_and_nothing_is_executed() {
    let refused = |name: &str| match problem(&fixture(name)) {
        PairsProblem::Pickle(PickleProblem::Refused { what, .. }) => what,
        other => panic!("{name}: {other}"),
    };
    assert_eq!(refused("evil.bin"), "posix.system");
    assert_eq!(refused("a-dictionary.bin"), "the instruction 0x7d");
    assert!(refused("pixels.bin").contains("more than one dimension"));
    let message = open(&fixture("evil.bin")).unwrap_err().to_string();
    assert!(message.contains("nothing is ever executed"), "{message}");
}

#[test]
fn what_is_no_set_of_pairs_is_refused() {
    let cases = [
        ("one-image-short", "7 images and says of 4 pairs"),
        ("no-pairs", "there is no pair in it"),
        ("swapped", "a truth value in the place of the bytes of an image"),
        ("one-list", "a list of another length in the place of two lists"),
    ];
    for (name, expected) in cases {
        let message = problem(&fixture(&format!("{name}.bin"))).to_string();
        assert!(message.contains(expected), "{name}: {message}");
    }
}

#[test]
fn a_set_cut_anywhere_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.bin");
    for name in ["python2-2", "python3-0", "python3-4", "arrays-5"] {
        let whole = fs::read(fixture(&format!("{name}.bin"))).unwrap();
        for length in (0..whole.len()).rev().step_by(3) {
            fs::write(&cut, &whole[..length]).unwrap();
            let problem = problem(&cut);
            assert!(matches!(problem, PairsProblem::Pickle(PickleProblem::CutShort { .. })), "{problem}");
        }
    }
}

/// A file beside images of people.
fn people(file: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let images = ["Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", "Bo_Li/Bo_Li_0001.jpg", "Cy/Cy_0012.jpg"];
    write_images(&folder.path().join("lfw"), &images);
    let path = folder.path().join(file);
    fs::write(&path, text).unwrap();
    (folder, path)
}

const FOLDS: &str = "2\t1\nAnn\t1\t2\nAnn\t1\tCy\t12\nAnn\t2\t1\nBo_Li\t1\tCy\t12\n";

#[test]
fn pairs_of_lfw_are_read_with_their_folds_and_their_folder_is_found() {
    let (folder, path) = people("pairs.txt", FOLDS);
    let set = open(&path).unwrap_or_else(|error| panic!("{error}"));
    let files: Vec<&str> = set.images.items.iter().map(|item| &*item.file).collect();
    assert_eq!(files, ["Ann/Ann_0001.jpg", "Ann/Ann_0002.jpg", "Cy/Cy_0012.jpg", "Bo_Li/Bo_Li_0001.jpg"]);
    let pairs: Vec<_> = set.pairs.iter().map(|pair| (pair.images, pair.same, pair.fold)).collect();
    assert_eq!(pairs, [([0, 1], true, 0), ([0, 2], false, 0), ([1, 0], true, 1), ([3, 2], false, 1)]);
    assert_eq!(set.folds(), 2);
    assert!(set.images.image(3).is_ok());
    // View 1 has no folds, so that its pairs are dealt out; and a root can be named.
    fs::write(&path, "2\nAnn\t1\t2\nAnn\t2\t1\nAnn 1 Cy 12\r\nBo_Li 1 Cy 12\n\n").unwrap();
    let options = OpenOptions { root: Some(folder.path().join("lfw")), ..OpenOptions::default() };
    let set = PairSet::open(&path, &options).unwrap();
    let folds: Vec<_> = set.pairs.iter().map(|pair| (pair.same, pair.fold)).collect();
    assert_eq!(folds, [(true, 0), (true, 1), (false, 0), (false, 1)]);
    // With two folders of people one has to be named.
    write_images(&folder.path().join("lfw-funneled"), &["Ann/Ann_0001.jpg"]);
    let problem = problem(&path);
    assert!(matches!(&problem, PairsProblem::SeveralFolders { folders } if folders.len() == 2), "{problem}");
    assert!(problem.to_string().contains("lfw-funneled"), "{problem}");
    assert!(PairSet::open(&path, &options).is_ok());
}

#[test]
fn a_table_names_two_files_and_whether_they_show_the_same() {
    let text = "first,second,same,fold\nlfw/Ann/Ann_0001.jpg,lfw/Ann/Ann_0002.jpg,1,3\n\
                lfw/Ann/Ann_0001.jpg,\"lfw/Cy/Cy_0012.jpg\",False,0\n";
    let (_folder, path) = people("pairs.csv", text);
    let set = open(&path).unwrap_or_else(|error| panic!("{error}"));
    let pairs: Vec<_> = set.pairs.iter().map(|pair| (pair.images, pair.same, pair.fold)).collect();
    // Numbers of folds without a gap.
    assert_eq!(pairs, [([0, 1], true, 1), ([0, 2], false, 0)]);
    fs::write(&path, "path1;path2;label\nlfw/Cy/Cy_0012.jpg;lfw/Ann/Ann_0001.jpg;0\n").unwrap();
    assert!(!open(&path).unwrap().pairs[0].same);
    // Sorted by what they are: each fold has pairs of both kinds.
    let line = |same: usize| format!("lfw/Ann/Ann_0001.jpg,lfw/Cy/Cy_0012.jpg,{same}\n");
    let sorted: String = (0..40).map(|i| line(usize::from(i < 20))).collect();
    fs::write(&path, format!("first,second,same\n{sorted}")).unwrap();
    let set = open(&path).unwrap();
    let of = |same: bool, fold: usize| {
        set.pairs.iter().filter(|pair| (pair.same, pair.fold) == (same, fold)).count()
    };
    assert!((0..10).all(|fold| (of(true, fold), of(false, fold)) == (2, 2)), "{:?}", set.pairs);
}

#[test]
fn what_is_wrong_with_a_file_of_pairs_is_named_with_its_line() {
    let (_folder, path) = people("pairs.txt", "");
    let cases = [
        ("", "there is no pair"),
        ("ten\t300\n", "its first line is \"ten\\t300\""),
        ("1\nAnn\t1\t2\nAnn\tone\tCy\t12\n", "line 3 is \"Ann\\tone\\tCy\\t12\""),
        ("1\nAnn\t1\n", "line 2 is \"Ann\\t1\""),
        ("2\t16666666333166333333\nn\t2\t1\t12\n", "line 2 is a pair of two people"),
        ("2\t9223372036854775809\nn\t2\t12\n", "announces 18446744073709551615"),
        ("1\nAnn\t1\tCy\t12\nAnn\t1\t2\n", "line 2 is a pair of two people, but by the first line"),
        ("2\t1\nAnn\t1\t2\nAnn\t1\tCy\t12\nAnn\t2\t1\n", "holds 3 pairs and announces 4"),
        ("1\nAnn\t1\t2\nAnn\t1\tCy\t12\nAnn\t1\t2\n", "holds 3 pairs and announces 2"),
        (
            "first,same\na.jpg,1\n",
            "no column for the second image (second, path2, image2, file2); there are first, same",
        ),
        ("first,second,same\na.jpg,b.jpg,maybe\n", "line 2: the same is \"maybe\", but has to be 1 or 0"),
        ("first,second,same,fold\na.jpg,b.jpg,1,x\n", "line 2: the fold is \"x\""),
        ("first,second,same\na.jpg,,1\n", "line 2: the second is \"\""),
        ("first,second,same\na.jpg,b.jpg\n", "line 2"),
        ("first,second,same\n", "there is no pair"),
    ];
    for (text, expected) in cases {
        fs::write(&path, text).unwrap();
        let message = problem(&path).to_string();
        assert!(message.contains(expected), "{text:?}: {message}");
    }
    fs::write(&path, b"1\nAnn\t1\t2\nB\xff\t1\tCy\t12\n").unwrap();
    assert_eq!(problem(&path), PairsProblem::NotUtf8 { line: 3 });
}

#[test]
fn images_that_are_missing_are_named_or_kept_as_missing() {
    let (_folder, path) = people("pairs.txt", "1\nAnn\t1\t7\nAnn\t1\tCy\t12\n");
    let message = problem(&path).to_string();
    for part in ["1 of the 3 images", "Ann/Ann_0007.jpg", "lfw"] {
        assert!(message.contains(part), "{message}");
    }
    let options = OpenOptions { files_required: false, ..OpenOptions::default() };
    let set = PairSet::open(&path, &options).unwrap();
    assert_eq!((set.pairs.len(), set.missing), (2, vec![1]));
    // The folder of the people is found by those who are there.
    let (_folder, path) = people("pairs.txt", "1\nZoe\t1\t2\nAbe\t1\tCy\t12\n");
    let set = PairSet::open(&path, &options).unwrap();
    assert_eq!((set.images.len(), set.missing.len()), (4, 3));
}
