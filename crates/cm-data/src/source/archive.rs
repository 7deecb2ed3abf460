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
    Location, ReadLimits, Split,
    listing::{Found, Listing, has_ending_of_a_list, joined},
    names::tidy,
    skipped,
};
use crate::DataError;

/// Why an archive cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZipProblem {
    /// No zip file, or a damaged one.
    #[error("it cannot be read as a zip file ({reason}); it is damaged or was not copied whole")]
    Damaged {
        /// What the reader said.
        reason: String,
    },
    /// A name that is no Unicode.
    #[error(
        "the name \"{name}\" in it is not valid Unicode (UTF-8); pack it again with a program that writes UTF-8"
    )]
    NotUnicode {
        /// The name, with a mark in the place of what cannot be read.
        name: String,
    },
    /// A name that leads out of the folder it would be unpacked into.
    #[error("the name \"{name}\" in it leads out of the archive; do not trust it")]
    UnsafeName {
        /// The name.
        name: String,
    },
    /// Two entries whose names are the same bytes.
    #[error("two entries in it have the same name; pack it again")]
    Repeated,
    /// Two entries whose names are one in Unicode.
    #[error("two entries are named \"{name}\", written in two ways; pack it again")]
    SameName {
        /// The name of both.
        name: String,
    },
    /// Several lists.
    #[error("there are several lists in it ({}), and which of them counts nobody says; leave one", names.join(", "))]
    SeveralLists {
        /// Their names.
        names: Vec<String>,
    },
    /// A link.
    #[error(
        "\"{name}\" is a link, and links in archives are not followed; pack it again with the files themselves"
    )]
    Link {
        /// The name.
        name: String,
    },
    /// A password is needed.
    #[error("\"{name}\" is encrypted; unpack it, or pack it again without a password")]
    Encrypted {
        /// The name.
        name: String,
    },
    /// Packed in a way that is not read.
    #[error(
        "\"{name}\" is packed by {method}, which is not read; pack it again by the usual method (Deflate)"
    )]
    Method {
        /// The name.
        name: String,
        /// How it is packed.
        method: String,
    },
    /// An entry that announces more than an image has.
    #[error(
        "\"{name}\" announces {bytes} bytes, more than the {limit} allowed for one image; make it smaller"
    )]
    LargeEntry {
        /// The name.
        name: String,
        /// Bytes announced.
        bytes: u64,
        /// Most bytes allowed.
        limit: u64,
    },
    /// An entry that is not as long as it announces.
    #[error(
        "\"{name}\" announces {announced} bytes but holds {found}; the archive is damaged or was made to do harm"
    )]
    WrongSize {
        /// The name.
        name: String,
        /// Bytes announced.
        announced: u64,
        /// Bytes found, at most one more than announced.
        found: u64,
    },
    /// More than the archive could reasonably hold.
    #[error(
        "{name} announces {bytes} bytes from {packed} packed ones, more than {limit}, as archives do that are made \
         to fill a disk; if you trust it, unpack it and open the folder"
    )]
    Bomb {
        /// An entry, or the whole.
        name: String,
        /// Bytes announced.
        bytes: u64,
        /// Bytes in the file.
        packed: u64,
        /// Most bytes allowed.
        limit: u64,
    },
}

/// An open archive.
#[derive(Debug)]
pub(super) struct Archive {
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
        let slashes = name.replace('\\', "/");
        let drive = slashes.as_bytes().get(1) == Some(&b':');
        let climbs = slashes.split('/').any(|part| part == "..");
        if slashes.starts_with('/') || drive || climbs || name.contains(char::is_control) {
            return Err(self.problem(ZipProblem::UnsafeName { name: name.escape_debug().to_string() }));
        }
        Ok(tidy(&slashes))
    }

    /// All files.
    pub fn listing(&self) -> Result<Listing, DataError> {
        self.listing_below("")
    }

    /// All files, without the folder that everything lies in; nothing if there is no such folder.
    pub fn listing_below_top(&self) -> Result<Option<Listing>, DataError> {
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
                if is_folder {
                    listing.folders.push(path.clone());
                } else {
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
        let (name, announced) = (self.name(&entry)?, entry.size());
        let file = File::open(&self.path).map_err(DataError::io("open", &self.path))?;
        let mut file = BufReader::new(file);
        let damaged = |error: &dyn Display| damaged(&self.path, &format!("{name}: {error}"));
        let reader = entry.with_reader(&mut file, ZipReadOptions::new()).map_err(|error| damaged(&error))?;
        let mut bytes = Vec::with_capacity(announced.min(ReadLimits::SMALL) as usize);
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
