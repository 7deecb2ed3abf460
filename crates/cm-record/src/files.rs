//! Files that are either whole or not there.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::RecordError;

/// How the names of unfinished files begin.
const PARTIAL: &str = ".partial-";

/// Writes a file under another name in the same folder, which is made if need be, and then moves it into place:
/// whoever reads finds the old content or the new one, never half of it.
///
/// A link is followed. What is there and is no regular file, such as a device or a pipe, is written to and never
/// replaced: a rename over `/dev/null` would leave a plain file for everybody else on the machine.
///
/// # Errors
///
/// What the system answers; the old file is then still there.
pub fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = &followed(path)?;
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return OpenOptions::new().write(true).open(path)?.write_all(content);
    }
    let mut file = partial(path)?;
    file.write_all(content)?;
    persist(file, path)
}

/// An unfinished file beside `path`, whose folder is made if need be. It disappears unless it is [`persist`]ed.
///
/// # Errors
///
/// What the system answers.
pub fn partial(path: &Path) -> io::Result<Unfinished> {
    let (file, listed) = beside(path, 0o666, |builder, folder| {
        let file = builder.tempfile_in(folder)?;
        let path = file.path().to_owned();
        Ok((file, path))
    })?;
    Ok(Unfinished { file, _listed: listed })
}

/// Makes something unfinished beside `path`, whose folder is made if need be, and puts it on the list.
fn beside<T>(
    path: &Path,
    _mode: u32,
    make: impl FnOnce(&tempfile::Builder<'_, '_>, &Path) -> io::Result<(T, PathBuf)>,
) -> io::Result<(T, Listed)> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(PARTIAL);
    // What is temporary is private, results are as open as anything else.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(_mode));
    // Held until it is on the list: it is either there for `discard_unfinished`, or not yet made.
    let mut list = unfinished();
    let (made, path) = make(&builder, folder)?;
    list.push(path.clone());
    Ok((made, Listed(path)))
}

/// A file that is being written. It is removed where it is not [`persist`]ed, and by [`discard_unfinished`].
#[derive(Debug)]
pub struct Unfinished {
    file: tempfile::NamedTempFile,
    _listed: Listed,
}

impl Unfinished {
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Not by the wrapper, whose errors name the unfinished file, which nobody knows.
        self.file.as_file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file().flush()
    }
}

/// A folder that is being filled. It is removed where it is not [`persist`](Self::persist)ed, and by
/// [`discard_unfinished`].
#[derive(Debug)]
pub struct UnfinishedFolder {
    folder: tempfile::TempDir,
    _listed: Listed,
}

impl UnfinishedFolder {
    /// An empty one beside `path`, whose folder is made if need be.
    ///
    /// # Errors
    ///
    /// What the system answers.
    pub fn beside(path: &Path) -> io::Result<Self> {
        let (folder, listed) = beside(path, 0o777, |builder, parent| {
            let folder = builder.tempdir_in(parent)?;
            let path = folder.path().to_owned();
            Ok((folder, path))
        })?;
        Ok(Self { folder, _listed: listed })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Moves it into place, and has the disk note its new name.
    ///
    /// # Errors
    ///
    /// What the system answers; also where something is in that place.
    pub fn persist(self, path: &Path) -> io::Result<()> {
        if fs::symlink_metadata(path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something is there already"));
        }
        fs::rename(self.path(), path)?;
        sync_folder(path);
        Ok(())
    }
}

/// What is being written, by every thread.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place on that list.
#[derive(Debug)]
struct Listed(PathBuf);

impl Drop for Listed {
    fn drop(&mut self) {
        unfinished().retain(|other| *other != self.0);
    }
}

/// Removes every file and folder that is being written, and lets no other begin: for a program that ends at once.
pub fn discard_unfinished() {
    let mut unfinished = unfinished();
    for path in unfinished.drain(..) {
        // It may have been moved into its place just now.
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
    std::mem::forget(unfinished);
}

/// Moves an unfinished file into place, after the disk has it, and has the disk note its new name: a power cut then keeps what
/// the end of the program keeps.
///
/// # Errors
///
/// What the system answers; also where `path` is there and is no regular file.
pub fn persist(unfinished: Unfinished, path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "what is there is no regular file"));
    }
    let Unfinished { file, _listed } = unfinished;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(path);
    Ok(())
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Has the disk note which names are in a file's folder. Not every file system can; the file is in its place in any case.
fn sync_folder(path: &Path) {
    #[cfg(unix)]
    {
        let _ = fs::File::open(folder_of(path)).and_then(|folder| folder.sync_all());
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Removes the unfinished files that a killed program left in a folder, if they are older than `age`.
///
/// What cannot be looked at or removed stays: it only takes room.
pub fn remove_leftovers(folder: &Path, age: Duration) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PARTIAL)) {
        let old = entry
            .metadata()
            .and_then(|found| found.modified())
            .is_ok_and(|modified| modified.elapsed().is_ok_and(|elapsed| elapsed >= age));
        if old && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The file that a chain of links ends at, which need not be there yet.
fn followed(path: &Path) -> io::Result<PathBuf> {
    /// As many as Linux follows.
    const MOST: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many links"))
}

/// Writes a value as indented JSON.
///
/// # Errors
///
/// [`RecordError::Io`]; [`RecordError::Damaged`] for a value that has no form in JSON.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), RecordError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| RecordError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
        remedy: "a value in it has no form in JSON".to_owned(),
    })?;
    text.push(b'\n');
    write_atomically(path, &text).map_err(RecordError::io("write", path))
}

/// Reads a value from JSON. `remedy` says what to do if it is not one.
///
/// # Errors
///
/// [`RecordError::Io`]; [`RecordError::Damaged`] if it is not such a value.
pub fn read_json<T: DeserializeOwned>(path: &Path, remedy: &str) -> Result<T, RecordError> {
    let text = fs::read(path).map_err(RecordError::io("read", path))?;
    serde_json::from_slice(&text).map_err(|error| RecordError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
        remedy: remedy.to_owned(),
    })
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

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_written_to_and_stays_a_pipe() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().expect("temporary folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo makes a pipe");
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || fs::read(pipe))
        };
        write_atomically(&pipe, b"through").expect("written");
        assert_eq!(reader.join().expect("reader").expect("read"), b"through");
        assert!(fs::symlink_metadata(&pipe).expect("it is there").file_type().is_fifo());
        let unfinished = partial(&pipe).expect("unfinished file");
        persist(unfinished, &pipe).expect_err("a pipe is in the way");
        assert!(fs::symlink_metadata(&pipe).expect("it is there").file_type().is_fifo());
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_stays_a_link() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (file, link) = (folder.path().join("deep/file"), folder.path().join("link"));
        std::os::unix::fs::symlink("deep/file", &link).expect("link");
        write_atomically(&link, b"content").expect("written");
        assert_eq!(fs::read(&file).expect("read"), b"content");
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
    }

    #[cfg(unix)]
    #[test]
    fn files_are_as_readable_as_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("temporary folder");
        let (ours, other) = (folder.path().join("ours"), folder.path().join("other"));
        write_atomically(&ours, b"").expect("written");
        fs::write(&other, b"").expect("written");
        let mode = |path| fs::metadata(path).expect("it is there").permissions().mode();
        assert_eq!(mode(ours), mode(other));
    }

    #[test]
    fn what_is_being_written_can_be_discarded_and_what_was_written_not() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let [whole, half] = ["whole", "half"].map(|name| folder.path().join(name));
        write_atomically(&whole, b"whole").expect("written");
        let mut unfinished = partial(&half).expect("unfinished file");
        unfinished.write_all(b"half").expect("written");
        // Other tests write at the same time: only this one is taken away.
        let path = unfinished.path().to_owned();
        assert!(super::unfinished().contains(&path));
        fs::remove_file(&path).expect("removed");
        persist(unfinished, &half).expect_err("it is gone");
        assert!(!super::unfinished().contains(&path) && whole.is_file() && !half.exists());
        let dropped = partial(&half).expect("unfinished file").path().to_owned();
        assert!(!super::unfinished().contains(&dropped) && !dropped.exists());
    }

    #[test]
    fn a_folder_is_whole_or_not_there() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("new").join("images");
        let unfinished = UnfinishedFolder::beside(&path).expect("unfinished folder");
        fs::write(unfinished.path().join("a"), "").expect("file");
        assert!(!path.exists());
        unfinished.persist(&path).expect("moved");
        assert!(path.join("a").is_file());
        let second = UnfinishedFolder::beside(&path).expect("unfinished folder");
        second.persist(&path).expect_err("something is there");
        assert_eq!(fs::read_dir(folder.path().join("new")).expect("folder").count(), 1);
    }

    #[test]
    fn what_a_killed_program_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().expect("temporary folder");
        for name in [".partial-abc", "partial-abc", "results.json"] {
            fs::write(folder.path().join(name), "").expect("file");
        }
        remove_leftovers(folder.path(), Duration::from_secs(60));
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 3);
        remove_leftovers(folder.path(), Duration::ZERO);
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 2);
        assert!(!folder.path().join(".partial-abc").exists());
    }
}
