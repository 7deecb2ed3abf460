//! Why pairs of images cannot be used.

use std::path::PathBuf;

use crate::{PickleProblem, error::some_of};

/// Why pairs of images cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PairsProblem {
    /// A `.bin` file that is no pickle of data.
    #[error(transparent)]
    Pickle(#[from] PickleProblem),
    /// A `.bin` file with something else in it.
    #[error(
        "it holds {found} in the place of {expected}; a verification set is a list of encoded images, two for each pair, and a list \
         of truth values"
    )]
    Content {
        /// What is there.
        found: String,
        /// What should be.
        expected: &'static str,
    },
    /// More or fewer images than the pairs have.
    #[error(
        "it holds {images} images and says of {pairs} pairs whether they are the same; each pair has two images"
    )]
    Counts {
        /// Images.
        images: usize,
        /// Pairs.
        pairs: usize,
    },
    /// Not one pair.
    #[error("there is no pair in it")]
    Empty,
    /// Bytes that are no text.
    #[error("line {line} is not valid UTF-8; save it as UTF-8")]
    NotUtf8 {
        /// The line.
        line: usize,
    },
    /// A first line that says nothing of what follows.
    #[error(
        "its first line is \"{text}\"; in LFW's form it is the number of pairs of one person (or of folds, and of such pairs in each), \
         and in a table the names of the columns, such as first,second,same"
    )]
    FirstLine {
        /// What it says, shortened.
        text: String,
    },
    /// A line that is no pair.
    #[error("line {line} is \"{text}\", but has to be a name and two numbers, or a name and a number twice")]
    Line {
        /// The line.
        line: usize,
        /// What it says, shortened.
        text: String,
    },
    /// Pairs of one person where others are announced, or the other way round.
    #[error(
        "line {line} is a pair of {found}, but by the first line it has to be one of {expected}; the file was changed or cut"
    )]
    WrongKind {
        /// The line.
        line: usize,
        /// What it is.
        found: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// More or fewer pairs than the first line announces.
    #[error(
        "it holds {found} pairs and announces {announced}; it was not copied whole, replace it by the original"
    )]
    Fewer {
        /// Pairs that are there.
        found: usize,
        /// Pairs that should be.
        announced: usize,
    },
    /// A column that must be there.
    #[error(
        "there is no column for {what} ({looked_for}); there are {}; rename one or add it",
        some_of(found, ", ")
    )]
    MissingColumn {
        /// What the column is for.
        what: &'static str,
        /// What it may be called.
        looked_for: &'static str,
        /// Columns that are there.
        found: Vec<String>,
    },
    /// A cell that is wrong.
    #[error("line {line}: the {what} is \"{value}\", but has to be {expected}")]
    Cell {
        /// The line.
        line: usize,
        /// What the cell is for.
        what: &'static str,
        /// What it says.
        value: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// Several folders that may hold the images.
    #[error(
        "several folders may hold its images: {}; name the one that does",
        some_of(&folders.iter().map(|folder| folder.display()).collect::<Vec<_>>(), ", ")
    )]
    SeveralFolders {
        /// The folders.
        folders: Vec<PathBuf>,
    },
    /// Files that are named and not there.
    #[error(
        "{} of the {images} images that it names are not in {}: {}; name the folder that holds them, or have the pairs of missing images \
         counted as errors",
        files.len(),
        root.display(),
        some_of(files, ", ")
    )]
    MissingFiles {
        /// Files that are missing.
        files: Vec<String>,
        /// Images that are named.
        images: usize,
        /// Where they should be.
        root: PathBuf,
    },
}
