//! A folder for the files of one call.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::{Builder, TempDir};

/// A folder for the files of one call, in memory where the system has such a place.
pub struct Place(TempDir);

impl Place {
    /// An empty folder.
    pub fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        Self(Builder::new().prefix("cm-fuzz-").tempdir_in(parent).expect("a temporary folder can be made"))
    }

    /// Writes a file.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).expect("a temporary file can be written");
        path
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
