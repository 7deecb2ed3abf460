//! What can go wrong with the files of a study.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::RESULTS_FORMAT;

/// Why a file of a study could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, for example `write`.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{} is damaged ({reason}); {remedy}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// The way out.
        remedy: String,
    },
    /// There is no results record in the folder.
    #[error("there is no {}: name the folder that a study wrote its results to", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The results record was written by a version that lays it out differently.
    #[error(
        "{} has results format {found}, this program reads format {RESULTS_FORMAT}: use the version that wrote it",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// Its format number.
        found: u64,
    },
    /// Another process works in the folder.
    #[error("another process is working in {}: wait for it to end, or name another folder", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// A line of a features file cannot be read.
    #[error("{}, line {line}: {reason}", path.display())]
    Features {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1 with the header.
        line: u64,
        /// What is wrong there.
        reason: String,
    },
}

impl RecordError {
    /// For `map_err`: a [`RecordError::Io`] about a path.
    pub fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { action, path, source }
    }
}
