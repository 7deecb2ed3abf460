//! Checkpoints that are either whole or not there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use burn::{
    lr_scheduler::LrSchedulerRecord,
    optim::OptimizerRecord,
    store::ModuleRecord,
    train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError},
};
use cm_record::files;

/// The three records of a checkpoint.
const PARTS: [&str; 3] = ["model", "optim", "scheduler"];

/// Saves one record of each epoch as `<part>-<epoch>.bpk`, under a temporary name until it is whole.
#[derive(Debug, Clone)]
pub struct AtomicCheckpointer {
    directory: PathBuf,
    part: &'static str,
}

impl AtomicCheckpointer {
    /// The checkpointers of model, optimizer and schedule.
    pub fn all(directory: &Path) -> [Self; 3] {
        PARTS.map(|part| Self { directory: directory.to_owned(), part })
    }

    /// Where the record of an epoch is.
    pub fn path(&self, epoch: usize) -> PathBuf {
        self.directory.join(format!("{}-{epoch}.bpk", self.part))
    }
}

/// The last epoch, not after `limit`, of which every record can be read, and what is wrong with later ones.
pub fn last_readable_epoch(directory: &Path, limit: usize) -> (Option<usize>, Vec<String>) {
    let mut damaged = Vec::new();
    for epoch in (1..=limit).rev() {
        match read_all(directory, epoch) {
            Some(Ok(())) => return (Some(epoch), damaged),
            Some(Err(reason)) => damaged.push(reason),
            None => {}
        }
    }
    (None, damaged)
}

/// What an error says at its root: Burn's are nested three deep, each saying the same in other words.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Reads the records of an epoch, for Burn would panic at one that it cannot read. `None` where one is missing.
fn read_all(directory: &Path, epoch: usize) -> Option<Result<(), String>> {
    fn read<R: Checkpoint>(part: &AtomicCheckpointer, epoch: usize) -> Result<(), String> {
        let restored: Result<R, _> = part.restore(epoch);
        restored.map(drop).map_err(|error| format!("{}: {}", part.path(epoch).display(), innermost(&error)))
    }
    let [model, optimizer, scheduler] = AtomicCheckpointer::all(directory);
    let whole = [&model, &optimizer, &scheduler].iter().all(|part| part.path(epoch).is_file());
    whole.then(|| {
        read::<ModuleRecord>(&model, epoch)?;
        read::<OptimizerRecord>(&optimizer, epoch)?;
        read::<LrSchedulerRecord>(&scheduler, epoch)
    })
}

impl<R: Checkpoint> Checkpointer<R> for AtomicCheckpointer {
    fn save(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        let path = self.path(epoch);
        let written = record
            .checkpoint_into_bytes()
            .map_err(CheckpointerError::Record)
            .and_then(|bytes| files::write_atomically(&path, &bytes).map_err(CheckpointerError::IOError));
        written
            .map_err(|error| CheckpointerError::Unknown(format!("cannot write {}: {error}", path.display())))
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
