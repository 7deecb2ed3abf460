//! How a data set is to be read.

use std::path::PathBuf;

use crate::DecodeLimits;

/// How a data set is to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenOptions {
    /// Whether every image must have a class. Without, a folder of images, a list without labels
    /// and a single image can be opened too.
    pub labels_required: bool,
    /// Classes in the order of a model that is there already. Other classes are then an error,
    /// and missing ones none.
    pub classes: Option<Vec<String>>,
    /// Where the paths of a list begin, a folder or a zip file; where the list lies if not given.
    pub root: Option<PathBuf>,
    /// Whether the files that a list names must be there. Without, one that is missing is found out when it is read.
    pub files_required: bool,
    /// What the columns of a list are called.
    pub columns: ColumnNames,
    /// What decoding an image may use.
    pub decode: DecodeLimits,
    /// What reading files may use.
    pub read: ReadLimits,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            labels_required: true,
            classes: None,
            root: None,
            files_required: true,
            columns: ColumnNames::default(),
            decode: DecodeLimits::default(),
            read: ReadLimits::default(),
        }
    }
}

/// What the columns of a list are called, where it is not what they are usually called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnNames {
    /// Paths of the images: `path`, `file`, `filename` or `image` if not given.
    pub path: Option<String>,
    /// Classes: `label` or `class` if not given.
    pub label: Option<String>,
    /// What images share with others: `group` if not given.
    pub group: Option<String>,
    /// Sides: `split` if not given.
    pub split: Option<String>,
    /// How much images count: `weight` if not given.
    pub weight: Option<String>,
}

/// What reading files may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Most bytes of one image, as it lies in a file or comes out of an archive.
    pub file: u64,
    /// Most bytes that all files of an archive announce together.
    pub archive: u64,
    /// How many times larger than the archive its files may be together, and an entry than it is
    /// packed. Entries below [`ReadLimits::SMALL`] bytes may be packed as well as can be.
    pub ratio: u64,
}

impl ReadLimits {
    /// Bytes up to which the ratio does not matter.
    pub const SMALL: u64 = 16 << 20;
}

impl Default for ReadLimits {
    /// 512 MiB for an image, 1 TiB for an archive, 200 times as large as packed.
    fn default() -> Self {
        Self { file: 512 << 20, archive: 1 << 40, ratio: 200 }
    }
}
