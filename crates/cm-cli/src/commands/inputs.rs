//! Images that nobody gave a class, as they are named on the command line.

use std::{
    io::{self, BufRead},
    path::{Path, PathBuf},
    sync::Arc,
};

use cm_data::{Collection, DataError, ImageSet, Joined, OpenOptions};

use crate::error::CliError;

/// The images of all that is named, in that order.
///
/// A file that is none of a list, a zip and IDX counts as an image, whatever is in it: that is found out when it is read, as with
/// the files that a list names.
///
/// # Errors
///
/// A name under which there is nothing, a folder, list or zip that cannot be opened, no image at all.
pub fn open(named: &[PathBuf]) -> Result<Arc<dyn ImageSet>, CliError> {
    let mut sets: Vec<Arc<dyn ImageSet>> = Vec::new();
    // One set of all files that come after one another: a shell may have named thousands.
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    for path in named {
        match one(path)? {
            Named::Files(more) => files.extend(more),
            Named::Set(set) => {
                close(&mut files, &mut sets);
                sets.push(Arc::new(set));
            }
        }
    }
    close(&mut files, &mut sets);
    let joined = Joined::new(sets);
    match joined.is_empty() {
        true => Err(CliError::Said("there is no image in what was named".to_owned())),
        false => Ok(Arc::new(joined)),
    }
}

fn close(files: &mut Vec<(String, PathBuf)>, sets: &mut Vec<Arc<dyn ImageSet>>) {
    if !files.is_empty() {
        sets.push(Arc::new(Collection::from_files("files", std::mem::take(files), &OpenOptions::default())));
    }
}

enum Named {
    Files(Vec<(String, PathBuf)>),
    Set(Collection),
}

fn one(path: &Path) -> Result<Named, CliError> {
    if path == Path::new("-") {
        return listed().map(Named::Files);
    }
    let options = OpenOptions { labels_required: false, files_required: false, ..OpenOptions::default() };
    match Collection::open(path, &options) {
        // No format that has several images: an image, or what is taken for one.
        Err(DataError::NoDataSet { .. }) => Ok(Named::Files(vec![(shown(path), path.to_owned())])),
        Ok(set) if is_single(path, &set) => Ok(Named::Files(vec![(shown(path), path.to_owned())])),
        Ok(mut set) => {
            // A list says itself where its files are; what lies in a folder or a zip begins with its name.
            if !is_list(path) {
                let begin = shown(path);
                let begin = begin.trim_end_matches(['/', '\\']);
                set.items.iter_mut().for_each(|item| item.file = format!("{begin}/{}", item.file));
            }
            Ok(Named::Set(set))
        }
        Err(error) => Err(error.into()),
    }
}

fn is_single(path: &Path, set: &Collection) -> bool {
    let [item] = &set.items[..] else { return false };
    matches!(&item.location, cm_data::Location::File(file) if file == path)
}

fn is_list(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    path.is_file() && matches!(ending.as_deref(), Some("csv" | "lst" | "tsv" | "txt"))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Files that standard input names, one a line.
fn listed() -> Result<Vec<(String, PathBuf)>, CliError> {
    let lines = io::stdin().lock().lines().collect::<Result<Vec<String>, _>>();
    let lines = lines.map_err(|error| {
        CliError::Said(format!("standard input cannot be read as a list of files, one a line: {error}"))
    })?;
    let names = lines.into_iter().map(|line| line.trim_end_matches('\r').to_owned());
    Ok(names.filter(|line| !line.is_empty()).map(|line| (line.clone(), PathBuf::from(line))).collect())
}
