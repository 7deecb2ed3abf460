//! What can go wrong, and the way out.

use std::{
    io,
    path::{Path, PathBuf},
};

use cm_data::DataError;
use cm_models::{BackboneError, WeightsError};
use cm_record::RecordError;

use crate::device::Backend;

/// Why a training or a study ended without its result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A model that ONNX has no operations for.
    #[error("this model cannot be written as ONNX: {reason}")]
    NotExportable {
        /// Why.
        reason: String,
    },
    /// Reading or making data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Reading or writing the files of a study.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A loss that cannot be computed.
    #[error(transparent)]
    Loss(#[from] cm_loss_core::Error),
    /// A network that cannot be made.
    #[error(transparent)]
    Backbone(#[from] BackboneError),
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
        "this program was built without the backend {backend}; `cargo xtask` builds what `--backend {backend}` needs, \
         `--features {backend}` does when you build it yourself"
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
    /// No device has this number.
    #[error(
        "there is no device {backend}:{number}; the backend {backend} has {}",
        counted(*backend, *found)
    )]
    NoSuchDevice {
        /// The backend.
        backend: Backend,
        /// The number asked for.
        number: usize,
        /// Devices that there are.
        found: usize,
    },
    /// The program was built without remote devices.
    #[error(
        "this program was built without devices of other machines; install it by `cargo install --path crates/cm-cli \
         --features remote`, or run `cargo xtask` in a checkout"
    )]
    RemoteMissing,
    /// A server of devices that cannot be reached, or cannot serve.
    #[error(
        "the devices at {url} cannot be used: {reason}; `cm serve` must run there, with the same CM_TOKEN if it has one"
    )]
    Server {
        /// Its address.
        url: String,
        /// What the network said.
        reason: String,
    },
    /// More devices than a batch has images.
    #[error(
        "{devices} devices cannot share batches of {most} images; make batches larger, or name fewer by --devices"
    )]
    TooManyDevices {
        /// Devices.
        devices: usize,
        /// Images of a batch, or of the set if it has fewer.
        most: usize,
    },
    /// No address of a server.
    #[error(
        "\"{value}\" is no server of devices: its address is ws://HOST:PORT, or ws://HOST:PORT/1 for its second device"
    )]
    ServerAddress {
        /// What was given.
        value: String,
    },
    /// What stands after the name of a backend is no number.
    #[error("\"{value}\" is no number of a device; devices are named as in cuda, cuda:1 or cuda:0,1")]
    DeviceNumber {
        /// What stands there.
        value: String,
    },
    /// A number or name that cannot be used.
    #[error("--{option} must be {allowed}, but is {value}")]
    Option {
        /// Name of the option.
        option: String,
        /// What is allowed.
        allowed: String,
        /// What was given.
        value: String,
    },
    /// A choice in the file of a study that cannot be used.
    #[error("{key} in the study must be {allowed}, but is {value}")]
    StudyKey {
        /// Its name in the file.
        key: &'static str,
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
    /// The output folder already holds a study.
    #[error(
        "{0} already holds a study; go on with it by `--resume {1}`, rebuild its report by the command `report {1}`, or \
         choose another folder with `--out`",
        path.display(), quoted(path)
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
    #[error(
        "{} holds no study to resume (no config.json); start one with `--out {}`",
        path.display(), quoted(path)
    )]
    NothingToResume {
        /// The folder.
        path: PathBuf,
    },
    /// A study that another command began.
    #[error("{} holds a study of another kind ({recorded}); go on with it by the command that began it", path.display())]
    OtherApplication {
        /// The folder.
        path: PathBuf,
        /// What began it.
        recorded: String,
    },
    /// Data changed between the start of a study and its resumption.
    #[error(
        "{} was begun on other data than is found now: {difference}; give it the same data, or start anew in another \
         folder with `--out`",
        path.display()
    )]
    DataChanged {
        /// The study's folder.
        path: PathBuf,
        /// What differs, as recorded and as found.
        difference: String,
    },
    /// A setting changed between the start of a study and its resumption.
    #[error(
        "{} was begun with {name} = {recorded}, and not with {found}; only the epochs may be raised; a \
         study may also get more losses, dimensions and seeds; start anew in another folder with `--out`",
        path.display()
    )]
    SettingChanged {
        /// The study's folder.
        path: PathBuf,
        /// The setting.
        name: String,
        /// Its value in `config.json`.
        recorded: String,
        /// Its value now.
        found: String,
    },
    /// A file that holds no model, or one that does not fit.
    #[error("{}: {reason}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what would fit.
        reason: String,
    },
    /// Weights that cannot be written or read.
    #[error("{}: {source}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: WeightsError,
    },
    /// Ctrl-C before there is anything to go on with.
    #[error("stopped before anything was trained")]
    Stopped,
    /// Ctrl-C, or a request to end.
    #[error("stopped before the end; go on with `{resume}`")]
    Interrupted {
        /// The command that goes on.
        resume: String,
    },
    /// Training failed.
    #[error("training of {run} failed: {reason}; what was written before is intact, go on with `{resume}`")]
    Training {
        /// Loss, dimension and seed.
        run: String,
        /// The cause.
        reason: String,
        /// The command that goes on.
        resume: String,
    },
    /// Every run of a study diverged.
    #[error(
        "{}; a smaller --learning-rate helps, in a new folder. The records are in {}",
        reasons.join("; "), path.display()
    )]
    Diverged {
        /// One sentence for each run.
        reasons: Vec<String>,
        /// The study's folder.
        path: PathBuf,
    },
}

impl Error {
    /// Whether the user asked for the stop.
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Interrupted { .. } | Self::Stopped)
    }

    /// For `map_err`: an [`Error::Io`] about a path.
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// An [`Error::StudyKey`].
    pub fn study_key(key: &'static str, allowed: &str, value: impl std::fmt::Display) -> Self {
        Self::StudyKey { key, allowed: allowed.to_owned(), value: value.to_string() }
    }

    /// An [`Error::Option`].
    pub fn option(option: &str, allowed: &str, value: impl std::fmt::Display) -> Self {
        Self::Option { option: option.to_owned(), allowed: allowed.to_owned(), value: value.to_string() }
    }
}

/// The devices of a backend, by name.
fn counted(backend: Backend, count: usize) -> String {
    match count {
        0 => "none".to_owned(),
        1 => format!("{backend}:0 and no other"),
        _ => format!("{backend}:0 to {backend}:{}", count - 1),
    }
}

/// A path as a shell takes it.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+:@%,=".contains(letter);
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_where_a_shell_would_part_them() {
        assert_eq!(quoted(Path::new("runs/a-1")), "runs/a-1");
        assert_eq!(quoted(Path::new("my runs/a")), "'my runs/a'");
        assert_eq!(quoted(Path::new("it's")), r"'it'\''s'");
    }
}
