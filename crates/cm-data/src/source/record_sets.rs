//! Images of a record file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{FolderProblem, Item, Location, OpenOptions, classes::Classes, collection::start};
use crate::{DataError, decode::begins_like_an_image, record_file::RecordFile};

/// The record file that a path names: it, the one of its index, or the one in a folder.
///
/// # Errors
///
/// [`DataError::Folder`] if there are several in a folder, and none of them is `train.rec`, or folders of images beside it.
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
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort_unstable();
    let problem = |problem| DataError::Folder { path: path.to_owned(), problem };
    let found: Vec<&PathBuf> = entries.iter().filter(|path| is_record(path)).collect();
    let records = match (&found[..], found.iter().find(|path| path.ends_with("train.rec"))) {
        ([], _) => return Ok(None),
        ([one], _) | (_, Some(one)) => *one,
        (several, None) => {
            let names = several.iter().map(|path| name(path)).collect();
            return Err(problem(FolderProblem::SeveralRecordFiles { names }));
        }
    };
    match entries.iter().find(|path| holds_an_image(path)) {
        Some(folder) => {
            let (records, folder) = (name(records), name(folder));
            Err(problem(FolderProblem::RecordsBesideFolders { records, folder }))
        }
        None => Ok(Some(records.clone())),
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether this is a folder with an image in it, as those of classes are.
fn holds_an_image(path: &Path) -> bool {
    let is_image =
        |file: PathBuf| file.is_file() && start(&file, 16).is_ok_and(|bytes| begins_like_an_image(&bytes));
    fs::read_dir(path).is_ok_and(|files| files.flatten().any(|entry| is_image(entry.path())))
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
