use std::{fs, path::PathBuf};

use cm_train::data::{DataChoice, LoadOptions, MNIST_FILES, load, read_mnist};

use super::idx_bytes;

/// The folder with MNIST's files, if this machine has them.
pub fn real_mnist() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folders = [std::env::var_os("CM_DATA_DIR").map(PathBuf::from), Some(PathBuf::from(beside))];
    let found =
        folders.into_iter().flatten().map(|folder| folder.join("mnist")).find(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: MNIST is not on this machine (CM_DATA_DIR names the folder that holds mnist/)");
    }
    found
}

fn options(data_dir: PathBuf) -> LoadOptions {
    LoadOptions { data_dir: Some(data_dir), train_images: None, test_images: None, seed: 0, progress: false }
}

#[test]
fn the_real_files_have_their_checksums_sizes_and_labels() {
    let Some(folder) = real_mnist() else { return };
    let (train, test, checksums) = read_mnist(&folder).unwrap();
    assert_eq!((train.len(), test.len(), train.rows, train.cols), (60_000, 10_000, 28, 28));
    // The first labels, as every viewer of MNIST shows them.
    assert_eq!(train.labels[..6], [5, 0, 4, 1, 9, 2]);
    assert_eq!(test.labels[..6], [7, 2, 1, 0, 4, 1]);
    assert_eq!(checksums["train-images-idx3-ubyte"], "md5:6bbc9ace898e44ae57da46a324031adb");
    let by_parent = load(DataChoice::Mnist, &options(folder.parent().unwrap().to_owned())).unwrap();
    let by_folder = load(DataChoice::Auto, &options(folder)).unwrap();
    assert_eq!(by_parent.name, "MNIST");
    assert_eq!(by_parent.train, by_folder.train);
}

#[test]
fn a_set_that_is_not_whole_names_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t10k-labels-idx1-ubyte"), idx_bytes(0x801, &[1], &[1])).unwrap();
    let message = load(DataChoice::Auto, &options(folder.path().to_owned())).unwrap_err().to_string();
    assert!(message.contains("train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz"), "{message}");
    assert!(!message.contains("t10k-labels"), "{message}");
}

#[test]
fn files_of_another_data_set_are_refused_by_their_checksum_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mnist")).unwrap();
    for file in MNIST_FILES {
        let bytes = match file.name.contains("images") {
            true => idx_bytes(0x803, &[2, 1, 1], &[7, 8]),
            false => idx_bytes(0x801, &[2], &[1, 2]),
        };
        fs::write(folder.path().join("mnist").join(file.name), bytes).unwrap();
    }
    for choice in [DataChoice::Auto, DataChoice::Mnist] {
        let message = load(choice, &options(folder.path().to_owned())).unwrap_err().to_string();
        assert!(message.contains("train-images-idx3-ubyte is not MNIST's"), "{message}");
        assert!(message.contains("6bbc9ace898e44ae57da46a324031adb"), "{message}");
    }
    let labels = folder.path().join("mnist").join("t10k-labels-idx1-ubyte");
    fs::write(labels, idx_bytes(0x801, &[3], &[1, 2, 3])).unwrap();
    let message = load(DataChoice::Auto, &options(folder.path().to_owned())).unwrap_err().to_string();
    assert!(message.contains("holds 2 images") && message.contains("holds 3 labels"), "{message}");
}

#[test]
fn a_data_folder_that_does_not_exist_is_an_error_whatever_the_choice() {
    let message = load(DataChoice::Auto, &options("/no/such/folder".into())).unwrap_err().to_string();
    assert!(message.contains("/no/such/folder (--data-dir) does not exist"), "{message}");
}

#[test]
fn names_of_data_sets_are_read_and_others_listed() {
    assert_eq!("synthetic".parse::<DataChoice>().unwrap(), DataChoice::Synthetic);
    let message = "cifar".parse::<DataChoice>().unwrap_err().to_string();
    assert!(message.contains("\"cifar\"") && message.contains("auto, mnist, synthetic"), "{message}");
}
