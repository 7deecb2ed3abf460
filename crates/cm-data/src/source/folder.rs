//! The files of a folder and of the folders in it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    Location,
    listing::{Found, Listing, joined},
    names::composed,
};
use crate::{DataError, error::some_of};

/// Why a folder or an archive is not laid out as a data set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FolderProblem {
    /// A name that is no Unicode.
    #[error("the name \"{name}\" is not valid Unicode (UTF-8); rename it")]
    NotUnicode {
        /// The name, with a mark in the place of what cannot be read.
        name: String,
    },
    /// Two files whose names are one in Unicode.
    #[error("two files are named \"{file}\" with the accents written in two ways; rename one")]
    SameName {
        /// The name of both.
        file: String,
    },
    /// A link to nothing.
    #[error("the link {link} leads nowhere; remove it")]
    DeadLink {
        /// The link.
        link: String,
    },
    /// A link to something outside.
    #[error("the link {link} leads out of the folder, to {}; copy what is there into the folder", target.display())]
    LinkLeaves {
        /// The link.
        link: String,
        /// Where it leads.
        target: PathBuf,
    },
    /// A link to a folder that the link itself is in.
    #[error("the link {link} leads back to a folder that it is in; remove it")]
    LinkLoops {
        /// The link.
        link: String,
    },
    /// No images.
    #[error("there are no images in it; {}", if instead.is_empty() {
        "put a folder with images into it for each class, or name another".to_owned()
    } else {
        format!("to open {} instead, name the file itself", some_of(instead, ", "))
    })]
    NoImages {
        /// Lists and archives that are there.
        instead: Vec<String>,
    },
    /// Images beside the class folders.
    #[error(
        "{count} images lie in {} and in none of its sub-folders, for example {example}; the folder that an image \
         lies in is its class: give each class a folder, or write a list", if folder.is_empty() { "it" } else { folder }
    )]
    LooseImages {
        /// How many.
        count: usize,
        /// One of them.
        example: String,
        /// The folder that they lie in, empty for the data set's own.
        folder: String,
    },
    /// Class folders without images.
    #[error(
        "there is no image in the class folders {}; remove them or put images into them",
        some_of(classes, ", ")
    )]
    EmptyClasses {
        /// Their classes.
        classes: Vec<String>,
    },
    /// Folders of splits beside folders that are none.
    #[error(
        "beside folders of splits ({}) there are others ({}); put each class into a split, or take the splits away",
        splits.join(", "), some_of(others, ", ")
    )]
    MixedFolders {
        /// Folders of splits.
        splits: Vec<String>,
        /// Other folders.
        others: Vec<String>,
    },
    /// IDX files of several data sets.
    #[error("there are IDX files of several data sets ({}); name the file of images of one", names.join(", "))]
    SeveralSets {
        /// What their names begin with.
        names: Vec<String>,
    },
    /// Several record files.
    #[error("there are several record files ({}), and none of them is train.rec; name one", names.join(", "))]
    SeveralRecordFiles {
        /// Their names.
        names: Vec<String>,
    },
    /// A record file and folders of images.
    #[error(
        "there is the record file {records} beside the folder of images {folder}; name the file if it is meant, or \
         take it away"
    )]
    RecordsBesideFolders {
        /// Name of the record file.
        records: String,
        /// One of the folders.
        folder: String,
    },
}

/// All files below a folder. Links are followed if they stay in the folder.
pub(super) fn listing(root: &Path) -> Result<Listing, DataError> {
    let real = fs::canonicalize(root).map_err(DataError::io("open", root))?;
    let mut walk = Walk { root: root.to_owned(), real: real.clone(), listing: Listing::default() };
    walk.folder(root, "", &mut vec![real])?;
    let same_name = |file| walk_problem(root, FolderProblem::SameName { file });
    walk.listing.sorted().map_err(same_name)
}

fn walk_problem(root: &Path, problem: FolderProblem) -> DataError {
    DataError::Folder { path: root.to_owned(), problem }
}

struct Walk {
    root: PathBuf,
    real: PathBuf,
    listing: Listing,
}

impl Walk {
    /// Takes in one folder. `above` are the real paths of the folder and of those that it was
    /// reached through.
    fn folder(&mut self, folder: &Path, shown: &str, above: &mut Vec<PathBuf>) -> Result<(), DataError> {
        for entry in fs::read_dir(folder).map_err(DataError::io("list", folder))? {
            let entry = entry.map_err(DataError::io("list", folder))?;
            let name = entry.file_name();
            let Some(name) = name.to_str().map(composed) else {
                let name = joined(shown, &name.to_string_lossy());
                return Err(walk_problem(&self.root, FolderProblem::NotUnicode { name }));
            };
            let path = entry.path();
            let file = joined(shown, &name);
            let mut kind = entry.file_type().map_err(DataError::io("look at", &path))?;
            let location = Location::File(path.clone());
            if self.listing.skips(shown, &name, kind.is_dir(), &location) {
                continue;
            }
            let mut real = above.last().map(|folder| folder.join(entry.file_name())).unwrap_or_default();
            if kind.is_symlink() {
                real = self.link(&path, &file, above)?;
                kind = fs::metadata(&real).map_err(DataError::io("look at", &path))?.file_type();
            }
            if kind.is_dir() {
                self.listing.folders.push(file.clone());
                above.push(real);
                self.folder(&path, &file, above)?;
                above.pop();
            } else if kind.is_file() {
                self.listing.files.push(Found { file, location });
            } else {
                self.listing.skipped.other += 1;
            }
        }
        Ok(())
    }

    /// Where a link leads.
    fn link(&self, path: &Path, file: &str, above: &[PathBuf]) -> Result<PathBuf, DataError> {
        let link = file.to_owned();
        let problem = match fs::canonicalize(path) {
            Err(_) => FolderProblem::DeadLink { link },
            Ok(target) if !target.starts_with(&self.real) => FolderProblem::LinkLeaves { link, target },
            Ok(target) if above.iter().any(|folder| folder.starts_with(&target)) => {
                FolderProblem::LinkLoops { link }
            }
            Ok(target) => return Ok(target),
        };
        Err(walk_problem(&self.root, problem))
    }
}
