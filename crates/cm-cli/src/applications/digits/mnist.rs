//! MNIST's four files: what they are called, what they hold, and how they are found and read.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use cm_data::{DataError, IdxFile, MemorySet, RemoteFile, read_images, read_labels};

use super::{source::MNIST, study::CLASSES};

/// Training images, training labels, test images, test labels, with the MD5 sums of their uncompressed content.
///
/// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", 1998.
pub const MNIST_FILES: [RemoteFile; 4] = [
    RemoteFile { name: "train-images-idx3-ubyte", md5: "6bbc9ace898e44ae57da46a324031adb" },
    RemoteFile { name: "train-labels-idx1-ubyte", md5: "a25bea736e30d166cdddb491f175f624" },
    RemoteFile { name: "t10k-images-idx3-ubyte", md5: "2646ac647ad5339dbf082846283269ea" },
    RemoteFile { name: "t10k-labels-idx1-ubyte", md5: "27ae3e4e09519cfbb04c329615203637" },
];

/// The largest label.
const HIGHEST: u8 = CLASSES as u8 - 1;

/// The training set, the test set, and the checksums by file name.
pub type Mnist = (MemorySet, MemorySet, BTreeMap<String, String>);

/// Reads MNIST from the four files in a folder, raw or gzip, and checks that they are MNIST's.
///
/// # Errors
///
/// [`DataError`] with the file's name, for whatever is wrong with it. A damaged file is named before a missing one.
pub fn read_mnist(folder: &Path) -> Result<Mnist, DataError> {
    let paths = find(folder).or_else(|incomplete| check_present(folder).and(Err(incomplete)))?;
    let [train_images, train_labels, test_images, test_labels] = &paths;
    let (train, train_sums) = pair(train_images, train_labels)?;
    let (test, test_sums) = pair(test_images, test_labels)?;
    let mut checksums = BTreeMap::new();
    for ((file, path), found) in MNIST_FILES.iter().zip(&paths).zip([train_sums, test_sums].concat()) {
        check_sum(file, path, &found)?;
        checksums.insert(file.name.to_owned(), format!("md5:{found}"));
    }
    Ok((train, test, checksums))
}

/// Checks those of the four files that are in a folder.
///
/// # Errors
///
/// [`DataError`] for the first that is damaged, or another file than MNIST's.
pub fn check_present(folder: &Path) -> Result<(), DataError> {
    for file in &MNIST_FILES {
        let Some(path) = path_of(folder, file) else { continue };
        let found = match file.name.contains("images") {
            true => read_images(&path)?.md5,
            false => read_labels(&path, HIGHEST)?.md5,
        };
        check_sum(file, &path, &found)?;
    }
    Ok(())
}

fn check_sum(file: &RemoteFile, path: &Path, found: &str) -> Result<(), DataError> {
    if found == file.md5 {
        return Ok(());
    }
    let (name, expected) = (MNIST.to_owned(), file.md5.to_owned());
    Err(DataError::WrongChecksum { path: path.to_owned(), name, found: found.to_owned(), expected })
}

/// Whether any of the four files is in the folder.
pub fn any_in(folder: &Path) -> bool {
    MNIST_FILES.iter().any(|file| path_of(folder, file).is_some())
}

/// Whether all four files are in the folder.
pub fn all_in(folder: &Path) -> bool {
    MNIST_FILES.iter().all(|file| path_of(folder, file).is_some())
}

/// Path of a file under one of the names it goes by.
fn path_of(folder: &Path, file: &RemoteFile) -> Option<PathBuf> {
    let dotted = file.name.replacen("-idx", ".idx", 1);
    let names = [file.name.to_owned(), dotted.clone(), format!("{}.gz", file.name), format!("{dotted}.gz")];
    names.into_iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

fn find(folder: &Path) -> Result<[PathBuf; 4], DataError> {
    let found = MNIST_FILES.each_ref().map(|file| path_of(folder, file));
    let missing = MNIST_FILES.iter().zip(&found).filter(|(_, path)| path.is_none());
    let missing: Vec<String> = missing.map(|(file, _)| format!("{}.gz", file.name)).collect();
    if !missing.is_empty() {
        return Err(DataError::Incomplete { folder: folder.to_owned(), name: MNIST.to_owned(), missing });
    }
    Ok(found.map(Option::unwrap_or_default))
}

/// Images with their labels, and both checksums.
fn pair(images_path: &Path, labels_path: &Path) -> Result<(MemorySet, [String; 2]), DataError> {
    let images = read_images(images_path)?;
    let labels = read_labels(labels_path, HIGHEST)?;
    let sums = [images.md5.clone(), labels.md5.clone()];
    combine(&images, &labels, images_path, labels_path).map(|set| (set, sums))
}

/// Images with their labels, as many of the one as of the other.
fn combine(
    images: &IdxFile,
    labels: &IdxFile,
    from: &Path,
    labels_from: &Path,
) -> Result<MemorySet, DataError> {
    let [count, rows, cols] = images.dims[..] else { unreachable!("images have three dimensions") };
    if count != labels.bytes.len() {
        return Err(DataError::CountsDiffer {
            images_path: from.to_owned(),
            images: count,
            labels_path: labels_from.to_owned(),
            labels: labels.bytes.len(),
        });
    }
    Ok(MemorySet::gray(cols, rows, &images.bytes, labels.bytes.iter().map(|&label| label.into()).collect()))
}
