//! Reading and drawing digits.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cm_data::{ImageSet, MemorySet};

use super::{
    config::DataChoice,
    mnist::{MNIST_FILES, read_mnist},
    source::{DataSet, Wanted, load},
    synthetic::synthetic_digits,
};
use crate::{applications::start::Search, error::CliError};

/// What is found in a folder.
fn found(choice: DataChoice, folder: &Path) -> Result<DataSet, CliError> {
    let wanted = Wanted { train_images: usize::MAX, test_images: usize::MAX, seed: 0 };
    let interrupter = burn::train::Interrupter::new();
    let search =
        Search { data_dir: Some(folder), resumed: false, progress: false, interrupter: &interrupter };
    load(choice, wanted, &search)
}

/// An IDX file: magic number, sizes, bytes.
fn idx_bytes(magic: u32, dims: &[u32], bytes: &[u8]) -> Vec<u8> {
    let header = std::iter::once(magic).chain(dims.iter().copied());
    header.flat_map(u32::to_be_bytes).chain(bytes.iter().copied()).collect()
}

fn refused(choice: DataChoice, folder: PathBuf) -> String {
    let error: CliError = found(choice, &folder).expect_err("it cannot be used");
    error.to_string()
}

/// All pixels of a set.
fn pixels(set: &MemorySet) -> Vec<u8> {
    set.images.iter().flat_map(|image| image.pixels.clone()).collect()
}

#[test]
#[cfg_attr(
    not(cm_data),
    ignore = "MNIST is not on this machine: CM_DATA_DIR names the folder that holds mnist/"
)]
fn the_real_files_have_their_checksums_sizes_and_labels() {
    let folder = PathBuf::from(env!("CM_TEST_DATA")).join("mnist");
    let (train, test, checksums) = read_mnist(&folder).expect("MNIST");
    assert_eq!((train.len(), test.len()), (60_000, 10_000));
    assert_eq!((train.images[0].width, train.images[0].height), (28, 28));
    // The first labels, as every viewer of MNIST shows them.
    assert_eq!(train.labels[..6], [5, 0, 4, 1, 9, 2]);
    assert_eq!(test.labels[..6], [7, 2, 1, 0, 4, 1]);
    assert_eq!(checksums["train-images-idx3-ubyte"], "md5:6bbc9ace898e44ae57da46a324031adb");
    let above = folder.parent().expect("a folder above").to_owned();
    let by_parent = found(DataChoice::Mnist, &above).expect("MNIST");
    let by_folder = found(DataChoice::Auto, &folder).expect("MNIST");
    assert_eq!(by_parent.origin.name, "MNIST");
    assert_eq!(by_parent.train, by_folder.train);
}

#[test]
fn files_of_another_data_set_are_refused_by_their_checksum_and_never_replaced() {
    let folder = tempfile::tempdir().expect("files");
    fs::create_dir(folder.path().join("mnist")).expect("files");
    for file in MNIST_FILES {
        let bytes = match file.name.contains("images") {
            true => idx_bytes(0x803, &[2, 1, 1], &[7, 8]),
            false => idx_bytes(0x801, &[2], &[1, 2]),
        };
        fs::write(folder.path().join("mnist").join(file.name), bytes).expect("files");
    }
    for choice in [DataChoice::Auto, DataChoice::Mnist] {
        let message = refused(choice, folder.path().to_owned());
        assert!(message.contains("train-images-idx3-ubyte is not MNIST's"), "{message}");
        assert!(message.contains("6bbc9ace898e44ae57da46a324031adb"), "{message}");
    }
    let labels = folder.path().join("mnist").join("t10k-labels-idx1-ubyte");
    fs::write(labels, idx_bytes(0x801, &[3], &[1, 2, 3])).expect("files");
    let message = refused(DataChoice::Auto, folder.path().to_owned());
    assert!(message.contains("holds 2 images") && message.contains("holds 3 labels"), "{message}");
}

#[test]
fn a_data_folder_that_does_not_exist_is_an_error_whatever_the_choice() {
    let message = refused(DataChoice::Auto, "/no/such/folder".into());
    assert!(message.contains("/no/such/folder (--data-dir) does not exist"), "{message}");
}

#[test]
fn a_damaged_file_is_named_before_a_missing_one_and_nothing_stands_in_for_it() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("t10k-labels-idx1-ubyte");
    fs::write(&path, idx_bytes(0x801, &[1], &[1])).expect("files");
    let message = refused(DataChoice::Auto, folder.path().to_owned());
    assert!(message.contains("t10k-labels-idx1-ubyte is not MNIST's"), "{message}");
    fs::write(&path, &idx_bytes(0x801, &[9], &[1])[..9]).expect("files");
    let message = refused(DataChoice::Auto, folder.path().to_owned());
    assert!(message.contains("t10k-labels-idx1-ubyte holds"), "{message}");
}

#[test]
fn a_folder_of_the_users_that_holds_no_digits_is_an_error_that_says_where_was_looked() {
    let folder = tempfile::tempdir().expect("folder");
    let message = refused(DataChoice::Auto, folder.path().to_owned());
    assert!(message.contains("there is nothing of MNIST in") && message.contains("MNIST/raw"), "{message}");
}

#[test]
fn the_same_seed_draws_the_same_digits_and_another_seed_others() {
    let (a, b, c) =
        (synthetic_digits(200, 50, 3), synthetic_digits(200, 50, 3), synthetic_digits(200, 50, 4));
    assert_eq!((&a.train, &a.test, &a.origin.checksums), (&b.train, &b.test, &b.origin.checksums));
    assert_ne!(pixels(&a.train), pixels(&c.train));
    assert_ne!(a.train.images[..50], a.test.images[..50]);
}

#[test]
fn the_training_images_do_not_depend_on_how_many_test_images_there_are() {
    let (few, many) = (synthetic_digits(40, 0, 0), synthetic_digits(40, 30, 0));
    assert_eq!(few.train, many.train);
}

#[test]
fn there_are_ten_balanced_classes_of_28_by_28_pixels_and_it_is_not_called_mnist() {
    let digits = synthetic_digits(1000, 100, 0);
    assert_eq!(digits.train.len(), 1000);
    for class in 0..10 {
        assert_eq!(digits.train.labels.iter().filter(|&&label| label == class).count(), 100);
    }
    let described = format!("{} {} {:?}", digits.origin.name, digits.origin.source, digits.origin.checksums)
        .to_lowercase();
    assert!(!described.contains("mnist") && described.contains("synthetic digits"), "{described}");
}

#[test]
fn classes_look_different_but_not_so_different_that_means_suffice() {
    let digits = synthetic_digits(3000, 1000, 0);
    let mut means = vec![vec![0.0f64; 784]; 10];
    for i in 0..digits.train.len() {
        let mean = &mut means[digits.train.labels[i] as usize];
        mean.iter_mut().zip(&digits.train.images[i].pixels).for_each(|(m, &p)| *m += f64::from(p) / 300.0);
    }
    let nearest = |image: &[u8]| {
        let distance = |mean: &Vec<f64>| -> f64 {
            mean.iter().zip(image).map(|(m, &p)| (m - f64::from(p)).powi(2)).sum()
        };
        (0..10).min_by(|&a, &b| distance(&means[a]).total_cmp(&distance(&means[b]))).expect("ten classes")
    };
    let right =
        (0..1000).filter(|&i| nearest(&digits.test.images[i].pixels) == digits.test.labels[i] as usize);
    let accuracy = right.count() as f64 / 1000.0;
    assert!((0.6..0.97).contains(&accuracy), "the nearest class mean is right for {accuracy}");
}

#[test]
fn every_digit_has_ink_and_stays_within_the_image() {
    let digits = synthetic_digits(500, 0, 1);
    for i in 0..500 {
        let image = &digits.train.images[i].pixels;
        let ink: f64 = image.iter().map(|&p| f64::from(p) / 255.0).sum();
        assert!((20.0..250.0).contains(&ink), "digit {} has {ink} pixels of ink", digits.train.labels[i]);
        let border: f64 = (0..28).map(|k| f64::from(image[k]) + f64::from(image[27 * 28 + k])).sum();
        assert!(border < 0.1 * 255.0 * ink, "digit {} touches the border", digits.train.labels[i]);
    }
}
