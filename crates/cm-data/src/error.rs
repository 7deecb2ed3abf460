//! What can be wrong with data.

use std::{io, path::PathBuf};

/// Why images could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A gzip file that is not whole.
    #[error("{} cannot be uncompressed ({source}); it is damaged or was not copied whole, replace it by the original", path.display())]
    Compressed {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: io::Error,
    },
    /// A file does not begin as an IDX file of its kind does.
    #[error("{} is not an IDX file of {kind}: its magic number is {found:#010x}, not {expected:#010x}; replace it by the original", path.display())]
    WrongMagic {
        /// The file.
        path: PathBuf,
        /// `images` or `labels`.
        kind: &'static str,
        /// First four bytes.
        found: u32,
        /// What they should be.
        expected: u32,
    },
    /// A file ends before, or goes on after, what its header announces.
    #[error("{} holds {found} bytes of content, but its header announces {expected}; it is damaged or was not copied whole, replace it by the original", path.display())]
    WrongLength {
        /// The file.
        path: PathBuf,
        /// Bytes found, header included.
        found: u64,
        /// Bytes announced, header included.
        expected: u128,
    },
    /// A label that is no class.
    #[error("{}: label {index} is {value}, but labels go from 0 to 9; replace the file by the original", path.display())]
    WrongLabel {
        /// The file.
        path: PathBuf,
        /// Position of the label, from 0.
        index: usize,
        /// The label.
        value: u8,
    },
    /// Images and labels that do not belong together.
    #[error("{} holds {images} images, but {} holds {labels} labels; take both files from the same data set", images_path.display(), labels_path.display())]
    CountsDiffer {
        /// File of the images.
        images_path: PathBuf,
        /// Images in it.
        images: usize,
        /// File of the labels.
        labels_path: PathBuf,
        /// Labels in it.
        labels: usize,
    },
    /// A whole file with other content than MNIST's.
    #[error("{} is not MNIST's: the MD5 sum of its uncompressed content is {found}, not {expected}; delete it to have it downloaded again, or replace it by the original", path.display())]
    WrongChecksum {
        /// The file.
        path: PathBuf,
        /// Sum found.
        found: String,
        /// Sum of the original.
        expected: &'static str,
    },
    /// Some of MNIST's four files, but not all.
    #[error("{} holds some of MNIST's files, but not {}; put them there too, or remove the others to have all downloaded", folder.display(), missing.join(", "))]
    Incomplete {
        /// The folder.
        folder: PathBuf,
        /// Names of the files that are missing.
        missing: Vec<String>,
    },
    /// The folder named by the user is not there.
    #[error("the data folder {} ({origin}) does not exist; name the folder that holds mnist/", path.display())]
    NoSuchFolder {
        /// The folder.
        path: PathBuf,
        /// `--data-dir` or `CM_DATA_DIR`.
        origin: &'static str,
    },
    /// No mirror gave the file.
    #[error("{file} could not be downloaded:\n{}", failures.join("\n"))]
    Download {
        /// The file.
        file: String,
        /// A line for each mirror: its address and what went wrong.
        failures: Vec<String>,
    },
    /// MNIST was insisted on and cannot be had.
    #[error(
        "MNIST is not on this machine and could not be downloaded.\n{reason}\nPut train-images-idx3-ubyte.gz, \
         train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz into a folder named \
         mnist, and give the folder above it by --data-dir or CM_DATA_DIR; or name a mirror by CM_MNIST_MIRROR; or \
         use --data synthetic"
    )]
    NoMnist {
        /// Why the download failed.
        reason: String,
    },
    /// A name that no choice has.
    #[error("there is no {what} named \"{name}\"; choose from {choices}")]
    UnknownName {
        /// Kind of thing.
        what: &'static str,
        /// The name as given.
        name: String,
        /// All names.
        choices: String,
    },
}

impl DataError {
    /// For `map_err`: a [`DataError::Io`] about a path.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
