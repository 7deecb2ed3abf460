//! Records one after another: a magic number, a word with the kind and the length of a part, the part, and zeros up to a multiple of
//! four bytes. Where the magic number would stand in a record at a multiple of four, the record is divided there and the number
//! left out. (dmlc-core, `recordio.h`)

use std::io::{ErrorKind, Read};

use super::RecordProblem;

pub(super) const MAGIC: u32 = 0xced7_230a;

/// Bytes before a part.
pub(super) const PREFIX: u64 = 8;

/// What a part is of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Whole,
    First,
    Middle,
    Last,
}

/// What stands before a part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prefix {
    kind: Kind,
    /// Bytes of the part.
    pub length: u64,
}

impl Prefix {
    /// Bytes of the part with the zeros after it.
    pub fn padded(self) -> u64 {
        self.length.next_multiple_of(4)
    }

    /// Whether the record ends with the part.
    pub fn is_last(self) -> bool {
        matches!(self.kind, Kind::Whole | Kind::Last)
    }
}

/// A place in a file, and the record that is read there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub record: u64,
    /// Where the record begins.
    pub offset: u64,
    /// Bytes of the file.
    pub end: u64,
}

impl Place {
    fn cut(self, bytes: u64) -> RecordProblem {
        let Self { record, offset, end } = self;
        RecordProblem::CutShort { record, offset, bytes, left: end - offset }
    }

    /// What stands before a part at `at`; `bytes` of the record come before it.
    pub fn prefix(self, bytes: &[u8; PREFIX as usize], at: u64) -> Result<Prefix, RecordProblem> {
        let Self { record, offset, end } = self;
        let [magic, word] = [0, 4].map(|from| {
            let word = bytes[from..].first_chunk().expect("four bytes are there");
            u32::from_le_bytes(*word)
        });
        if magic != MAGIC {
            return Err(RecordProblem::NoMagic { record, offset: at, found: magic });
        }
        let (kind, length) = (word >> 29, u64::from(word & ((1 << 29) - 1)));
        let kind = match (kind, at == offset) {
            (0, true) => Kind::Whole,
            (1, true) => Kind::First,
            (2, false) => Kind::Middle,
            (3, false) => Kind::Last,
            _ => return Err(RecordProblem::Parts { record, offset }),
        };
        let prefix = Prefix { kind, length };
        let after = at + PREFIX + prefix.padded();
        if after > end { Err(self.cut(after - offset)) } else { Ok(prefix) }
    }
}

/// What reading a record can end with.
pub(super) enum Failure {
    Problem(RecordProblem),
    Io(std::io::Error),
}

impl From<RecordProblem> for Failure {
    fn from(problem: RecordProblem) -> Self {
        Self::Problem(problem)
    }
}

fn filled(from: &mut impl Read, to: &mut [u8], cut: impl FnOnce() -> RecordProblem) -> Result<(), Failure> {
    from.read_exact(to).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => Failure::Problem(cut()),
        _ => Failure::Io(error),
    })
}

/// The bytes of the record that begins where `from` stands, of at most `limit`.
pub(super) fn record(from: &mut impl Read, place: Place, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut record = Vec::new();
    let mut at = place.offset;
    loop {
        let mut bytes = [0; PREFIX as usize];
        filled(from, &mut bytes, || place.cut(at + PREFIX - place.offset))?;
        let prefix = place.prefix(&bytes, at)?;
        let total = record.len() as u64 + prefix.length;
        if total > limit {
            return Err(RecordProblem::Large { record: place.record, bytes: total, limit }.into());
        }
        let start = record.len();
        record.resize(start + prefix.padded() as usize, 0);
        at += PREFIX + prefix.padded();
        filled(from, &mut record[start..], || place.cut(at - place.offset))?;
        record.truncate(start + prefix.length as usize);
        if prefix.is_last() {
            return Ok(record);
        }
        record.extend(MAGIC.to_le_bytes());
    }
}
