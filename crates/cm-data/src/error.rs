//! What can be wrong with data.

use std::{io, path::PathBuf};

use crate::{
    ArrayProblem, BadFile, DecodeError, FolderProblem, ListProblem, PairsProblem, RecordProblem, ZipProblem,
};

/// How many of a long list of things a message names.
const NAMED: usize = 20;

/// Why data could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// There is no such file or folder.
    #[error("there is no file or folder {}; name an image folder, a list (CSV), a zip, a record file (.rec), an IDX file or an .npz file", path.display())]
    Missing {
        /// What was named.
        path: PathBuf,
    },
    /// A gzip file that is not whole.
    #[error("{} cannot be uncompressed ({source}); it is damaged or was not copied whole, replace it by the original", path.display())]
    Compressed {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: io::Error,
    },
    /// A web page in the place of a file.
    #[error("{} is a web page, as a failed download leaves it; delete it and download the file again", path.display())]
    WebPage {
        /// The file.
        path: PathBuf,
    },
    /// A file does not begin as an IDX file of its kind does.
    #[error("{} is not an IDX file of {kind}: its magic number is {found:#010x}, not {expected:#010x}; replace it by the original", path.display())]
    WrongMagic {
        /// The file.
        path: PathBuf,
        /// `images` or `labels`.
        kind: &'static str,
        /// First four bytes.
        found: u32,
        /// What they should be.
        expected: u32,
    },
    /// A file ends before, or goes on after, what its header announces.
    #[error("{} holds {found} bytes of content, but its header announces {expected}; it is damaged or was not copied whole, replace it by the original", path.display())]
    WrongLength {
        /// The file.
        path: PathBuf,
        /// Bytes found, header included.
        found: u64,
        /// Bytes announced, header included.
        expected: u128,
    },
    /// A label that is no class.
    #[error("{}: label {index} is {value}, but labels go from 0 to {highest}; replace the file by the original", path.display())]
    WrongLabel {
        /// The file.
        path: PathBuf,
        /// Position of the label, from 0.
        index: usize,
        /// The label.
        value: u8,
        /// The highest label there is.
        highest: u8,
    },
    /// Images and labels that do not belong together.
    #[error("{} holds {images} images, but {} holds {labels} labels; take both files from the same data set", images_path.display(), labels_path.display())]
    CountsDiffer {
        /// File of the images.
        images_path: PathBuf,
        /// Images in it.
        images: usize,
        /// File of the labels.
        labels_path: PathBuf,
        /// Labels in it.
        labels: usize,
    },
    /// A whole file with other content than the data set's.
    #[error("{} is not {name}'s: the MD5 sum of its uncompressed content is {found}, not {expected}; delete it to have it downloaded again, or replace it by the original", path.display())]
    WrongChecksum {
        /// The file.
        path: PathBuf,
        /// The data set.
        name: String,
        /// Sum found.
        found: String,
        /// Sum of the original.
        expected: String,
    },
    /// Some of a data set's files, but not all.
    #[error("{} holds some files of {name}, but not {}; put them there too", folder.display(), missing.join(", "))]
    Incomplete {
        /// The folder.
        folder: PathBuf,
        /// The data set.
        name: String,
        /// Names of the files that are missing.
        missing: Vec<String>,
    },
    /// The folder named by the user is not there.
    #[error("the data folder {} ({origin}) does not exist; name one that does", path.display())]
    NoSuchFolder {
        /// The folder.
        path: PathBuf,
        /// The option or variable that named it.
        origin: &'static str,
    },
    /// No mirror gave the file.
    #[error("{file} could not be downloaded:\n{}", failures.join("\n"))]
    Download {
        /// The file.
        file: String,
        /// A line for each mirror: its address and what went wrong.
        failures: Vec<String>,
    },
    /// A data set was insisted on and cannot be had.
    #[error("{name} is not on this machine and could not be downloaded.\n{reason}\n{remedy}")]
    Unavailable {
        /// The data set.
        name: String,
        /// Why the download failed.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// Whoever asked for it asked for a stop.
    #[error("stopped before the end")]
    Stopped,
    /// A name that no choice has.
    #[error("there is no {what} named \"{name}\"; choose from {choices}")]
    UnknownName {
        /// Kind of thing.
        what: &'static str,
        /// The name as given.
        name: String,
        /// All names.
        choices: String,
    },
    /// A path that leads to no data set.
    #[error("{} is no data set; give a folder with a sub-folder for each class, a list (.csv, .tsv or .txt), a .zip of either, IDX files, or an .npz file", path.display())]
    NoDataSet {
        /// The path.
        path: PathBuf,
    },
    /// A folder that is not laid out as a data set.
    #[error("{}: {problem}", path.display())]
    Folder {
        /// The folder or archive.
        path: PathBuf,
        /// What is wrong.
        problem: FolderProblem,
    },
    /// A list that cannot be used.
    #[error("{}: {problem}", path.display())]
    List {
        /// The list.
        path: PathBuf,
        /// What is wrong.
        problem: ListProblem,
    },
    /// A file of arrays that cannot be used.
    #[error("{}: {problem}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: ArrayProblem,
    },
    /// A record file that cannot be used.
    #[error("{}: {problem}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: RecordProblem,
    },
    /// A file of pairs that cannot be used.
    #[error("{}: {problem}", path.display())]
    Pairs {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: PairsProblem,
    },
    /// An archive that cannot be used.
    #[error("{}: {problem}", path.display())]
    Zip {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        problem: ZipProblem,
    },
    /// All images are of one class.
    #[error("{}: every image is of the class \"{class}\", but there is nothing to tell apart with one class; if \"{class}\" is a folder that holds the class folders, give that folder", path.display())]
    OneClass {
        /// The data set.
        path: PathBuf,
        /// The class.
        class: String,
    },
    /// A class that the model does not have.
    #[error("{place}: \"{class}\" is none of the {} classes asked for ({}); rename it or leave it out", known.len(), some_of(known, ", "))]
    UnknownClass {
        /// The class.
        class: String,
        /// Where it was found.
        place: String,
        /// Classes that there are.
        known: Vec<String>,
    },
    /// A file that is larger than any image should be.
    #[error("{file} has {bytes} bytes, more than the {limit} allowed for one image; make it smaller")]
    LargeFile {
        /// The file.
        file: String,
        /// Its size.
        bytes: u64,
        /// The largest allowed.
        limit: u64,
    },
    /// A file that is no usable image.
    #[error("{file}: {problem}")]
    BadImage {
        /// The file.
        file: String,
        /// What is wrong.
        problem: DecodeError,
    },
    /// More bad files than may be left out.
    #[error("{} of the {total} images of {name} cannot be used:\n{}\nReplace or remove them, or leave them out by `--skip-bad {}`", bad.len(), some_of(bad, "\n"), bad.len())]
    BadFiles {
        /// The data set.
        name: String,
        /// The files, with reasons.
        bad: Vec<BadFile>,
        /// Images of the data set.
        total: usize,
    },
    /// A class that has no image left without the bad ones.
    #[error("no image of the class \"{class}\" of {name} can be used; replace them or remove the class")]
    ClassLost {
        /// The data set.
        name: String,
        /// The class.
        class: String,
    },
    /// Shares that leave nothing to train on, or are no shares.
    #[error(
        "a share of {validation} for validation and of {test} for testing cannot be had; both must be at least 0, and their sum less than 1"
    )]
    Shares {
        /// Share of the images to validate on.
        validation: f64,
        /// Share of the images to test on.
        test: f64,
    },
    /// Folds that would not all have images of each class.
    #[error(
        "{folds} folds cannot be made so that each has images of every class: \"{class}\" has images of {groups} groups; choose \
         at least 2 folds, and no more than there are such groups"
    )]
    Folds {
        /// Folds asked for.
        folds: usize,
        /// The class with the fewest groups.
        class: String,
        /// Groups that have images of it.
        groups: usize,
    },
    /// A group with images on both sides of a given split.
    #[error(
        "the group \"{group}\" of {name} has images in {first} and in {second}, so that what is learned from some is tested on others like them; correct the split or the group of these images, or go on by `--allow-shared-groups`"
    )]
    SharedGroup {
        /// The data set.
        name: String,
        /// The group.
        group: String,
        /// One side.
        first: &'static str,
        /// The other side.
        second: &'static str,
    },
    /// A setting that cannot be used.
    #[error("{name} is {value}, but {reason}")]
    Setting {
        /// Name of the setting, with the names of the groups that it is in.
        name: &'static str,
        /// What it is set to.
        value: String,
        /// What it has to be.
        reason: &'static str,
    },
    /// An image without pixels, or whose number of values is not what its sizes ask for.
    #[error(
        "an image of {width} x {height} pixels in {channels} channels with {values} values \
         cannot be used; it needs at least one pixel, 1 or 3 channels or 8 to 255 slices, and a value for each"
    )]
    NotWhole {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// Channels.
        channels: usize,
        /// Number of values.
        values: usize,
    },
    /// A part that the image does not have.
    #[error(
        "the image has {width} x {height} pixels and does not hold the region {region:?} \
         (x, y, width, height); leave such images out or change the region"
    )]
    RegionOutside {
        /// Left edge, upper edge, width and height of the part.
        region: [usize; 4],
        /// Width of the image in pixels.
        width: usize,
        /// Height of the image in pixels.
        height: usize,
    },
    /// A volume in the place of an image, an image in the place of a volume, or a volume of other slices.
    #[error(
        "it has {found} channels or slices, not {expected}; volumes are not made of images nor images of volumes, and slices are not \
         resized: take data of this shape"
    )]
    Slices {
        /// Channels or slices of the image.
        found: usize,
        /// Channels or slices that are asked for.
        expected: usize,
    },
    /// An image of another size, where nothing may be resized.
    #[error(
        "the image has {} x {} pixels, not {} x {}; resize it, or choose stretch, crop or fit as the way to resize",
        found[0], found[1], expected[0], expected[1]
    )]
    WrongSize {
        /// Width and height of the image.
        found: [usize; 2],
        /// Width and height that are asked for.
        expected: [usize; 2],
    },
    /// What is wrong with one image of a set.
    #[error("{name}: {source}")]
    InImage {
        /// The image's name in its set.
        name: String,
        /// What is wrong.
        source: Box<DataError>,
    },
    /// A panic while an image was read or changed.
    #[error(
        "{name}: the program failed unexpectedly ({message}); leave the image out, and please report this"
    )]
    Panicked {
        /// The image's name in its set.
        name: String,
        /// What the panic said.
        message: String,
    },
    /// The system gives no thread.
    #[error("no thread could be started ({source}); choose fewer workers, or fewer jobs")]
    NoThread {
        /// The system's answer.
        source: io::Error,
    },
}

impl DataError {
    /// For `map_err`: a [`DataError::Io`] about a path.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// The first of a long list of things, and how many more there are.
pub(crate) fn some_of<T: ToString>(things: &[T], between: &str) -> String {
    let mut shown: Vec<String> = things.iter().take(NAMED).map(ToString::to_string).collect();
    if things.len() > NAMED {
        shown.push(format!("and {} more", things.len() - NAMED));
    }
    shown.join(between)
}
