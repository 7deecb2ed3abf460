//! A data set: its classes, its images, and how to get at their bytes.

use std::{
    fmt,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{ContentHash, Item, Location, OpenOptions, ReadLimits, Skipped, archive::Archive};
use crate::{
    DataError, DecodeLimits, Image, checksum::Checksum, decode, decode::begins_like_an_image,
    record_file::RecordFile,
};

/// A data set: its classes and images, none of them in memory unless they come from an IDX file.
#[derive(Debug, Clone)]
pub struct Collection {
    /// Name of the folder, list or archive, without its ending.
    pub name: String,
    /// Names of the classes. [`Item::label`] is a position here.
    pub classes: Vec<String>,
    /// The images. Those of folders and archives come in the order of their names, those of lists
    /// and IDX files in the order in which they stand there.
    pub items: Vec<Item>,
    /// Names of the further numeric columns of a list.
    pub columns: Vec<String>,
    /// Names of the columns of a list that hold something else and are of no use here.
    pub ignored_columns: Vec<String>,
    /// Names of the groups. [`Item::group`] is a position here.
    pub groups: Vec<String>,
    /// What was passed over.
    pub skipped: Skipped,
    pub(super) source: Arc<Source>,
}

/// Where the bytes come from, and how much of them may be taken.
pub(super) struct Source {
    pub archive: Option<Archive>,
    pub records: Option<RecordFile>,
    pub encoded: Vec<Arc<[u8]>>,
    pub images: Vec<Image>,
    pub read: ReadLimits,
    pub decode: DecodeLimits,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let images = format!("{} images", self.images.len());
        f.debug_struct("Source")
            .field("archive", &self.archive)
            .field("records", &self.records.as_ref().map(|records| records.numbers().count()))
            .field("images", &images)
            .finish_non_exhaustive()
    }
}

impl Collection {
    /// A data set of images in memory, such as drawn ones. The location of item `i` becomes image
    /// `i`.
    ///
    /// # Panics
    ///
    /// If there are not as many items as images.
    pub fn from_images(
        name: impl Into<String>,
        classes: Vec<String>,
        mut items: Vec<Item>,
        images: Vec<Image>,
    ) -> Self {
        assert_eq!(items.len(), images.len(), "one item for each image");
        items.iter_mut().enumerate().for_each(|(i, item)| item.location = Location::Memory(i));
        let source = Source::new(None, images, &OpenOptions::default());
        Self {
            name: name.into(),
            classes,
            items,
            columns: Vec::new(),
            ignored_columns: Vec::new(),
            groups: Vec::new(),
            skipped: Skipped::default(),
            source: Arc::new(source),
        }
    }

    /// Files by their names, without classes. Whether they can be read is found out when they are.
    pub fn from_files(name: impl Into<String>, files: Vec<(String, PathBuf)>, options: &OpenOptions) -> Self {
        let item = |(file, path)| Item::new(file, Location::File(path), Item::UNLABELED);
        let items = files.into_iter().map(item).collect();
        let source = Arc::new(Source::new(None, Vec::new(), options));
        Self { items, source, ..Self::from_images(name, Vec::new(), Vec::new(), Vec::new()) }
    }

    /// Encoded images in memory, without classes. They are called by their numbers.
    pub(crate) fn from_encoded(name: String, encoded: Vec<Arc<[u8]>>, options: &OpenOptions) -> Self {
        let item = |at| Item::new(format!("image {at}"), Location::Encoded(at), Item::UNLABELED);
        let items = (0..encoded.len()).map(item).collect();
        let source = Arc::new(Source { encoded, ..Source::new(None, Vec::new(), options) });
        Self { items, source, ..Self::from_images(name, Vec::new(), Vec::new(), Vec::new()) }
    }

    /// Tells what a path is and opens it.
    ///
    /// | path | what it is |
    /// |---|---|
    /// | a folder with IDX files, also in `mnist/`, `MNIST/raw/` or `raw/` in it | images and labels |
    /// | another folder | a sub-folder for each class, or `train`, `val`, `test` with those in them |
    /// | a `.zip` file | such a folder, or a list with its images, read in place |
    /// | a `.csv`, `.tsv` or `.txt` file | a list: a table whose rows name a file and its label |
    /// | a `.lst` file | a list without a header, as MXNet's im2rec and insightface have it: number, label, path |
    /// | a `.rec` file, its `.idx`, or a folder with them | images with labels, as MXNet and insightface have them |
    /// | an IDX file of images | it, and the labels beside it |
    /// | an `.npz` file of arrays | images and labels, as MedMNIST and Keras name them |
    /// | an image, where no labels are required | it alone |
    ///
    /// **Folders.** An image's class is the sub-folder that it lies in, however deep below.
    /// Folders named `train`, `val` (`valid`, `validation`) and `test` are splits if there are no
    /// others beside them. Links are followed if they stay inside. Hidden files, what systems
    /// leave behind, and notes are [passed over](Skipped); every other file counts as an image
    /// and has to be one.
    ///
    /// **Lists.** The header names the columns: `path` (or `file`, `filename`, `image`) and
    /// `label` (or `class`), and if there are `group`, `split` and `weight`. Other columns are
    /// kept if they hold numbers. The separator is a comma, a semicolon or a tab, whichever the
    /// header has. Paths begin where the list lies, or at [`OpenOptions::root`].
    ///
    /// **Archives.** One folder that everything lies in is left out of the names. Every entry is
    /// checked when the archive is opened: its name, its size, how it is packed.
    ///
    /// **Record files.** The index beside the file, `.idx` in the place of `.rec`, tells where its records are; without it they are
    /// found one after another. The records of identities, which insightface puts behind the images, are no images. An image is
    /// called by the number of its record. Of several record files in a folder
    /// `train.rec` is taken.
    ///
    /// **Arrays.** `train_images` with `train_labels`, so also for `val` and `test`; or `x_train` with `y_train`; or `images` with
    /// `labels`. Images are bytes: `(images, height, width)`, `(images, height, width, 3)` with colors, or volumes `(images, slices,
    /// height, width)` of 8 to 255 slices. Labels are whole numbers `(images,)` or `(images, 1)`.
    ///
    /// **Classes** are sorted in [natural order](crate::natural_order), and are the same for all
    /// splits.
    ///
    /// # Errors
    ///
    /// [`DataError`] with what is wrong and where.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self, DataError> {
        super::open::open(path, options)
    }

    /// How many images there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The same data set with only some of its images, in the order given.
    ///
    /// # Panics
    ///
    /// If an index is too large.
    pub fn select(&self, indices: &[usize]) -> Self {
        Self { items: indices.iter().map(|&index| self.items[index].clone()).collect(), ..self.clone() }
    }

    /// Bytes of a file. For an image in memory, a PGM or PPM file with it; the slices of a volume stand below each other.
    ///
    /// # Errors
    ///
    /// [`DataError`] with the file's name.
    ///
    /// # Panics
    ///
    /// If there is no image `index`.
    pub fn read(&self, index: usize) -> Result<Vec<u8>, DataError> {
        self.source.read(&self.items[index])
    }

    /// A decoded image.
    ///
    /// # Errors
    ///
    /// [`DataError`] with the file's name; [`DataError::BadImage`] if it is no usable image.
    ///
    /// # Panics
    ///
    /// If there is no image `index`.
    pub fn image(&self, index: usize) -> Result<Image, DataError> {
        let item = &self.items[index];
        match item.location {
            // Without making the bytes of a file of it.
            Location::Memory(_) => self.decoded(index, &[]),
            _ => self.decoded(index, &self.source.read(item)?),
        }
    }

    /// The image in the bytes that [`read`](Self::read) gave.
    pub(crate) fn decoded(&self, index: usize, bytes: &[u8]) -> Result<Image, DataError> {
        if let Location::Memory(at) = self.items[index].location {
            return Ok(self.source.images[at].clone());
        }
        let item = &self.items[index];
        // What has no file of its own is named with the one that it is in.
        let file = || match (&item.location, &self.source.records) {
            (Location::Record(_), Some(records)) => format!("{}, {}", records.path().display(), item.file),
            (Location::Encoded(_), _) => format!("{}, {}", self.name, item.file),
            _ => item.file.clone(),
        };
        decode(bytes, &self.source.decode).map_err(|problem| DataError::BadImage { file: file(), problem })
    }

    /// How many images in memory have the same value everywhere: nothing is to be seen on them.
    pub fn constant_images(&self) -> usize {
        let is_constant = |item: &&Item| match item.location {
            Location::Memory(at) => {
                let Image { channels, pixels, .. } = &self.source.images[at];
                pixels.chunks_exact(*channels).all(|pixel| pixel == &pixels[..*channels])
            }
            _ => false,
        };
        self.items.iter().filter(is_constant).count()
    }

    /// Checksum of the data set: of the class, the name and the content of each image, whatever
    /// their order.
    ///
    /// The same images elsewhere, or in an archive, have the same checksum. Contents that a
    /// [check](crate::check_all) has seen are not read again.
    ///
    /// # Errors
    ///
    /// [`DataError`] for a file that cannot be read.
    pub fn checksum(&self) -> Result<String, DataError> {
        let content = |item: &Item| match item.facts {
            Some(facts) => Ok(facts.content),
            None => self.source.read(item).map(|bytes| content_hash(&bytes)),
        };
        let contents = self.items.par_iter().map(content).collect::<Result<Vec<_>, _>>()?;
        let class = |item: &Item| item.class().map_or("", |class| self.classes[class].as_str());
        let mut lines: Vec<_> = self
            .items
            .iter()
            .zip(&contents)
            .map(|(item, content)| (class(item), &item.file, content))
            .collect();
        lines.sort_unstable();
        let mut checksum = Checksum::default();
        for (class, file, content) in lines {
            checksum.add(class.as_bytes());
            checksum.add(file.as_bytes());
            checksum.add(&content.0);
        }
        Ok(checksum.finish())
    }

    /// What names the bytes of an image in a memory of checks, and what tells this content of it
    /// from another: size and time of a file, size and checksum of an entry. Nothing for images
    /// in memory.
    pub(crate) fn stamp(&self, index: usize) -> Option<(String, String)> {
        match &self.items[index].location {
            Location::File(path) => {
                let found = fs::metadata(path).ok()?;
                let time = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
                let key = std::path::absolute(path).ok()?.to_str()?.to_owned();
                Some((key, format!("{} {}.{:09}", found.len(), time.as_secs(), time.subsec_nanos())))
            }
            Location::Entry(at) => self.source.archive.as_ref()?.stamp(*at),
            Location::Record(at) => self.source.records.as_ref()?.stamp(*at),
            Location::Encoded(_) | Location::Memory(_) => None,
        }
    }

    pub(crate) fn limits(&self) -> (ReadLimits, DecodeLimits) {
        (self.source.read, self.source.decode)
    }
}

impl Source {
    pub fn new(archive: Option<Archive>, images: Vec<Image>, options: &OpenOptions) -> Self {
        Self {
            archive,
            records: None,
            encoded: Vec::new(),
            images,
            read: options.read,
            decode: options.decode,
        }
    }

    pub fn read(&self, item: &Item) -> Result<Vec<u8>, DataError> {
        match &item.location {
            Location::File(path) => read_file(path, &item.file, self.read.file),
            Location::Entry(at) => match &self.archive {
                Some(archive) => archive.read(*at),
                None => unreachable!("only an archive has entries"),
            },
            Location::Record(at) => match &self.records {
                Some(records) => records.read(*at, self.read.file),
                None => unreachable!("only a record file has records"),
            },
            Location::Encoded(at) => Ok(self.encoded[*at].to_vec()),
            Location::Memory(at) => Ok(as_pnm(&self.images[*at])),
        }
    }

    /// Whether a file begins as an image does.
    pub fn looks_like_an_image(&self, location: &Location) -> Result<bool, DataError> {
        const START: u64 = 16;
        match location {
            Location::File(path) => start(path, START).map(|bytes| begins_like_an_image(&bytes)),
            _ => self.read(&Item::new("", location.clone(), 0)).map(|bytes| begins_like_an_image(&bytes)),
        }
    }
}

/// The first bytes of a file.
pub(super) fn start(path: &Path, count: u64) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(DataError::io("open", path))?;
    file.take(count).read_to_end(&mut bytes).map_err(DataError::io("read", path))?;
    Ok(bytes)
}

pub(crate) fn read_file(path: &Path, shown: &str, limit: u64) -> Result<Vec<u8>, DataError> {
    let file = File::open(path).map_err(DataError::io("open", path))?;
    let length = file.metadata().map_err(DataError::io("look at", path))?.len();
    let mut bytes = Vec::new();
    if length <= limit {
        bytes.reserve_exact(length as usize);
        // A file may grow while it is read.
        file.take(limit + 1).read_to_end(&mut bytes).map_err(DataError::io("read", path))?;
    }
    let length = length.max(bytes.len() as u64);
    if length > limit {
        return Err(DataError::LargeFile { file: shown.to_owned(), bytes: length, limit });
    }
    Ok(bytes)
}

/// SHA-256 of the bytes of a file.
pub(crate) fn content_hash(bytes: &[u8]) -> ContentHash {
    ContentHash(Sha256::digest(bytes).into())
}

fn as_pnm(image: &Image) -> Vec<u8> {
    if image.is_volume() {
        let slices = (0..image.channels).flat_map(|channel| image.slice(channel).pixels).collect();
        return as_pnm(&Image {
            height: image.height * image.channels,
            channels: 1,
            pixels: slices,
            ..*image
        });
    }
    let kind = if image.channels == 1 { "P5" } else { "P6" };
    let mut bytes = format!("{kind}\n{} {}\n255\n", image.width, image.height).into_bytes();
    bytes.extend(&image.pixels);
    bytes
}
