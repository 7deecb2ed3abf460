//! What can go wrong while a report is read, drawn or written.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::experiment::RESULTS_FORMAT;

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}; when that is mended, `--resume` goes on where it stopped, and `cargo xtask report` \
             draws the report again", path.display())]
    Io {
        /// What was tried, for example `write`.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// There is no results record in the folder.
    #[error("there is no {}: name the folder that an experiment wrote its results to", path.display())]
    ResultsMissing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The results record is not what this program writes.
    #[error(
        "{} is not a results record: {source}. Restore the file, or run the experiment again with the same settings",
        path.display()
    )]
    ResultsMalformed {
        /// The file.
        path: PathBuf,
        /// What the parser found, with line and column.
        source: serde_json::Error,
    },
    /// The results record was written by a version that lays it out differently.
    #[error(
        "{} has results format {found}, this program reads format {RESULTS_FORMAT}: \
         make the report with the version that trained it",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// Its format number.
        found: u64,
    },
    /// The results record could not be turned into JSON.
    #[error("cannot express the results as JSON: {0}")]
    NotJson(#[source] serde_json::Error),
    /// A features file that the results record names does not exist.
    #[error("there is no features file {}, which the results of {loss} name: run that training again", path.display())]
    FeaturesMissing {
        /// Where it was looked for.
        path: PathBuf,
        /// The loss whose run names it.
        loss: String,
    },
    /// A line of a features file cannot be read.
    #[error("{}, line {line}: {reason}", path.display())]
    FeaturesMalformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1 with the header.
        line: u64,
        /// What is wrong there.
        reason: String,
    },
    /// There are not as many lists of feature rows as runs.
    #[error("{runs} runs, but feature rows of {features}: give one list of rows for each run")]
    FeaturesMismatch {
        /// Number of runs in the record.
        runs: usize,
        /// Number of lists of rows.
        features: usize,
    },
    /// A picture could not be drawn.
    #[error("cannot draw the picture {figure}: {reason}")]
    Drawing {
        /// Name of the picture.
        figure: String,
        /// What the drawing library said.
        reason: String,
    },
    /// A picture was drawn, but not turned into pixels.
    #[error("cannot render the picture {figure} as PNG: {reason}")]
    Rendering {
        /// Name of the picture.
        figure: String,
        /// What the rendering library said.
        reason: String,
    },
}

impl ReportError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}
