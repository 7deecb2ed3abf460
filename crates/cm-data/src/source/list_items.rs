//! The files that a list names, found.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::Arc,
};

use rayon::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::{
    Collection, Item, ListProblem, Location, OpenOptions, Skipped,
    classes::Classes,
    collection::Source,
    list::{List, Row},
    names,
    open::name_of,
};
use crate::DataError;

impl Row {
    /// Where the file is in a folder. Accents may be written in another way there.
    pub fn file_in(&self, root: &Path) -> Option<Location> {
        let path = self.path.replace('\\', "/");
        let decomposed: String = self.file.nfd().collect();
        let paths = [&path, &self.file, &decomposed].map(|path| root.join(path));
        paths.into_iter().find(|path| path.is_file()).map(Location::File)
    }
}

/// A data set from a list. `find` knows where the files are, below `root`.
pub(super) fn from_list(
    list: List,
    path: &Path,
    root: &Path,
    options: &OpenOptions,
    source: Source,
    find: &(dyn Fn(&Row) -> Option<Location> + Sync),
) -> Result<Collection, DataError> {
    let problem = |problem| DataError::List { path: path.to_owned(), problem };
    let locations: Vec<Option<Location>> = list.rows.par_iter().map(find).collect();
    let missing = list.rows.iter().zip(&locations).filter(|(_, location)| location.is_none());
    let files: Vec<String> = missing.map(|(row, _)| row.file.clone()).collect();
    if options.files_required && !files.is_empty() {
        let (rows, root) = (list.rows.len(), root.to_owned());
        return Err(problem(ListProblem::MissingFiles { files, rows, root }));
    }
    let found: BTreeSet<&str> = list.rows.iter().filter_map(|row| row.label.as_deref()).collect();
    let classes = Classes::new(options, path, found.into_iter())?;
    let groups = names::sorted(list.rows.iter().filter_map(|row| row.group.as_deref()));
    let numbers: HashMap<&str, u32> = groups.iter().map(String::as_str).zip(0..).collect();
    let mut items = Vec::with_capacity(list.rows.len());
    for (row, location) in list.rows.iter().zip(locations) {
        let location = location.unwrap_or_else(|| Location::File(root.join(&row.path)));
        let place = || format!("{}, line {}", path.display(), row.line);
        let label = match &row.label {
            Some(label) => classes.label(label, place)?,
            None => Item::UNLABELED,
        };
        items.push(Item {
            group: row.group.as_deref().map(|group| numbers[group]),
            weight: row.weight,
            split: row.split,
            columns: row.values.clone(),
            ..Item::new(row.file.clone(), location, label)
        });
    }
    Ok(Collection {
        name: name_of(path),
        classes: classes.names,
        items,
        columns: list.columns,
        ignored_columns: list.ignored,
        groups,
        skipped: Skipped { repeated: list.repeated, ..Skipped::default() },
        source: Arc::new(source),
    })
}
