//! Zip files, read in place: nothing is ever unpacked to the disk.

use std::{
    collections::BTreeSet,
    fmt::Display,
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use zip::{
    CompressionMethod, ZipArchive, ZipReadOptions,
    read::{ZipArchiveMetadata, ZipFileEntry},
};

use super::{
    Location, ReadLimits, Split, ZipProblem,
    listing::{Found, Listing, has_ending_of_a_list, joined},
    names::tidy,
    skipped,
};
use crate::DataError;

/// Most bytes of a name: as many as a path has on Linux. A name may have 64 KiB, and each folder in it is a path of its own.
const LONGEST_NAME: usize = 4096;

/// An open archive.
#[derive(Debug)]
pub(crate) struct Archive {
    path: PathBuf,
    entries: Arc<ZipArchiveMetadata>,
}

impl Archive {
    /// Opens an archive and checks every entry.
    pub fn open(path: &Path, limits: &ReadLimits) -> Result<Self, DataError> {
        let file = File::open(path).map_err(DataError::io("open", path))?;
        let packed = file.metadata().map_err(DataError::io("look at", path))?.len();
        let opened = ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(path, &error))?;
        let archive = Self { path: path.to_owned(), entries: opened.metadata() };
        archive.check(packed, limits)?;
        Ok(archive)
    }

    pub fn problem(&self, problem: ZipProblem) -> DataError {
        DataError::Zip { path: self.path.clone(), problem }
    }

    fn entry(&self, index: usize) -> Result<ZipFileEntry<'_>, DataError> {
        self.entries.entry(index).map_err(|error| damaged(&self.path, &error))
    }

    fn check(&self, packed: u64, limits: &ReadLimits) -> Result<(), DataError> {
        let mut total = 0u64;
        for index in 0..self.entries.len() {
            let entry = self.entry(index)?;
            let name = self.name(&entry)?;
            let method = entry.compression();
            let bytes = entry.size();
            let ratio = entry.compressed_size().saturating_mul(limits.ratio).max(ReadLimits::SMALL);
            if entry.compressed_size() > packed {
                let reason = format!("{name}: it announces more packed bytes than the archive has");
                return Err(damaged(&self.path, &reason));
            }
            let problem = if entry.is_symlink() {
                ZipProblem::Link { name }
            } else if entry.encrypted() {
                ZipProblem::Encrypted { name }
            } else if !matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated) {
                ZipProblem::Method { name, method: method.to_string() }
            } else if bytes > limits.file {
                ZipProblem::LargeEntry { name, bytes, limit: limits.file }
            } else if bytes > ratio {
                let name = format!("\"{name}\"");
                ZipProblem::Bomb { name, bytes, packed: entry.compressed_size(), limit: ratio }
            } else {
                total = total.saturating_add(bytes);
                continue;
            };
            return Err(self.problem(problem));
        }
        // Many entries may share the same packed bytes.
        let limit = packed.saturating_mul(limits.ratio).max(ReadLimits::SMALL).min(limits.archive);
        if total > limit {
            let name = "everything in it together".to_owned();
            return Err(self.problem(ZipProblem::Bomb { name, bytes: total, packed, limit }));
        }
        if self.entries.has_duplicate_names() {
            return Err(self.problem(ZipProblem::Repeated));
        }
        Ok(())
    }

    /// Name of an entry with `/` between its parts.
    fn name(&self, entry: &ZipFileEntry<'_>) -> Result<String, DataError> {
        let raw = entry.name_raw();
        let Ok(name) = std::str::from_utf8(raw) else {
            let name = String::from_utf8_lossy(raw).into_owned();
            return Err(self.problem(ZipProblem::NotUnicode { name }));
        };
        if name.len() > LONGEST_NAME {
            let start = name.chars().take(40).flat_map(char::escape_debug).collect();
            let (bytes, limit) = (name.len(), LONGEST_NAME);
            return Err(self.problem(ZipProblem::LongName { start, bytes, limit }));
        }
        let slashes = name.replace('\\', "/");
        let drive = slashes.as_bytes().get(1) == Some(&b':');
        let climbs = slashes.split('/').any(|part| part == "..");
        if slashes.starts_with('/') || drive || climbs || name.contains(char::is_control) {
            return Err(self.problem(ZipProblem::UnsafeName { name: name.escape_debug().to_string() }));
        }
        Ok(tidy(&slashes))
    }

    /// Names of all files, and their numbers.
    pub fn names(&self) -> Result<Vec<(String, usize)>, DataError> {
        let mut names = Vec::with_capacity(self.entries.len());
        for index in 0..self.entries.len() {
            let entry = self.entry(index)?;
            if !entry.is_dir() {
                names.push((self.name(&entry)?, index));
            }
        }
        Ok(names)
    }

    /// All files.
    pub(super) fn listing(&self) -> Result<Listing, DataError> {
        self.listing_below("")
    }

    /// All files, without the folder that everything lies in; nothing if there is no such folder.
    pub(super) fn listing_below_top(&self) -> Result<Option<Listing>, DataError> {
        let mut names = Vec::with_capacity(self.entries.len());
        for index in 0..self.entries.len() {
            let entry = self.entry(index)?;
            names.push((self.name(&entry)?, entry.is_dir()));
        }
        common_top(&names).map(|top| self.listing_below(top)).transpose()
    }

    fn listing_below(&self, top: &str) -> Result<Listing, DataError> {
        let mut listing = Listing::default();
        // Every file of a folder names the folder, which counts once.
        let mut passed_over = BTreeSet::new();
        for index in 0..self.entries.len() {
            let entry = self.entry(index)?;
            let (name, location) = (self.name(&entry)?, Location::Entry(index));
            let name = match name.strip_prefix(top) {
                Some("") => "",
                Some(rest) if !top.is_empty() => rest.strip_prefix('/').unwrap_or(&name),
                _ => &name,
            };
            let mut folder = String::new();
            let mut parts = name.split('/').filter(|part| !part.is_empty()).peekable();
            while let Some(part) = parts.next() {
                let path = joined(&folder, part);
                let is_folder = parts.peek().is_some() || entry.is_dir();
                if passed_over.contains(&path) {
                    break;
                }
                if listing.skips(&folder, part, is_folder, &location) {
                    passed_over.insert(path);
                    break;
                }
                // A class is the first folder, or the second below a split.
                if is_folder && !folder.contains('/') {
                    listing.folders.push(path.clone());
                } else if !is_folder {
                    listing.files.push(Found { file: path.clone(), location: location.clone() });
                }
                folder = path;
            }
        }
        listing.sorted().map_err(|name| self.problem(ZipProblem::SameName { name }))
    }

    /// Bytes of an entry, checked against its announced size and its checksum.
    pub fn read(&self, index: usize) -> Result<Vec<u8>, DataError> {
        let entry = self.entry(index)?;
        let (name, announced, packed) = (self.name(&entry)?, entry.size(), entry.compressed_size());
        let file = File::open(&self.path).map_err(DataError::io("open", &self.path))?;
        let mut file = BufReader::new(file);
        let damaged = |error: &dyn Display| damaged(&self.path, &format!("{name}: {error}"));
        let reader = entry.with_reader(&mut file, ZipReadOptions::new()).map_err(|error| damaged(&error))?;
        // What is announced may not be there: room for more is made when it comes.
        let mut bytes = Vec::with_capacity(announced.min(packed) as usize);
        reader.take(announced + 1).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
        let found = bytes.len() as u64;
        if found != announced {
            return Err(self.problem(ZipProblem::WrongSize { name, announced, found }));
        }
        Ok(bytes)
    }

    /// What tells one content of an entry from another: its size and checksum.
    pub fn stamp(&self, index: usize) -> Option<(String, String)> {
        let entry = self.entries.entry(index).ok()?;
        let path = std::path::absolute(&self.path).ok()?;
        let key = format!("{}!/{}", path.to_str()?, self.name(&entry).ok()?);
        Some((key, format!("{} {:08x}", entry.size(), entry.crc32())))
    }
}

fn damaged(path: &Path, error: &impl Display) -> DataError {
    DataError::Zip { path: path.to_owned(), problem: ZipProblem::Damaged { reason: error.to_string() } }
}

/// The folder that everything lies in, unless it is a split, or a class that is alone.
fn common_top(names: &[(String, bool)]) -> Option<&str> {
    let mut top = None;
    let mut holds_more = false;
    for (name, is_folder) in names {
        let (first, rest) = name.split_once('/').unwrap_or((name, ""));
        if skipped::kind(first, *is_folder || !rest.is_empty()).is_some() {
            continue;
        }
        if *top.get_or_insert(first) != first || (rest.is_empty() && !is_folder) {
            return None;
        }
        holds_more |= rest.contains('/') || (*is_folder && !rest.is_empty()) || has_ending_of_a_list(rest);
    }
    top.filter(|top| holds_more && Split::from_name(top).is_none())
}
