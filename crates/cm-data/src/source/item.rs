//! One image of a data set: where it is and what is known about it.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

/// One image of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Path within the data set with `/` between the folders, as shown to people.
    pub file: String,
    /// Where the bytes are.
    pub location: Location,
    /// Position of the class in [`Collection::classes`](crate::Collection::classes), or
    /// [`Item::UNLABELED`].
    pub label: u32,
    /// Position in [`Collection::groups`](crate::Collection::groups) of what the image shares
    /// with others: a person, a patient, a track.
    pub group: Option<u32>,
    /// How much the image counts in training; 1 unless a list says otherwise.
    pub weight: f32,
    /// The side that it was given to, if it was.
    pub split: Option<Split>,
    /// Values of [`Collection::columns`](crate::Collection::columns); NaN where the list has none.
    pub columns: Vec<f64>,
    /// What a check found in the file, once there was one.
    pub facts: Option<ImageFacts>,
}

impl Item {
    /// Label of an image whose class nobody said.
    pub const UNLABELED: u32 = u32::MAX;

    /// An image of weight 1 without group, split and further columns.
    pub fn new(file: impl Into<String>, location: Location, label: u32) -> Self {
        Self {
            file: file.into(),
            location,
            label,
            group: None,
            weight: 1.0,
            split: None,
            columns: Vec::new(),
            facts: None,
        }
    }

    /// The label, if there is one.
    pub fn class(&self) -> Option<usize> {
        (self.label != Self::UNLABELED).then_some(self.label as usize)
    }
}

/// Where the bytes of an image are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In a file.
    File(PathBuf),
    /// In an entry of the data set's archive, by its number.
    Entry(usize),
    /// In an image of the data set's record file, by its place among them.
    Record(usize),
    /// In memory as the bytes of a file, by their number.
    Encoded(usize),
    /// In memory, by the number of the image.
    Memory(usize),
}

/// What an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Learning.
    Train,
    /// Choosing between models while they learn.
    Val,
    /// Judging the model in the end.
    Test,
}

impl Split {
    /// The split that a folder or a cell of a list means: `train`, `val`, `valid`, `validation`
    /// or `test`, in letters of any case.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_lowercase().as_str() {
            "train" => Some(Self::Train),
            "val" | "valid" | "validation" => Some(Self::Val),
            "test" => Some(Self::Test),
            _ => None,
        }
    }

    /// `train`, `val` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What decoding a file once has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageFacts {
    /// Width in pixels, turned as the file says.
    pub width: u32,
    /// Height in pixels, turned as the file says.
    pub height: u32,
    /// 1 (gray) or 3 (color).
    pub channels: u8,
    /// Sum of the bytes of the file.
    pub content: ContentHash,
}

/// SHA-256 of the bytes of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The sum from 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut sum = [0; 32];
        for (byte, pair) in sum.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16);
            *byte = (digit(0)? * 16 + digit(1)?) as u8;
        }
        Some(Self(sum))
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
