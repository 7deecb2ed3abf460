//! Why a command ended without its result.

use std::{path::PathBuf, process::ExitCode};

use cm_data::DataError;
use cm_record::RecordError;
use cm_report::ReportError;

/// Why a command ended without its result.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Training and studies.
    #[error(transparent)]
    Train(#[from] cm_train::Error),
    /// Data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Files of a study.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Pictures and pages.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A loss that cannot be.
    #[error(transparent)]
    Loss(#[from] cm_loss_core::Error),
    /// A file of settings that cannot be understood.
    #[error("{}: {reason}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        reason: String,
    },
    /// The command did what it was asked for, and found what it looked for.
    #[error("{0}")]
    Found(String),
    /// Ctrl-C, where there is nothing to go on with.
    #[error("stopped before the end")]
    Stopped,
    /// Anything else that a person must know, as a sentence.
    #[error("{0}")]
    Said(String),
}

impl CliError {
    /// The exit code: 130 is what shells give a program that Ctrl-C ended.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Train(error) if error.is_interruption() => ExitCode::from(130),
            Self::Stopped | Self::Data(DataError::Stopped) => ExitCode::from(130),
            Self::Found(_) => ExitCode::from(3),
            _ => ExitCode::FAILURE,
        }
    }
}
