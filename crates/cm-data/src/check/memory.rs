//! What earlier checks have seen, in a file.

use std::{collections::BTreeMap, path::Path};

use cm_record::files::write_atomically;
use serde::{Deserialize, Serialize};

use crate::{ContentHash, DataError, DecodeLimits, ImageFacts, ReadLimits};

/// Changes whenever the same file may be judged in another way.
const FORMAT: &str = concat!("cm-data check 1, version ", env!("CARGO_PKG_VERSION"));

/// Results of earlier checks by the name of the file.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Memory {
    format: String,
    /// Most bytes and most pixels of an image.
    limits: (u64, u64),
    files: BTreeMap<String, Remembered>,
    /// Whether the file holds just this.
    #[serde(skip)]
    written: bool,
}

/// The result for one file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Remembered {
    /// What tells this content of the file from another.
    stamp: String,
    result: Outcome,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// Width, height, channels and the checksum of the content.
    Good(u32, u32, u8, String),
    Bad(String),
}

impl Remembered {
    pub fn new(stamp: String, result: &Result<ImageFacts, String>) -> Self {
        let result = match result {
            Ok(facts) => Outcome::Good(facts.width, facts.height, facts.channels, facts.content.to_string()),
            Err(reason) => Outcome::Bad(reason.clone()),
        };
        Self { stamp, result }
    }
}

impl Memory {
    /// Reads the file. One that is not there, or cannot be used, is an empty one.
    pub fn read(path: &Path, (read, decode): (ReadLimits, DecodeLimits)) -> Self {
        let limits = (read.file, decode.pixels);
        let found = std::fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let usable = |memory: &Self| memory.format == FORMAT && memory.limits == limits;
        match found.filter(usable) {
            Some(memory) => Self { written: true, ..memory },
            None => Self { format: FORMAT.to_owned(), limits, ..Self::default() },
        }
    }

    pub fn get(&self, key: &str, stamp: &str) -> Option<Result<ImageFacts, String>> {
        let found = self.files.get(key).filter(|found| found.stamp == stamp)?;
        match &found.result {
            Outcome::Bad(reason) => Some(Err(reason.clone())),
            Outcome::Good(width, height, channels, content) => {
                let content = ContentHash::from_hex(content)?;
                Some(Ok(ImageFacts { width: *width, height: *height, channels: *channels, content }))
            }
        }
    }

    /// Writes the file with other results, unless they are the same.
    pub fn replace(mut self, files: BTreeMap<String, Remembered>, path: &Path) -> Result<(), DataError> {
        if self.written && files == self.files {
            return Ok(());
        }
        self.files = files;
        let Ok(text) = serde_json::to_vec(&self) else {
            unreachable!("text and numbers have a form in JSON")
        };
        write_atomically(path, &text).map_err(DataError::io("write", path))
    }
}
