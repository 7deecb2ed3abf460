//! Which kinds of TIFF are refused, by name.

use super::{DecodeError, DecodeLimits};

const FORMAT: &str = "TIFF";

/// Names what is not read before the decoder says something about it that nobody understands.
///
/// What cannot be followed here is left to the decoder.
pub(super) fn check_kind(bytes: &[u8], limits: &DecodeLimits) -> Result<(), DecodeError> {
    let tags = Tags { bytes, little: bytes.starts_with(b"II") };
    let other = |what: String| Err(DecodeError::OtherKind { format: FORMAT, what });
    if tags.announce_more_than_there_is() {
        return Err(DecodeError::CutShort { format: FORMAT });
    }
    if let (Some(width), Some(height)) = (tags.first(256), tags.first(257)) {
        limits.check(FORMAT, width.into(), height.into())?;
    }
    match (tags.first(339), tags.first(258).unwrap_or(1), tags.first(262)) {
        (Some(3), ..) => Err(DecodeError::FloatingPoint),
        (Some(2), bits, _) => other(format!("signed {bits}-bit")),
        (_, bits @ 17.., _) => other(format!("{bits}-bit")),
        (.., Some(3)) => other("palette".to_owned()),
        (.., Some(6)) => other("YCbCr".to_owned()),
        (.., Some(8..=10)) => other("L*a*b*".to_owned()),
        _ => Ok(()),
    }
}

/// Numbers in the first directory.
struct Tags<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl Tags<'_> {
    /// Whether the values of a tag would be longer than the file. The decoder makes room for them before it reads.
    fn announce_more_than_there_is(&self) -> bool {
        let Some(directory) = self.long(4).map(|at| at as usize) else { return false };
        let entries = usize::from(self.short(directory).unwrap_or(0));
        (0..entries).map(|i| directory + 2 + 12 * i).any(|entry| {
            let width = match self.short(entry + 2) {
                Some(3 | 8) => 2,
                Some(4 | 9 | 11 | 13) => 4,
                Some(5 | 10 | 12 | 16..=18) => 8,
                _ => 1,
            };
            self.long(entry + 4).is_some_and(|count| u64::from(count) * width > self.bytes.len() as u64)
        })
    }

    /// The first number of a tag, if it is there.
    fn first(&self, wanted: u16) -> Option<u32> {
        let directory = self.long(4)? as usize;
        let entries = usize::from(self.short(directory)?);
        let entry =
            (0..entries).map(|i| directory + 2 + 12 * i).find(|&at| self.short(at) == Some(wanted))?;
        let (kind, count) = (self.short(entry + 2)?, self.long(entry + 4)?);
        match (kind, count) {
            // Two short numbers stand in the entry itself, more stand elsewhere.
            (3, 0..=2) => self.short(entry + 8).map(u32::from),
            (3, _) => self.short(self.long(entry + 8)? as usize).map(u32::from),
            (4, 1) => self.long(entry + 8),
            _ => None,
        }
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }
}
