//! Which digits are used, and where they come from.

use std::{
    collections::BTreeMap,
    env, fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use super::{DataError, LabelledImages, Limits, MNIST_FILES, download, mnist, read_mnist, synthetic_digits};

/// Public copies of MNIST, tried in this order. `CM_MNIST_MIRROR` replaces them.
const MIRRORS: [&str; 3] = [
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
];

/// Name of the data set in every table and picture.
pub const MNIST: &str = "MNIST";

/// Which digits to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataChoice {
    /// MNIST, or synthetic digits where it is not on the machine and cannot be downloaded.
    Auto,
    /// MNIST or nothing.
    Mnist,
    /// Synthetic digits.
    Synthetic,
}

/// A training set and a test set.
#[derive(Debug, Clone)]
pub struct DataSet {
    /// `MNIST` or `synthetic digits`.
    pub name: &'static str,
    /// Where it came from, as a person would say it.
    pub source: String,
    /// What a person should know before it is used: that it is not what was looked for.
    pub notice: Option<&'static str>,
    /// Checksums of the uncompressed files, or of the generated pixels and labels.
    pub checksums: BTreeMap<String, String>,
    /// Images to learn from.
    pub train: LabelledImages,
    /// Images to test on.
    pub test: LabelledImages,
}

/// Where to look, and how much is wanted.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Folder that holds `mnist/`, if the user named one.
    pub data_dir: Option<PathBuf>,
    /// Training images, spread evenly over the set; all of MNIST's, or 60,000 synthetic digits, if not given.
    pub train_images: Option<usize>,
    /// Test images, spread evenly over the set; all of MNIST's, or 10,000 synthetic digits, if not given.
    pub test_images: Option<usize>,
    /// Seed of the synthetic digits.
    pub seed: u64,
    /// Whether a download shows a progress bar.
    pub progress: bool,
}

/// Finds, downloads or draws digits.
///
/// MNIST is looked for in [`LoadOptions::data_dir`], in the folder that the environment variable `CM_DATA_DIR`
/// names, and in the user's data folder, into which it is downloaded if it is nowhere. MNIST that is there but
/// damaged is an error and never replaced by anything else.
///
/// # Errors
///
/// [`DataError`]; with [`DataChoice::Mnist`] also [`DataError::NoMnist`] if it cannot be had.
pub fn load(choice: DataChoice, options: &LoadOptions) -> Result<DataSet, DataError> {
    if choice == DataChoice::Synthetic {
        return Ok(synthetic(options, None));
    }
    if let Some(folder) = find_mnist(options.data_dir.as_deref())? {
        return from_folder(&folder, options);
    }
    match download_mnist(options.progress) {
        Ok(folder) => from_folder(&folder, options),
        // Also where the user has no folder that can be written to.
        Err(DataError::Download { .. } | DataError::Io { .. }) if choice == DataChoice::Auto => {
            Ok(synthetic(
                options,
                Some(
                    "MNIST is not on this machine and could not be downloaded (`--data mnist` says why): training on \
                 synthetic digits instead",
                ),
            ))
        }
        Err(error) => Err(DataError::NoMnist { reason: error.to_string() }),
    }
}

fn synthetic(options: &LoadOptions, notice: Option<&'static str>) -> DataSet {
    let train = options.train_images.unwrap_or(60_000);
    let test = options.test_images.unwrap_or(10_000);
    DataSet { notice, ..synthetic_digits(train, test, options.seed) }
}

fn from_folder(folder: &Path, options: &LoadOptions) -> Result<DataSet, DataError> {
    let (train, test, checksums) = read_mnist(folder)?;
    Ok(DataSet {
        name: MNIST,
        source: folder.display().to_string(),
        notice: None,
        checksums,
        train: train.thinned(options.train_images.unwrap_or(usize::MAX)),
        test: test.thinned(options.test_images.unwrap_or(usize::MAX)),
    })
}

/// The first folder in the order of search that holds a file of MNIST's.
fn find_mnist(data_dir: Option<&Path>) -> Result<Option<PathBuf>, DataError> {
    let variable = env::var_os("CM_DATA_DIR").filter(|value| !value.is_empty()).map(PathBuf::from);
    let named = [(data_dir.map(Path::to_owned), "--data-dir"), (variable, "CM_DATA_DIR")];
    for (path, origin) in named {
        let Some(path) = path else { continue };
        if !path.is_dir() {
            return Err(DataError::NoSuchFolder { path, origin });
        }
        let folders = [path.join("mnist"), path];
        if let Some(folder) = folders.into_iter().find(|folder| mnist::any_in(folder)) {
            return Ok(Some(folder));
        }
    }
    // What an interrupted download left in the user's folder is not yet MNIST: the rest is downloaded.
    Ok(user_folder().filter(|folder| mnist::all_in(folder)))
}

/// `cm-loss/mnist` in the user's data folder.
fn user_folder() -> Option<PathBuf> {
    dirs::data_dir().map(|folder| folder.join("cm-loss").join("mnist"))
}

fn download_mnist(progress: bool) -> Result<PathBuf, DataError> {
    let folder = user_folder().unwrap_or_else(|| PathBuf::from("data/mnist"));
    let mirrors: Vec<String> = match env::var("CM_MNIST_MIRROR") {
        Ok(list) if !list.trim().is_empty() => list.split(',').map(|url| url.trim().to_owned()).collect(),
        _ => MIRRORS.map(str::to_owned).to_vec(),
    };
    // The smallest file first, so that a machine without network knows at once.
    let mut files = MNIST_FILES;
    files.sort_by_key(|file| !file.name.contains("t10k-labels"));
    for file in &files {
        download(file, &mirrors, &folder, &Limits::default(), progress)?;
    }
    Ok(folder)
}

impl fmt::Display for DataChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Mnist => "mnist",
            Self::Synthetic => "synthetic",
        })
    }
}

impl FromStr for DataChoice {
    type Err = DataError;

    fn from_str(name: &str) -> Result<Self, DataError> {
        let choices = [Self::Auto, Self::Mnist, Self::Synthetic];
        let found = choices.into_iter().find(|choice| choice.to_string() == name);
        found.ok_or_else(|| DataError::UnknownName {
            what: "data set",
            name: name.to_owned(),
            choices: "auto, mnist, synthetic".to_owned(),
        })
    }
}
