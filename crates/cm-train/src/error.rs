//! What can go wrong, and the way out.

use std::{io, path::PathBuf};

use crate::{data::DataError, device::Backend, report::ReportError};

/// Why a command ended without its result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading or making data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Reading or writing results and pictures.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A loss that cannot be computed.
    #[error(transparent)]
    Loss(#[from] cm_loss_core::Error),
    /// A file or folder could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted, for example `create the folder`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// No backend has this name.
    #[error(
        "there is no backend named \"{name}\"; the backends are flex, ndarray, wgpu, vulkan, metal, cuda, rocm"
    )]
    UnknownBackend {
        /// The name as given.
        name: String,
    },
    /// The program was built without this backend.
    #[error(
        "this program was built without the backend {backend}; build it in with `cargo xtask reproduce mnist \
         --backend {backend}`, or `--features {backend}` when you build it yourself"
    )]
    BackendMissing {
        /// The backend asked for.
        backend: Backend,
    },
    /// The backend finds nothing to run on.
    #[error(
        "the backend {backend} cannot be used on this machine ({reason}); `--backend flex` runs on every CPU"
    )]
    DeviceUnavailable {
        /// The backend asked for.
        backend: Backend,
        /// What its driver said.
        reason: String,
    },
    /// A number on the command line that cannot be used.
    #[error("--{option} must be {allowed}, but is {value}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// What is allowed.
        allowed: String,
        /// What was given.
        value: String,
    },
    /// The output folder cannot be made or written to.
    #[error("cannot write to the folder {}: {source}; choose another with `--out`", path.display())]
    OutputUnwritable {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The output folder already holds an experiment.
    #[error(
        "{} already holds an experiment; go on with it by `--resume {}`, rebuild its report by `cargo xtask report {}`, or \
         choose another folder with `--out`", path.display(), path.display(), path.display()
    )]
    OutputInUse {
        /// The folder.
        path: PathBuf,
    },
    /// Another process writes to the output folder.
    #[error("another process is working in {}; wait for it to end or choose another folder with `--out`", path.display())]
    OutputLocked {
        /// The folder.
        path: PathBuf,
    },
    /// There is nothing to go on with.
    #[error("{} holds no experiment to resume (no config.json); start one with `--out {}`", path.display(), path.display())]
    NothingToResume {
        /// The folder.
        path: PathBuf,
    },
    /// A file of an experiment cannot be understood.
    #[error("{} is damaged ({reason}); {remedy}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// The way out.
        remedy: String,
    },
    /// Data changed between the start of an experiment and its resumption.
    #[error("{} was begun on other data ({recorded}) than is found now ({found}); give it the same data, or start anew", path.display())]
    DataChanged {
        /// The experiment's folder.
        path: PathBuf,
        /// Data set and checksum in its config.
        recorded: String,
        /// Data set and checksum now.
        found: String,
    },
    /// An experiment was begun on another backend.
    #[error("{} was begun on the backend {recorded}; go on with `--backend {recorded}`, or start anew in another folder", path.display())]
    BackendChanged {
        /// The experiment's folder.
        path: PathBuf,
        /// Backend in its record.
        recorded: String,
    },
    /// A training whose numbers left the range of numbers.
    #[error(
        "{run} diverged: the {what} was {value} in epoch {epoch}. A smaller --learning-rate helps, in a new folder; the \
         other runs are in {}, see its report.html", path.display()
    )]
    Diverged {
        /// Loss, dimension and seed.
        run: String,
        /// The number that is none.
        what: &'static str,
        /// `NaN` or an infinity.
        value: f64,
        /// The epoch, from 1.
        epoch: usize,
        /// The experiment's folder.
        path: PathBuf,
    },
    /// Ctrl-C, or a request to end.
    #[error("stopped before the end; go on with `--resume {}`", path.display())]
    Interrupted {
        /// The experiment's folder.
        path: PathBuf,
    },
    /// Training failed.
    #[error("training of {run} failed: {reason}; checkpoints written so far are intact, go on with `--resume {}`", path.display())]
    Training {
        /// Loss, dimension and seed.
        run: String,
        /// The cause.
        reason: String,
        /// The experiment's folder.
        path: PathBuf,
    },
}

impl Error {
    /// Whether the user asked for the stop.
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Interrupted { .. })
    }

    /// For `map_err`: an [`Error::Io`] about a path.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
