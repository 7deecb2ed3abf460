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
    /// A page of somebody else's is where the report would be.
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
