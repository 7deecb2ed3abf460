//! A folder that one process at a time works in.

use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

use crate::RecordError;

/// Name of the file that is locked. It stays behind, empty, when the lock is gone.
pub const LOCK_FILE: &str = ".lock";

/// A folder that no other process works in while this value lives.
///
/// The system gives the lock back when a process ends, however it ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock of a folder, which must be there.
    ///
    /// # Errors
    ///
    /// [`RecordError::Locked`] if somebody else has it, at once; [`RecordError::Io`] where the
    /// system refuses.
    pub fn take(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(LOCK_FILE);
        let file = open(&path).map_err(RecordError::io("create", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(RecordError::Locked { path: folder.to_owned() }),
            Err(TryLockError::Error(source)) => Err(RecordError::Io { action: "lock", path, source }),
        }
    }
}

/// An old content is left alone: the file may be anything that happens to have this name.
fn open(path: &Path) -> std::io::Result<File> {
    fs::OpenOptions::new().create(true).truncate(false).write(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_folder_is_refused_until_the_lock_is_gone() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let lock = FolderLock::take(folder.path()).expect("nobody has it");
        let error = FolderLock::take(folder.path()).expect_err("it is taken");
        assert!(matches!(&error, RecordError::Locked { path } if path == folder.path()), "{error}");
        assert!(error.to_string().contains("another process is working in"), "{error}");
        drop(lock);
        FolderLock::take(folder.path()).expect("it was given back");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let error = FolderLock::take(&folder.path().join("none")).expect_err("there is no folder");
        assert!(error.to_string().contains("none"), "{error}");
    }
}
