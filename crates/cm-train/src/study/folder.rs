//! The folder of a study: who may write to it, and what is in it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use cm_record::{FolderLock, LOCK_FILE, RESULTS_FILE, RecordError, Results, files};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;

const CONFIG: &str = "config.json";

/// The content of `config.json`: the single source of what was chosen.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    application: String,
    settings: Value,
}

/// A folder that this process alone writes to.
#[derive(Debug)]
pub struct StudyFolder {
    path: PathBuf,
    /// Folders made for it, the outermost first. They go again if nothing comes into them.
    made: Vec<PathBuf>,
    _lock: FolderLock,
}

impl StudyFolder {
    /// A folder for a new study: not there yet, or without a study in it. Until [`begin`](Self::begin) nothing is in
    /// it, and if it is dropped before, it is as if it had never been.
    ///
    /// # Errors
    ///
    /// [`Error::OutputUnwritable`], [`Error::OutputInUse`] or [`Error::OutputLocked`].
    pub fn create(path: &Path) -> Result<Self, Error> {
        let unwritable = |source| Error::OutputUnwritable { path: path.to_owned(), source };
        let mut made: Vec<PathBuf> = path
            .ancestors()
            .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
            .map(Path::to_owned)
            .collect();
        made.reverse();
        fs::create_dir_all(path).map_err(unwritable)?;
        let lock = lock(path).map_err(|error| match error {
            Error::Io { source, .. } => unwritable(source),
            other => other,
        })?;
        let folder = Self { path: path.to_owned(), made, _lock: lock };
        if path.join(CONFIG).exists() || path.join(RESULTS_FILE).exists() {
            return Err(Error::OutputInUse { path: path.to_owned() });
        }
        Ok(folder)
    }

    /// Stores what was chosen: the folder now holds a study. [`run`](super::run) does it once nothing is in the way.
    ///
    /// # Errors
    ///
    /// [`Error::Record`] if it cannot be written.
    pub fn begin(&self, application: &str, settings: &impl Serialize) -> Result<(), Error> {
        let path = self.path.join(CONFIG);
        let settings = to_value(settings)?;
        let stored = Stored { application: application.to_owned(), settings };
        Ok(files::write_json(&path, &stored)?)
    }

    /// The folder of a study begun before by the same application, and what was chosen then. What a killed program
    /// left unfinished is removed.
    ///
    /// # Errors
    ///
    /// [`Error::NothingToResume`], [`Error::OutputLocked`], [`Error::OtherApplication`], and [`Error::Record`] if the
    /// file is damaged.
    pub fn resume<T: for<'de> Deserialize<'de>>(path: &Path, application: &str) -> Result<(Self, T), Error> {
        let config = config_of(path)?;
        let lock = lock(path)?;
        let folder = Self { path: path.to_owned(), made: Vec::new(), _lock: lock };
        let stored = stored(&config)?;
        if stored.application != application {
            return Err(Error::OtherApplication { path: path.to_owned(), recorded: stored.application });
        }
        let settings = serde_json::from_value(stored.settings).map_err(|error| RecordError::Damaged {
            path: config,
            reason: error.to_string(),
            remedy: "if another version of this program wrote it, go on with that one; otherwise restore the file, or \
                     start the study anew in another folder"
                .to_owned(),
        })?;
        let runs = fs::read_dir(path.join("runs")).into_iter().flatten().flatten().map(|entry| entry.path());
        let of_runs = runs.flat_map(|run| [run.join("checkpoint"), run]);
        for leftovers in [path.to_owned(), path.join("features")].into_iter().chain(of_runs) {
            files::remove_leftovers(&leftovers, Duration::ZERO);
        }
        Ok((folder, settings))
    }

    /// The application of a study begun before.
    ///
    /// # Errors
    ///
    /// [`Error::NothingToResume`], and [`Error::Record`] if the file is damaged.
    pub fn application(path: &Path) -> Result<String, Error> {
        Ok(stored(&config_of(path)?)?.application)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Results of an earlier session.
    ///
    /// # Errors
    ///
    /// [`Error::Record`] if they cannot be read.
    pub fn results(&self) -> Result<Option<Results>, Error> {
        match Results::read(&self.path) {
            Ok(results) => Ok(Some(results)),
            Err(RecordError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for StudyFolder {
    fn drop(&mut self) {
        if self.path.join(CONFIG).exists() {
            return;
        }
        // Whatever cannot be removed is not empty or not ours.
        let _ = fs::remove_file(self.path.join(LOCK_FILE));
        for folder in self.made.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Where the choices of a study are, if there is one in the folder.
fn config_of(path: &Path) -> Result<PathBuf, Error> {
    let config = path.join(CONFIG);
    match config.is_file() {
        true => Ok(config),
        false => Err(Error::NothingToResume { path: path.to_owned() }),
    }
}

fn stored(config: &Path) -> Result<Stored, Error> {
    let remedy = "restore the file, or start the study anew in another folder";
    Ok(files::read_json(config, remedy)?)
}

fn lock(path: &Path) -> Result<FolderLock, Error> {
    FolderLock::take(path).map_err(|error| match error {
        RecordError::Locked { path } => Error::OutputLocked { path },
        RecordError::Io { action, path, source } => Error::Io { action, path, source },
        other => other.into(),
    })
}

/// Settings in the form that JSON has for them, as they are stored and compared. By way of the text, in which a number of
/// 32 bits is as short as it was written.
///
/// # Errors
///
/// [`Error::Option`] for a value that JSON has not.
pub fn to_value(settings: &impl Serialize) -> Result<Value, Error> {
    let value = serde_json::to_string(settings).and_then(|text| serde_json::from_str(&text));
    value.map_err(|error| Error::option("config", "values that JSON has", error))
}
