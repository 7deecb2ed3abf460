//! Which digits are used, and where they come from.

use std::{
    env,
    path::{Path, PathBuf},
};

use cm_data::{DataError, Limits, MemorySet, download};

use super::{
    config::DataChoice,
    mnist::{self, MNIST_FILES, read_mnist},
    synthetic::synthetic_digits,
};
use crate::{
    applications::{
        places::{Found, find, shown, user_folder},
        start::{self, Origin, Search},
    },
    error::CliError,
};

/// Public copies of MNIST, tried in this order. `CM_MNIST_MIRROR` replaces them.
const MIRRORS: [&str; 3] = [
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
];

/// Name of the data set in every table and picture.
pub const MNIST: &str = "MNIST";

/// The files, for messages.
const FILES: &str = "train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz";
/// Where the files may be below a folder; the third is where torchvision puts them.
const BELOW: [&str; 4] = ["mnist", ".", "MNIST/raw", "raw"];

/// A training set and a test set.
#[derive(Debug, Clone)]
pub struct DataSet {
    /// Where they came from.
    pub origin: Origin,
    /// Images to learn from.
    pub train: MemorySet,
    /// Images to test on.
    pub test: MemorySet,
}

impl start::Found for DataSet {
    fn origin(&mut self) -> &mut Origin {
        &mut self.origin
    }
}

/// How much is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Training images, spread evenly over the set.
    pub train_images: usize,
    /// Test images, spread evenly over the set.
    pub test_images: usize,
    /// Seed of the synthetic digits.
    pub seed: u64,
}

/// Finds, downloads or draws digits.
///
/// MNIST is looked for in [`Search::data_dir`], in the folder that the environment variable `CM_DATA_DIR`
/// names, and in the user's data folder, into which it is downloaded if it is nowhere. MNIST that is there but
/// damaged is an error and never replaced by anything else.
///
/// # Errors
///
/// [`DataError`]; with [`DataChoice::Mnist`] also [`DataError::Unavailable`] if it cannot be had.
pub fn load(choice: DataChoice, wanted: Wanted, search: &Search<'_>) -> Result<DataSet, CliError> {
    let drawn = || synthetic_digits(wanted.train_images, wanted.test_images, wanted.seed);
    if choice == DataChoice::Synthetic {
        return Ok(drawn());
    }
    let user = user_folder("mnist");
    // What an interrupted download left in the user's folder is not yet MNIST: the rest is downloaded.
    let is_there = |folder: &Path| match user.as_deref() == Some(folder) {
        true => mnist::all_in(folder),
        false => mnist::any_in(folder),
    };
    let looked = match find(MNIST, search.data_dir, &BELOW, is_there, &format!("Put {FILES} into PLACE"))? {
        Found::In(folder) => return from_folder(&folder, wanted),
        Found::Nowhere(looked) => looked,
    };
    if let Some(folder) = &user {
        mnist::check_present(folder)?;
    }
    match download_mnist(user, search) {
        Ok(folder) => from_folder(&folder, wanted),
        // Also where the user has no folder that can be written to.
        Err(DataError::Download { .. } | DataError::Io { .. }) if choice == DataChoice::Auto => {
            let mut digits = drawn();
            digits.origin.notice = Some(format!(
                "MNIST is not on this machine (looked at {}) and could not be downloaded (`--data mnist` says why): \
                 training on synthetic digits instead",
                shown(&looked)
            ));
            Ok(digits)
        }
        Err(DataError::Stopped) => Err(DataError::Stopped.into()),
        Err(error) => {
            let stand_in = if search.resumed { "" } else { "; or use --data synthetic" };
            Err(DataError::Unavailable {
                name: MNIST.to_owned(),
                reason: error.to_string(),
                remedy: format!(
                    "Put {FILES} into a folder named mnist, and give the folder above it by --data-dir or \
                     CM_DATA_DIR; or name a mirror by CM_MNIST_MIRROR{stand_in}"
                ),
            }
            .into())
        }
    }
}

fn from_folder(folder: &Path, wanted: Wanted) -> Result<DataSet, CliError> {
    let (train, test, checksums) = read_mnist(folder)?;
    Ok(DataSet {
        origin: Origin {
            name: MNIST.into(),
            source: "four IDX files".to_owned(),
            place: folder.display().to_string(),
            notice: None,
            checksums,
        },
        train: train.thinned(wanted.train_images),
        test: test.thinned(wanted.test_images),
    })
}

fn download_mnist(user: Option<PathBuf>, search: &Search<'_>) -> Result<PathBuf, DataError> {
    let folder = user.unwrap_or_else(|| PathBuf::from("data/mnist"));
    let mirrors: Vec<String> = match env::var("CM_MNIST_MIRROR") {
        Ok(list) if !list.trim().is_empty() => list.split(',').map(|url| url.trim().to_owned()).collect(),
        _ => MIRRORS.map(str::to_owned).to_vec(),
    };
    // The smallest file first, so that a machine without network knows at once.
    let mut files = MNIST_FILES;
    files.sort_by_key(|file| !file.name.contains("t10k-labels"));
    for file in &files {
        let going_on = || !search.interrupter.should_stop();
        download(file, &mirrors, &folder, &Limits::default(), search.progress, &going_on)?;
    }
    Ok(folder)
}
