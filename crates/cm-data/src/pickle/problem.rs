//! Why a pickle cannot be read.

/// Why a file that Python pickled cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PickleProblem {
    /// The end before its own.
    #[error(
        "it ends at byte {at}, in the middle of a value; it was not copied whole, replace it by the original"
    )]
    CutShort {
        /// Bytes that it has.
        at: usize,
    },
    /// Another kind of file, or a damaged one.
    #[error("at byte {at} is {what}, which no pickle of data has there; it is no pickle, or a damaged one")]
    Damaged {
        /// Where.
        at: usize,
        /// What is wrong.
        what: String,
    },
    /// What a pickle can do beside holding data.
    #[error(
        "at byte {at} it asks for {what}; only lists, tuples, bytes, strings, numbers, truth values and arrays of NumPy are read, and \
         nothing is ever executed"
    )]
    Refused {
        /// Where.
        at: usize,
        /// What it asks for.
        what: String,
    },
    /// More values than any set of pairs has.
    #[error("it holds more than {limit} values, more than are read")]
    Large {
        /// Most values.
        limit: usize,
    },
}
