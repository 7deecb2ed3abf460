//! Checkpoints that are either whole or not there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use burn::train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError};

/// The three records of a checkpoint.
const PARTS: [&str; 3] = ["model", "optim", "scheduler"];

/// Saves one record of each epoch as `<part>-<epoch>.bpk`, under a temporary name until it is whole.
#[derive(Debug, Clone)]
pub struct AtomicCheckpointer {
    directory: PathBuf,
    part: &'static str,
}

impl AtomicCheckpointer {
    /// The checkpointers of model, optimiser and schedule.
    pub fn all(directory: &Path) -> [Self; 3] {
        PARTS.map(|part| Self { directory: directory.to_owned(), part })
    }

    fn path(&self, epoch: usize) -> PathBuf {
        self.directory.join(format!("{}-{epoch}.bpk", self.part))
    }
}

/// The last epoch, not after `limit`, of which all records are there.
pub fn last_whole_epoch(directory: &Path, limit: usize) -> Option<usize> {
    let whole = |&epoch: &usize| {
        AtomicCheckpointer::all(directory).iter().all(|checkpointer| checkpointer.path(epoch).is_file())
    };
    (1..=limit).rev().find(whole)
}

impl<R: Checkpoint> Checkpointer<R> for AtomicCheckpointer {
    fn save(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        let path = self.path(epoch);
        let partial = path.with_extension("bpk.partial");
        let named = |error| CheckpointerError::Unknown(format!("cannot write {}: {error}", path.display()));
        let written = record.save(partial.clone()).and_then(|()| {
            let io = CheckpointerError::IOError;
            fs::File::open(&partial).and_then(|file| file.sync_all()).map_err(io)?;
            fs::rename(&partial, &path).map_err(io)
        });
        written.map_err(|error| {
            // What is left of a failed write only takes room; the error to report is the write's.
            let _ = fs::remove_file(&partial);
            named(error)
        })
    }

    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        match fs::remove_file(self.path(epoch)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(CheckpointerError::IOError(error))
            }
            _ => Ok(()),
        }
    }

    fn restore(&self, epoch: usize) -> Result<R, CheckpointerError> {
        R::load(self.path(epoch))
    }
}
