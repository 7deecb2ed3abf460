//! Several arrays in one file.

use std::path::{Path, PathBuf};

use super::{Array, ArrayProblem, LARGEST};
use crate::{DataError, ReadLimits, source::Archive};

/// An `.npz` file: a zip of `.npy` files, packed or not. Arrays are read when they are asked for.
#[derive(Debug)]
pub struct ArrayArchive {
    path: PathBuf,
    archive: Archive,
    entries: Vec<(String, usize)>,
}

impl ArrayArchive {
    /// Opens it and checks its entries.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`] and [`DataError::Zip`].
    pub fn open(path: &Path) -> Result<Self, DataError> {
        // Masks are packed as well as the method can, 1,032 times. What is read at once is bounded all the same.
        let limits = ReadLimits { file: LARGEST, ratio: 1100, ..ReadLimits::default() };
        let archive = Archive::open(path, &limits)?;
        let mut entries = Vec::new();
        for (name, at) in archive.names()? {
            if let Some(key) = name.strip_suffix(".npy") {
                entries.push((key.to_owned(), at));
            }
        }
        Ok(Self { path: path.to_owned(), archive, entries })
    }

    /// Names of the arrays, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(key, _)| key.as_str())
    }

    /// Reads an array.
    ///
    /// # Errors
    ///
    /// [`DataError::Array`]: there is none of this name, or it cannot be read as by [`Array::read`]; [`DataError::Zip`] if its
    /// bytes are damaged.
    pub fn read(&self, key: &str) -> Result<Array, DataError> {
        let Some((_, at)) = self.entries.iter().find(|(found, _)| found == key) else {
            let found = self.keys().map(str::to_owned).collect();
            return Err(self.problem(ArrayProblem::MissingKey { key: key.to_owned(), found }));
        };
        let bytes = self.archive.read(*at)?;
        Array::parse(&bytes).map_err(|problem| {
            self.problem(ArrayProblem::InArray { key: key.to_owned(), problem: Box::new(problem) })
        })
    }

    pub(crate) fn problem(&self, problem: ArrayProblem) -> DataError {
        DataError::Array { path: self.path.clone(), problem }
    }
}
