//! MNIST's four files: what they are called, what they hold, and how they are found and read.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{DataError, IdxFile, LabelledImages, read_images, read_labels};

/// One of MNIST's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MnistFile {
    /// Name without `.gz`.
    pub name: &'static str,
    /// MD5 sum of the uncompressed content.
    pub md5: &'static str,
}

/// Training images, training labels, test images, test labels.
///
/// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", 1998.
pub const MNIST_FILES: [MnistFile; 4] = [
    MnistFile { name: "train-images-idx3-ubyte", md5: "6bbc9ace898e44ae57da46a324031adb" },
    MnistFile { name: "train-labels-idx1-ubyte", md5: "a25bea736e30d166cdddb491f175f624" },
    MnistFile { name: "t10k-images-idx3-ubyte", md5: "2646ac647ad5339dbf082846283269ea" },
    MnistFile { name: "t10k-labels-idx1-ubyte", md5: "27ae3e4e09519cfbb04c329615203637" },
];

/// The training set, the test set, and the checksums by file name.
pub(super) type Mnist = (LabelledImages, LabelledImages, BTreeMap<String, String>);

/// Reads MNIST from the four files in a folder, raw or gzip, and checks that they are MNIST's.
///
/// # Errors
///
/// [`DataError`] with the file's name, for whatever is wrong with it.
pub fn read_mnist(folder: &Path) -> Result<Mnist, DataError> {
    let paths = find(folder)?;
    let [train_images, train_labels, test_images, test_labels] = &paths;
    let train = pair(train_images, train_labels)?;
    let test = pair(test_images, test_labels)?;
    let mut checksums = BTreeMap::new();
    let found = [train.1, test.1].concat();
    for ((file, path), found) in MNIST_FILES.iter().zip(&paths).zip(found) {
        if found != file.md5 {
            return Err(DataError::WrongChecksum { path: path.clone(), found, expected: file.md5 });
        }
        checksums.insert(file.name.to_owned(), format!("md5:{found}"));
    }
    Ok((train.0, test.0, checksums))
}

/// Whether any of the four files is in the folder.
pub(super) fn any_in(folder: &Path) -> bool {
    MNIST_FILES.iter().any(|file| path_of(folder, file).is_some())
}

/// Whether all four files are in the folder.
pub(super) fn all_in(folder: &Path) -> bool {
    MNIST_FILES.iter().all(|file| path_of(folder, file).is_some())
}

/// Path of a file under one of the names it goes by.
fn path_of(folder: &Path, file: &MnistFile) -> Option<PathBuf> {
    let dotted = file.name.replacen("-idx", ".idx", 1);
    let names = [file.name.to_owned(), dotted.clone(), format!("{}.gz", file.name), format!("{dotted}.gz")];
    names.into_iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

fn find(folder: &Path) -> Result<[PathBuf; 4], DataError> {
    let found = MNIST_FILES.map(|file| path_of(folder, &file));
    let missing = MNIST_FILES.iter().zip(&found).filter(|(_, path)| path.is_none());
    let missing: Vec<String> = missing.map(|(file, _)| format!("{}.gz", file.name)).collect();
    if !missing.is_empty() {
        return Err(DataError::Incomplete { folder: folder.to_owned(), missing });
    }
    Ok(found.map(Option::unwrap_or_default))
}

/// Images with their labels, and both checksums.
fn pair(images_path: &Path, labels_path: &Path) -> Result<(LabelledImages, [String; 2]), DataError> {
    let images = read_images(images_path)?;
    let labels = read_labels(labels_path)?;
    let checksums = [images.md5.clone(), labels.md5.clone()];
    combine(images, labels, images_path, labels_path).map(|set| (set, checksums))
}

/// Images with their labels, as many of the one as of the other.
fn combine(
    images: IdxFile,
    labels: IdxFile,
    from: &Path,
    labels_from: &Path,
) -> Result<LabelledImages, DataError> {
    let [count, rows, cols] = images.dims[..] else { unreachable!("images have three dimensions") };
    if count != labels.bytes.len() {
        return Err(DataError::CountsDiffer {
            images_path: from.to_owned(),
            images: count,
            labels_path: labels_from.to_owned(),
            labels: labels.bytes.len(),
        });
    }
    Ok(LabelledImages { rows, cols, pixels: images.bytes, labels: labels.bytes })
}
