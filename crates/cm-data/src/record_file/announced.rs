//! The record without an image that says which of the others have one.

use std::{
    fs::File,
    io::{BufReader, Seek, SeekFrom},
};

use super::{
    HEADER, Header, RecordProblem,
    index::Starts,
    stream::{self, Failure, PREFIX, Place},
};

/// Largest record that is read to see whether it is the one without an image.
const LABELS: u64 = 1 << 16;
/// Bytes of a record of two labels and no image.
const WITHOUT_IMAGE: u64 = PREFIX + HEADER as u64 + 8;
/// From here on a 32-bit float holds even numbers only: what is announced may be off by one.
const ROUNDED: u64 = 1 << 24;

/// What record 0 says of the others.
pub(super) struct Announced {
    /// The record after the last image.
    images: u64,
    /// That after the last identity.
    pub identities: u64,
}

impl Announced {
    /// Of the record of this number, if it is one.
    pub fn in_record(
        file: &mut BufReader<File>,
        starts: &Starts,
        record: u64,
        bytes: u64,
    ) -> Result<Option<Self>, Failure> {
        let Some(&offset) = starts.get(&record) else { return Ok(None) };
        let place = Place { record, offset, end: bytes };
        let Some(header) = without_image(file, place)? else { return Ok(None) };
        let [images, identities] = header.labels[..] else { return Ok(None) };
        if header.number != 0 {
            return Ok(None);
        }
        let is_number = |value: f32| value.fract() == 0.0 && (1.0..1e15).contains(&value);
        if !is_number(images) || !is_number(identities) || identities < images {
            return Err(RecordProblem::Range { images, identities }.into());
        }
        Ok(Some(Self { images: images as u64, identities: identities as u64 }))
    }

    /// Of records that were found one after another, wherever it is among them. They get the numbers that their packer gave them
    /// if it is not the first.
    pub fn found(
        file: &mut BufReader<File>,
        starts: &mut Starts,
        bytes: u64,
    ) -> Result<Option<Self>, Failure> {
        if let Some(first) = Self::in_record(file, starts, 0, bytes)? {
            return Ok(Some(first));
        }
        let ends = starts.values().skip(1).copied().chain([bytes]);
        let short = starts.iter().zip(ends).filter(|((_, start), end)| end - **start == WITHOUT_IMAGE);
        let short: Vec<u64> = short.map(|((&record, _), _)| record).collect();
        for record in short {
            if let Some(announced) = Self::in_record(file, starts, record, bytes)? {
                *starts = numbered(file, starts, bytes)?;
                return Ok(Some(announced));
            }
        }
        Ok(None)
    }

    /// The record after the last image: where so many are announced that the number is rounded, the records say which it is.
    pub fn images(&self, file: &mut BufReader<File>, starts: &Starts, bytes: u64) -> Result<u64, Failure> {
        if self.images <= ROUNDED {
            return Ok(self.images);
        }
        let mut is_image = |record: u64| -> Result<bool, Failure> {
            // What an index lacks is said later.
            let Some(&offset) = starts.get(&record) else { return Ok(true) };
            Ok(without_image(file, Place { record, offset, end: bytes })?.is_none())
        };
        // Half the distance of two neighboring 32-bit floats, and one more.
        let off = (self.images >> 24).next_power_of_two() + 1;
        let near = self.images.saturating_sub(off)..=self.images + off;
        for record in near {
            if !is_image(record)? {
                return Ok(record);
            }
        }
        Ok(self.images)
    }
}

/// The header of a record that has nothing behind it; `None` of one with an image.
fn without_image(file: &mut BufReader<File>, place: Place) -> Result<Option<Header>, Failure> {
    file.seek(SeekFrom::Start(place.offset)).map_err(Failure::Io)?;
    let record = match stream::record(file, place, LABELS) {
        Ok(record) => record,
        // Too large for one without an image.
        Err(Failure::Problem(RecordProblem::Large { .. })) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let header = Header::of(&record, place)?;
    Ok((record.len() == header.image).then_some(header))
}

/// The places of records by the numbers that their packer gave them.
fn numbered(file: &mut BufReader<File>, starts: &Starts, bytes: u64) -> Result<Starts, Failure> {
    let mut by_number = Starts::new();
    for (&record, &offset) in starts {
        file.seek(SeekFrom::Start(offset)).map_err(Failure::Io)?;
        let place = Place { record, offset, end: bytes };
        let number = super::beginning(file, place)?.number;
        if by_number.insert(number, offset).is_some() {
            return Err(RecordProblem::NumberTwice { record: number }.into());
        }
    }
    Ok(by_number)
}
