//! The folder of an experiment: who may write to it, and what is in it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use super::{ExperimentConfig, Results};
use crate::{Error, files, report};

/// A folder that this process alone writes to.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// A folder for a new experiment: not there yet, or without an experiment in it.
    pub(super) fn create(path: &Path, config: &ExperimentConfig) -> Result<Self, Error> {
        let unwritable = |error| match error {
            Error::Io { source, .. } => Error::OutputUnwritable { path: path.to_owned(), source },
            other => other,
        };
        files::create_dir(path).map_err(unwritable)?;
        let folder = Self::lock(path).map_err(unwritable)?;
        if folder.config_path().exists() || folder.results_path().exists() {
            return Err(Error::OutputInUse { path: path.to_owned() });
        }
        files::write_json(&folder.config_path(), config)?;
        Ok(folder)
    }

    /// The folder of an experiment begun before, and its config.
    pub(super) fn resume(path: &Path) -> Result<(Self, ExperimentConfig), Error> {
        if !path.join("config.json").is_file() {
            return Err(Error::NothingToResume { path: path.to_owned() });
        }
        let folder = Self::lock(path)?;
        let config = files::read_json(&folder.config_path(), "start the experiment anew in another folder")?;
        Ok((folder, config))
    }

    fn lock(path: &Path) -> Result<Self, Error> {
        let lock_path = path.join(".lock");
        let lock = File::create(&lock_path).map_err(Error::io("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => Err(Error::OutputLocked { path: path.to_owned() }),
            Err(fs::TryLockError::Error(source)) => {
                Err(Error::Io { action: "lock", path: lock_path, source })
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn config_path(&self) -> PathBuf {
        self.path.join("config.json")
    }

    fn results_path(&self) -> PathBuf {
        self.path.join("results.json")
    }

    /// Results of an earlier session.
    pub(super) fn results(&self) -> Result<Option<Results>, Error> {
        if !self.results_path().is_file() {
            return Ok(None);
        }
        Ok(Some(report::read_results(&self.path)?))
    }
}
