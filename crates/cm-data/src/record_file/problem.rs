//! Why a record file cannot be used.

/// Why a record file (`.rec`) or its index cannot be used. Records are named by their numbers in the index, from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordProblem {
    /// Nothing in it.
    #[error("it is empty; replace it by the original")]
    Empty,
    /// Another kind of file, or a wrong place in one.
    #[error(
        "record {record} at byte {offset} does not begin as a record does ({found:#010x} in the place of 0xced7230a); the file is \
         damaged, or its index belongs to another one"
    )]
    NoMagic {
        /// The record.
        record: u64,
        /// Where it begins.
        offset: u64,
        /// First four bytes.
        found: u32,
    },
    /// A record that goes on after the end of the file.
    #[error(
        "it ends within record {record}, which begins at byte {offset} and has {bytes} bytes or more, of which {left} are there; it was \
         not copied whole, replace it by the original"
    )]
    CutShort {
        /// The record.
        record: u64,
        /// Where it begins.
        offset: u64,
        /// Bytes that it announces.
        bytes: u64,
        /// Bytes from there to the end of the file.
        left: u64,
    },
    /// Parts of an image in an order that they cannot have.
    #[error(
        "the parts of record {record} at byte {offset} are not in order; replace the file by the original"
    )]
    Parts {
        /// The record.
        record: u64,
        /// Where it begins.
        offset: u64,
    },
    /// A record too short for its own header.
    #[error(
        "record {record} at byte {offset} has {bytes} bytes, too few for its labels; replace the file by the original"
    )]
    NoHeader {
        /// The record.
        record: u64,
        /// Where it begins.
        offset: u64,
        /// Bytes that it has.
        bytes: u64,
    },
    /// A label that no class can have.
    #[error(
        "the label of record {record} is {label}, but has to be a whole number from 0 to 16777216; write the file anew"
    )]
    Label {
        /// The record.
        record: u64,
        /// The label.
        label: f32,
    },
    /// Images that record 0 announces in a way that cannot be.
    #[error(
        "its record 0 announces images up to record {images} and identities up to {identities}, which cannot be; replace the file \
         by the original"
    )]
    Range {
        /// Records before this one are images.
        images: f32,
        /// Those from there to before this one are identities.
        identities: f32,
    },
    /// Fewer records than record 0 announces.
    #[error(
        "its record 0 announces {announced} records, and {found} are there; it was not copied whole, replace it by the original"
    )]
    Fewer {
        /// Records that should be there.
        announced: u64,
        /// Records that are.
        found: usize,
    },
    /// Two records of one number, in a file without an index.
    #[error(
        "two records have the number {record}; take its index from where it came from, and put it beside it"
    )]
    NumberTwice {
        /// The number.
        record: u64,
    },
    /// No image in it.
    #[error("there is no image in it")]
    NoImages,
    /// An image larger than may be read.
    #[error("record {record} has {bytes} bytes, more than the {limit} that an image may have")]
    Large {
        /// The record.
        record: u64,
        /// Bytes that it has.
        bytes: u64,
        /// Most bytes.
        limit: u64,
    },
    /// A line of an index that is none.
    #[error(
        "line {line} of its index is \"{text}\", but has to be the number of a record, a tab, and the byte where it begins"
    )]
    IndexLine {
        /// The line.
        line: u64,
        /// What it says, shortened.
        text: String,
    },
    /// A record that is in the index twice.
    #[error(
        "its index has record {record} twice, the second time on line {line}; write the index anew, or delete it"
    )]
    IndexTwice {
        /// The record.
        record: u64,
        /// The second line.
        line: u64,
    },
    /// An index that points past the end.
    #[error(
        "its index says that record {record} begins at byte {offset}, but the file has {bytes} bytes; one of the two was not copied \
         whole, or they do not belong together"
    )]
    IndexPastEnd {
        /// The record.
        record: u64,
        /// Where it should begin.
        offset: u64,
        /// Bytes of the file.
        bytes: u64,
    },
    /// A file without an index that lacks some of the records that its header tells of.
    #[error(
        "record {record} of the {announced} that its header tells of is missing; take the file again from where it came from, or put \
         its index beside it"
    )]
    Missing {
        /// The first record that is missing.
        record: u64,
        /// Records that the header tells of.
        announced: u64,
    },
    /// An index without some of the records.
    #[error(
        "its index was cut short: it has {found} records, and record {record} is missing; take the index again from where it came \
         from, or delete it to find the records without it"
    )]
    IndexCut {
        /// The first record that is missing.
        record: u64,
        /// Records in the index.
        found: usize,
    },
}
