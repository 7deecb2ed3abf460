//! What instructions have after them.

use super::PickleProblem;

/// A place in the bytes of a pickle.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn take(&mut self, count: usize) -> Result<&'a [u8], PickleProblem> {
        let found = self.bytes[self.at..].get(..count);
        let found = found.ok_or(PickleProblem::CutShort { at: self.bytes.len() })?;
        self.at += count;
        Ok(found)
    }

    pub fn byte(&mut self) -> Result<u8, PickleProblem> {
        self.take(1).map(|byte| byte[0])
    }

    /// A whole number of so many bytes, the least significant first, without sign.
    pub fn unsigned(&mut self, count: usize) -> Result<u64, PickleProblem> {
        let bytes = self.take(count)?;
        Ok(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// As many bytes as the number of so many bytes before them says.
    pub fn counted(&mut self, count: usize) -> Result<&'a [u8], PickleProblem> {
        let length = self.unsigned(count)?;
        let cut = PickleProblem::CutShort { at: self.bytes.len() };
        self.take(usize::try_from(length).map_err(|_| cut)?)
    }

    /// The rest of the line.
    pub fn line(&mut self) -> Result<&'a [u8], PickleProblem> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&byte| byte == b'\n');
        let end = end.ok_or(PickleProblem::CutShort { at: self.bytes.len() })?;
        self.at += end + 1;
        Ok(&rest[..end])
    }
}

/// A whole number with sign, the least significant byte first.
pub(super) fn signed(bytes: &[u8]) -> Option<i64> {
    let fill = if bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 };
    let mut number = [fill; 8];
    let (kept, further) = bytes.split_at(bytes.len().min(8));
    number[..kept.len()].copy_from_slice(kept);
    let number = i64::from_le_bytes(number);
    let is_whole = further.iter().all(|&byte| byte == fill) && (number < 0) == (fill != 0);
    is_whole.then_some(number)
}

/// A string as Python 2 writes it in programs: in quotes, with backslashes.
pub(super) fn quoted(text: &[u8]) -> Option<Vec<u8>> {
    let (&quote, rest) = text.trim_ascii().split_first()?;
    let (&last, inner) = rest.split_last()?;
    if quote != last || !matches!(quote, b'\'' | b'"') {
        return None;
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.iter();
    while let Some(&byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                (digit(rest.next()?)? * 16 + digit(rest.next()?)?) as u8
            }
            other @ (b'\\' | b'\'' | b'"') => *other,
            _ => return None,
        });
    }
    Some(bytes)
}

/// A string in which letters beyond Latin 1, and some others, are written as `\u` with four digits or `\U` with eight.
pub(super) fn escaped(text: &[u8]) -> Option<String> {
    let mut found = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let digits = match (byte, after.first()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => {
                found.push(char::from(byte));
                continue;
            }
        };
        let number = std::str::from_utf8(after.get(1..=digits)?).ok()?;
        found.push(char::from_u32(u32::from_str_radix(number, 16).ok()?)?);
        rest = &after[1 + digits..];
    }
    Some(found)
}
