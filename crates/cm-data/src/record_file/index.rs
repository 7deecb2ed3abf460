//! Where records begin: an index file, or the records themselves.

use std::{
    collections::BTreeMap,
    io::{BufRead, Read},
};

use super::{
    RecordProblem,
    stream::{Failure, PREFIX, Place},
};

/// Places of records by their numbers.
pub(super) type Starts = BTreeMap<u64, u64>;

/// Reads lines of a number, a tab, and a byte. `bytes` are those of the record file.
pub(super) fn parse(text: &[u8], bytes: u64) -> Result<Starts, RecordProblem> {
    let mut starts = Starts::new();
    for (line, text) in (1u64..).zip(text.split(|&byte| byte == b'\n')) {
        let text = text.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let words = std::str::from_utf8(text).ok().and_then(|text| text.split_once(char::is_whitespace));
        let numbers = words.and_then(|(record, offset)| {
            let offset: u64 = offset.trim().parse().ok()?;
            Some((record.parse().ok()?, Some(offset).filter(|offset| offset % 4 == 0)?))
        });
        let Some((record, offset)) = numbers else {
            let text = String::from_utf8_lossy(text).chars().take(40).flat_map(char::escape_debug).collect();
            return Err(RecordProblem::IndexLine { line, text });
        };
        if offset.checked_add(PREFIX).is_none_or(|end| end > bytes) {
            return Err(RecordProblem::IndexPastEnd { record, offset, bytes });
        }
        if starts.insert(record, offset).is_some() {
            return Err(RecordProblem::IndexTwice { record, line });
        }
    }
    Ok(starts)
}

/// Finds the records one after another.
pub(super) fn scan(from: &mut (impl BufRead + Skip), bytes: u64) -> Result<Starts, Failure> {
    let mut starts = Starts::new();
    let mut at = 0;
    while at < bytes {
        let place = Place { record: starts.len() as u64, offset: at, end: bytes };
        at = end_of(from, place)?;
        starts.insert(place.record, place.offset);
    }
    Ok(starts)
}

/// Where a record ends, without reading it.
pub(super) fn end_of(from: &mut (impl Read + Skip), place: Place) -> Result<u64, Failure> {
    let mut at = place.offset;
    loop {
        let left = place.end - at;
        let mut prefix = [0; PREFIX as usize];
        if left < PREFIX {
            let (record, offset) = (place.record, place.offset);
            let (bytes, left) = (at + PREFIX - offset, place.end - offset);
            return Err(RecordProblem::CutShort { record, offset, bytes, left }.into());
        }
        from.read_exact(&mut prefix).map_err(Failure::Io)?;
        let prefix = place.prefix(&prefix, at)?;
        from.skip(prefix.padded()).map_err(Failure::Io)?;
        at += PREFIX + prefix.padded();
        if prefix.is_last() {
            return Ok(at);
        }
    }
}

/// Goes on after some bytes without reading them.
pub(super) trait Skip {
    fn skip(&mut self, bytes: u64) -> std::io::Result<()>;
}

impl<R: std::io::Seek + Read> Skip for std::io::BufReader<R> {
    fn skip(&mut self, bytes: u64) -> std::io::Result<()> {
        self.seek_relative(bytes as i64)
    }
}
