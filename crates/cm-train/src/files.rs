//! Files that are either whole or not there.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// Writes a file under another name in the same folder, which is made if need be, and then moves it into place:
/// whoever reads finds the old content or the new one, never half of it.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".partial-");
    // Temporary files are private, results are as readable as any other file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Writes a value as indented JSON.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| Error::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
        remedy: "a value in it has no form in JSON".to_owned(),
    })?;
    write_atomically(path, &text).map_err(Error::io("write", path))
}

/// Reads a value from JSON.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path, remedy: &str) -> Result<T, Error> {
    let text = fs::read(path).map_err(Error::io("read", path))?;
    serde_json::from_slice(&text).map_err(|error| Error::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
        remedy: remedy.to_owned(),
    })
}

/// Makes a folder and those above it.
pub(crate) fn create_dir(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(Error::io("create the folder", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_replaces_the_file_and_leaves_no_other_behind() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("new").join("a.txt");
        write_atomically(&path, b"old").expect("written");
        write_atomically(&path, b"new").expect("overwritten");
        assert_eq!(fs::read(&path).expect("read"), b"new");
        assert_eq!(fs::read_dir(folder.path().join("new")).expect("folder").count(), 1);
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_no_other() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a-folder");
        fs::create_dir_all(path.join("in-the-way")).expect("folder");
        write_atomically(&path, b"new").expect_err("a folder is in the way");
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 1);
    }
}
