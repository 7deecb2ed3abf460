//! Why a file of arrays cannot be used.

use crate::error::some_of;

/// Why a file of arrays cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayProblem {
    /// Another kind of file.
    #[error("it does not begin as a .npy file does; write it by numpy.save")]
    NotAnArray,
    /// A beginning that cannot be read.
    #[error("it is damaged or was not copied whole ({reason}); replace it by the original")]
    Header {
        /// What the reader said.
        reason: String,
    },
    /// Numbers that are none, such as Python objects.
    #[error(
        "it holds values of the type {kind}; store booleans, integers or floating-point numbers of up to 64 bits"
    )]
    Kind {
        /// NumPy's name of the type.
        kind: String,
    },
    /// More or fewer bytes than its header announces.
    #[error(
        "it holds {found} bytes of numbers, but an array of {} has {expected}; it is damaged or was not copied whole, replace it by \
         the original",
        shown(shape)
    )]
    Length {
        /// Bytes there are.
        found: u64,
        /// Bytes there should be.
        expected: u128,
        /// The shape in its header.
        shape: Vec<usize>,
    },
    /// A number that no signed integer of 64 bits can hold.
    #[error("it holds the number {value}, which is out of range; store smaller ones")]
    TooLarge {
        /// The number.
        value: u64,
    },
    /// A label, or another number that counts, with a fraction.
    #[error("number {index} is {value}, but has to be whole; store integers")]
    NotWhole {
        /// Its position, from 0.
        index: usize,
        /// The number.
        value: f32,
    },
    /// An array of another shape than was expected.
    #[error("{what} has the shape {}, but has to be {expected}", shown(found))]
    Shape {
        /// Which array.
        what: String,
        /// Its shape.
        found: Vec<usize>,
        /// What it has to be, in words.
        expected: String,
    },
    /// Pixels that are not bytes.
    #[error("{what} holds {kind}, but pixels have to be bytes (uint8, 0 to 255)")]
    Pixels {
        /// Which array.
        what: String,
        /// Its numbers.
        kind: &'static str,
    },
    /// An array that is not in the archive.
    #[error("there is no array \"{key}\" in it; there are {}", some_of(found, ", "))]
    MissingKey {
        /// Its name.
        key: String,
        /// Names of the arrays that are there.
        found: Vec<String>,
    },
    /// Several labels for each image.
    #[error(
        "each image has {labels} labels in \"{key}\", of which several may hold at once; classes have to exclude each other here, \
         so take a data set with one label for each image, or make one label of these"
    )]
    MultiLabel {
        /// Name of the array.
        key: String,
        /// Labels of each image.
        labels: usize,
    },
    /// What is wrong with one array of an archive.
    #[error("\"{key}\": {problem}")]
    InArray {
        /// Its name.
        key: String,
        /// What is wrong.
        problem: Box<ArrayProblem>,
    },
}

/// A shape as NumPy writes it.
fn shown(shape: &[usize]) -> String {
    let lengths: Vec<String> = shape.iter().map(ToString::to_string).collect();
    format!("({}{})", lengths.join(", "), if lengths.len() == 1 { "," } else { "" })
}
