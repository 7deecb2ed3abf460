//! Images of a record file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{FolderProblem, Item, Location, OpenOptions, classes::Classes};
use crate::{DataError, record_file::RecordFile};

/// The record file that a path names: it, the one of its index, or the one in a folder.
///
/// # Errors
///
/// [`DataError::Folder`] if there are several in a folder, and none of them is `train.rec`.
pub(super) fn find(path: &Path) -> Result<Option<PathBuf>, DataError> {
    let is_record = |path: &Path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("rec"));
    if !path.is_dir() {
        let of_index = path.with_extension("rec");
        let is_index = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("idx"));
        return Ok(match is_record(path) {
            true => Some(path.to_owned()),
            false => Some(of_index).filter(|records| is_index && records.is_file()),
        });
    }
    let Ok(entries) = fs::read_dir(path) else { return Ok(None) };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| is_record(path)).collect();
    found.sort_unstable();
    match &found[..] {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => {
            if let Some(train) = several.iter().find(|path| path.ends_with("train.rec")) {
                return Ok(Some(train.clone()));
            }
            let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let problem = FolderProblem::SeveralSets { names: several.iter().map(name).collect() };
            Err(DataError::Folder { path: path.to_owned(), problem })
        }
    }
}

/// Classes, items, and the file that the items are in. Classes are the labels that occur, by their numbers.
pub(super) fn read(
    path: &Path,
    options: &OpenOptions,
) -> Result<(Vec<String>, Vec<Item>, RecordFile), DataError> {
    let (file, labels) = RecordFile::open(path)?;
    let mut occurring = labels.clone();
    occurring.sort_unstable();
    occurring.dedup();
    let found: Vec<String> = occurring.iter().map(ToString::to_string).collect();
    let classes = Classes::new(options, path, found.iter().map(String::as_str))?;
    let mut items = Vec::with_capacity(labels.len());
    for (at, (record, label)) in file.numbers().zip(labels).enumerate() {
        let name = format!("record {record}");
        let label = classes.label(&label.to_string(), || format!("{}, {name}", path.display()))?;
        items.push(Item::new(name, Location::Record(at), label));
    }
    Ok((classes.names, items, file))
}
