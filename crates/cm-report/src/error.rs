//! What can go wrong while a report is drawn or written.

use std::path::PathBuf;

use cm_record::RecordError;

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A file of the study could not be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// There are not as many tables of features as runs.
    #[error("{runs} runs, but tables of features for {features}: give one for each run, or `None`")]
    FeaturesMismatch {
        /// Number of runs in the record.
        runs: usize,
        /// Number of tables.
        features: usize,
    },
    /// Somebody else's page is where the report would be.
    #[error("{} was not written by this program; move it away, and make the report again", path.display())]
    NotOurs {
        /// The page.
        path: PathBuf,
    },
    /// A picture could not be drawn.
    #[error("cannot draw the picture {figure}: {reason}")]
    Drawing {
        /// Name of the picture.
        figure: String,
        /// What is wrong with what it should show, or what the drawing library said.
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
    /// A [`ReportError::Drawing`].
    pub(crate) fn drawing(figure: &str, reason: impl Into<String>) -> Self {
        Self::Drawing { figure: figure.to_owned(), reason: reason.into() }
    }
}
