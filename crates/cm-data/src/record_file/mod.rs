//! Record files as MXNet writes them and insightface trains on: `.rec`, with an index `.idx` beside it.

mod announced;
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
    announced::Announced,
    index::{Starts, end_of},
    stream::{Failure, PREFIX, Place},
};
use crate::DataError;

/// Bytes of a record's own header without labels: their number, a label, and two names.
const HEADER: usize = 24;
/// Largest index, which is read whole.
const INDEX_BYTES: u64 = 1 << 32;
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
    /// The number that the packer gave it.
    number: u64,
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
        let number = record.get(8..).and_then(|rest| rest.first_chunk()).copied().ok_or_else(short)?;
        Ok(Self { labels, number: u64::from_le_bytes(number), image })
    }
}

impl RecordFile {
    /// Opens a file and finds its images, each with the number of its class.
    ///
    /// Where there is an index beside it, with `.idx` in the place of `.rec`, it tells where the records are; otherwise they are found
    /// one after another. Where record 0 has two labels and no image, as insightface's packers write it, before the images or after
    /// them, records up to the first label are images and those from there on identities, which are none; otherwise every record is
    /// an image. A file without a record 0, or whose record 0 was cut off, cannot be told from a whole one without its index.
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
        let (last, end) = end_of_last(&mut file, &starts, bytes).map_err(failure)?;
        let announced = match indexed {
            true => Announced::in_record(&mut file, &starts, 0, bytes),
            false => Announced::found(&mut file, &mut starts, bytes),
        };
        let images = match announced.map_err(failure)? {
            Some(Announced { identities, .. }) if !indexed && (found as u64) < identities => {
                return Err(problem(RecordProblem::Fewer { announced: identities, found }));
            }
            Some(announced) => {
                let images = announced.images(&mut file, &starts, bytes).map_err(failure)?;
                if let Some(record) = (1..images).find(|record| !starts.contains_key(record)) {
                    return Err(problem(match indexed {
                        true => RecordProblem::IndexCut { record, found },
                        false => RecordProblem::Missing { record, announced: images },
                    }));
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

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
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
    let label = beginning(file, place)?.labels[0];
    match label.fract() == 0.0 && (0.0..=MOST_CLASSES).contains(&label) {
        true => Ok(label as u32),
        false => Err(RecordProblem::Label { record: place.record, label }.into()),
    }
}

/// What stands before the image of a record, without the image.
fn beginning(file: &mut BufReader<File>, place: Place) -> Result<Header, Failure> {
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
    match Header::of(&start, place) {
        // Divided within its labels, which hold the magic number.
        Err(_) if !prefix.is_last() => {
            file.seek(SeekFrom::Start(place.offset)).map_err(Failure::Io)?;
            Ok(Header::of(&stream::record(file, place, u64::MAX)?, place)?)
        }
        header => Ok(header?),
    }
}
