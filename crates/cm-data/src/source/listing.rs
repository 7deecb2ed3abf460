//! The files of a folder or an archive, before anybody asks what they mean.

use super::{Location, Skipped, skipped};

/// Files and folders of a data set, their names composed and with `/` between the parts.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Files in the order of their names.
    pub files: Vec<Found>,
    /// Folders, also those without files.
    pub folders: Vec<String>,
    /// What was passed over.
    pub skipped: Skipped,
    /// Notes and tables that were passed over at the top.
    pub notes: Vec<Found>,
}

/// A file and where it is.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub file: String,
    pub location: Location,
}

impl Listing {
    /// Whether a name in a folder (empty at the top) is to be passed over, which is then counted.
    pub fn skips(&mut self, folder: &str, name: &str, is_folder: bool, location: &Location) -> bool {
        let Some(kind) = skipped::kind(name, is_folder) else { return false };
        self.skipped.count(kind);
        if folder.is_empty() && kind == skipped::Kind::Other {
            self.notes.push(Found { file: name.to_owned(), location: location.clone() });
        }
        true
    }

    /// What is at the top and, by its ending, may be a list.
    pub fn lists(&self) -> impl Iterator<Item = &Found> {
        self.notes.iter().filter(|found| has_ending_of_a_list(&found.file))
    }

    /// Puts everything in order. The error is a name that two files have.
    pub fn sorted(mut self) -> Result<Self, String> {
        self.files.sort_unstable_by(|a, b| a.file.cmp(&b.file));
        self.folders.sort_unstable();
        self.folders.dedup();
        self.notes.sort_unstable_by(|a, b| a.file.cmp(&b.file));
        match self.files.windows(2).find(|pair| pair[0].file == pair[1].file) {
            Some(pair) => Err(pair[0].file.clone()),
            None => Ok(self),
        }
    }
}

/// Path of a name in a folder, which is empty at the top.
pub(super) fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Whether a file may be a list by its ending.
pub(super) fn has_ending_of_a_list(file: &str) -> bool {
    let file = file.to_lowercase();
    [".csv", ".lst", ".tsv", ".txt"].iter().any(|ending| file.ends_with(ending))
}
