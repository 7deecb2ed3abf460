//! Record files as MXNet writes them and insightface trains on: `.rec`, with an index `.idx` beside it.

mod index;
mod problem;
mod stream;

use std::{
    fs::{self, File},
    io::{BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use rayon::prelude::*;

pub use problem::RecordProblem;

use self::{
    index::{Starts, end_of},
    stream::{Failure, PREFIX, Place},
};
use crate::DataError;

/// Bytes of a record's own header without labels: their number, a label, and two names.
const HEADER: usize = 24;
/// Largest index, which is read whole.
const INDEX_BYTES: u64 = 1 << 32;
/// Largest record that is read to see whether it is the one without an image.
const LABELS: u64 = 1 << 16;
/// Images whose labels one thread reads at a time.
const TOGETHER: usize = 4096;
/// Up to here a 32-bit float holds every whole number.
const MOST_CLASSES: f32 = 16_777_216.0;

/// An open record file: where its images are.
#[derive(Debug)]
pub(crate) struct RecordFile {
    path: PathBuf,
    bytes: u64,
    /// Number and place of each image.
    images: Vec<(u64, u64)>,
}

/// What stands in a record before its image.
#[derive(Debug)]
struct Header {
    /// One, or as many as it says.
    labels: Vec<f32>,
    /// Where the image begins in the record.
    image: usize,
}

impl Header {
    fn of(record: &[u8], place: Place) -> Result<Self, RecordProblem> {
        let Place { record: number, offset, .. } = place;
        let short = || RecordProblem::NoHeader { record: number, offset, bytes: record.len() as u64 };
        let word = |at: usize| record.get(at..)?.first_chunk().copied();
        let count = u32::from_le_bytes(word(0).ok_or_else(short)?) as usize;
        let image = count.checked_mul(4).and_then(|labels| labels.checked_add(HEADER)).ok_or_else(short)?;
        if record.len() < image {
            return Err(short());
        }
        let label = |at: usize| word(at).map(f32::from_le_bytes).ok_or_else(short);
        let labels = match count {
            0 => vec![label(4)?],
            _ => (0..count).map(|i| label(HEADER + 4 * i)).collect::<Result<_, _>>()?,
        };
        Ok(Self { labels, image })
    }
}

impl RecordFile {
    /// Opens a file and finds its images, each with the number of its class.
    ///
    /// Where there is an index beside it, with `.idx` in the place of `.rec`, it tells where the records are; otherwise they are found
    /// one after another. Where the first record has two labels and no image, as insightface writes it, records up to the first
    /// label are images and those after them identities, which are none; otherwise every record is an image. A file of that kind that
    /// was cut between two records cannot be told from a whole one without its index.
    ///
    /// # Errors
    ///
    /// [`DataError::Record`], and [`DataError::Io`].
    pub fn open(path: &Path) -> Result<(Self, Vec<u32>), DataError> {
        let problem = |problem| DataError::Record { path: path.to_owned(), problem };
        let failure = |failure| match failure {
            Failure::Problem(found) => problem(found),
            Failure::Io(error) => DataError::io("read", path)(error),
        };
        let open = || File::open(path).map_err(DataError::io("open", path));
        let mut file = BufReader::new(open()?);
        let bytes = file.get_ref().metadata().map_err(DataError::io("look at", path))?.len();
        if bytes == 0 {
            return Err(problem(RecordProblem::Empty));
        }
        let index = path.with_extension("idx");
        let indexed = index.is_file();
        let mut starts = match indexed {
            true => {
                let text = crate::source::read_file(&index, &index.display().to_string(), INDEX_BYTES)?;
                index::parse(&text, bytes).map_err(problem)?
            }
            false => index::scan(&mut file, bytes).map_err(failure)?,
        };
        // An index of images alone leaves the first record out, which is at the beginning of the file.
        if starts.values().all(|&start| start != 0) {
            starts.entry(0).or_insert(0);
        }
        let found = starts.len();
        let first = Place { record: 0, offset: 0, end: bytes };
        let (last, end) = end_of_last(&mut file, &starts, bytes).map_err(failure)?;
        file.seek(SeekFrom::Start(0)).map_err(DataError::io("read", path))?;
        let images = match announced(&mut file, first).map_err(failure)? {
            Some((_, identities)) if !indexed && (found as u64) < identities => {
                return Err(problem(RecordProblem::Fewer { announced: identities, found }));
            }
            Some((images, _)) => {
                if let Some(record) = (1..images).find(|record| !starts.contains_key(record)) {
                    return Err(problem(RecordProblem::IndexCut { record, found }));
                }
                starts.retain(|record, _| (1..images).contains(record));
                starts
            }
            None if end < bytes => {
                return Err(problem(RecordProblem::IndexCut { record: last + 1, found }));
            }
            None => starts,
        };
        let images: Vec<(u64, u64)> = images.into_iter().collect();
        if images.is_empty() {
            return Err(problem(RecordProblem::NoImages));
        }
        let labels_of = |images: &[(u64, u64)]| -> Result<Vec<u32>, DataError> {
            let mut file = BufReader::with_capacity(64, open()?);
            let label = |&(record, offset): &(u64, u64)| {
                file.seek(SeekFrom::Start(offset)).map_err(DataError::io("read", path))?;
                label_of(&mut file, Place { record, offset, end: bytes }).map_err(failure)
            };
            images.iter().map(label).collect()
        };
        let labels = images.par_chunks(TOGETHER).map(labels_of).collect::<Result<Vec<_>, _>>()?.concat();
        Ok((Self { path: path.to_owned(), bytes, images }, labels))
    }

    /// The numbers of the images' records.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        self.images.iter().map(|(record, _)| *record)
    }

    /// The bytes of an image, of at most `limit`.
    pub fn read(&self, image: usize, limit: u64) -> Result<Vec<u8>, DataError> {
        let (record, offset) = self.images[image];
        let place = Place { record, offset, end: self.bytes };
        let problem = |problem| DataError::Record { path: self.path.clone(), problem };
        let mut file = File::open(&self.path).map_err(DataError::io("open", &self.path))?;
        file.seek(SeekFrom::Start(offset)).map_err(DataError::io("read", &self.path))?;
        let mut bytes =
            stream::record(&mut BufReader::new(file), place, limit).map_err(|failure| match failure {
                Failure::Problem(found) => problem(found),
                Failure::Io(error) => DataError::io("read", &self.path)(error),
            })?;
        let header = Header::of(&bytes, place).map_err(problem)?;
        bytes.drain(..header.image);
        Ok(bytes)
    }

    /// What tells one content of an image from another: the place, and size and time of the file.
    pub fn stamp(&self, image: usize) -> Option<(String, String)> {
        let found = fs::metadata(&self.path).ok()?;
        let time = found.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        let path = std::path::absolute(&self.path).ok()?;
        let (record, offset) = self.images[image];
        let key = format!("{}!/{record}", path.to_str()?);
        Some((key, format!("{} {offset} {}.{:09}", found.len(), time.as_secs(), time.subsec_nanos())))
    }
}

/// The record after the last image and that after the last identity, if the first record announces them.
fn announced(file: &mut BufReader<File>, first: Place) -> Result<Option<(u64, u64)>, Failure> {
    let record = match stream::record(file, first, LABELS) {
        Ok(record) => record,
        // Too large for one without an image.
        Err(Failure::Problem(RecordProblem::Large { .. })) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let header = Header::of(&record, first)?;
    let [images, identities] = header.labels[..] else { return Ok(None) };
    if record.len() > header.image {
        return Ok(None);
    }
    let is_number = |value: f32| value.fract() == 0.0 && (1.0..1e15).contains(&value);
    if !is_number(images) || !is_number(identities) || identities < images {
        return Err(RecordProblem::Range { images, identities }.into());
    }
    Ok(Some((images as u64, identities as u64)))
}

/// Where the last record ends that is known of, and its number.
fn end_of_last(file: &mut BufReader<File>, starts: &Starts, bytes: u64) -> Result<(u64, u64), Failure> {
    let Some((&record, &offset)) = starts.iter().max_by_key(|(_, offset)| **offset) else {
        return Ok((0, 0));
    };
    file.seek(SeekFrom::Start(offset)).map_err(Failure::Io)?;
    end_of(file, Place { record, offset, end: bytes }).map(|end| (record, end))
}

/// The class of an image, without the image.
fn label_of(file: &mut BufReader<File>, place: Place) -> Result<u32, Failure> {
    let mut prefix = [0; PREFIX as usize];
    file.read_exact(&mut prefix).map_err(Failure::Io)?;
    let prefix = place.prefix(&prefix, place.offset)?;
    let mut start = Vec::new();
    let mut until = |bytes: u64, start: &mut Vec<u8>| {
        let more = prefix.length.min(bytes) - start.len() as u64;
        file.by_ref().take(more).read_to_end(start).map_err(Failure::Io)
    };
    until(HEADER as u64, &mut start)?;
    let count = start.first_chunk().map_or(0, |count| u32::from_le_bytes(*count));
    until(HEADER as u64 + 4 * u64::from(count), &mut start)?;
    let header = match Header::of(&start, place) {
        // Divided within its labels, which hold the magic number.
        Err(_) if !prefix.is_last() => {
            file.seek(SeekFrom::Start(place.offset)).map_err(Failure::Io)?;
            Header::of(&stream::record(file, place, u64::MAX)?, place)?
        }
        header => header?,
    };
    let label = header.labels[0];
    match label.fract() == 0.0 && (0.0..=MOST_CLASSES).contains(&label) {
        true => Ok(label as u32),
        false => Err(RecordProblem::Label { record: place.record, label }.into()),
    }
}
