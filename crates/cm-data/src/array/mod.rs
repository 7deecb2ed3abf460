//! Arrays of numbers as NumPy writes them: `.npy` files, and several of them in an `.npz` file.

mod archive;
mod numbers;
mod problem;

use std::path::Path;

use npyz::{DType, NpyFile, NpyHeader, Order};

pub use archive::ArrayArchive;
pub use numbers::Numbers;
pub use problem::ArrayProblem;

use crate::{DataError, source::read_file};

/// Most bytes of a file of arrays.
const LARGEST: u64 = 16 << 30;

/// An array of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Length of each dimension, the slowest first.
    pub shape: Vec<usize>,
    /// The numbers, those of the last dimension beside each other, however they lay in the file.
    pub numbers: Numbers,
}

impl Array {
    /// Reads a `.npy` file: booleans, signed and unsigned integers of 8 to 64 bits and floating-point numbers of 16 to 64
    /// bits, in either byte order and either order of the dimensions. Those of 64 bits are rounded to 32.
    ///
    /// # Errors
    ///
    /// [`DataError::Io`], [`DataError::LargeFile`] above 16 GiB, and [`DataError::Array`]: not a `.npy` file, numbers of another
    /// kind, or a file that is shorter or longer than it says.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let bytes = read_file(path, &path.display().to_string(), LARGEST)?;
        Self::parse(&bytes).map_err(|problem| DataError::Array { path: path.to_owned(), problem })
    }

    /// The same from the bytes of such a file.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn parse(bytes: &[u8]) -> Result<Self, ArrayProblem> {
        let header_length = header_length(bytes)?;
        if depth(&bytes[..header_length]) > DEEPEST {
            let reason = "its header has brackets in brackets, which no array of numbers has".to_owned();
            return Err(ArrayProblem::Header { reason });
        }
        let header = NpyHeader::from_reader(&bytes[..header_length])
            .map_err(|error| ArrayProblem::Header { reason: error.to_string() })?;
        let data = &bytes[header_length..];
        let DType::Plain(kind) = header.dtype() else {
            return Err(ArrayProblem::Kind { kind: header.dtype().descr() });
        };
        let shape: Vec<usize> = header.shape().iter().map(|&length| length as usize).collect();
        let Some(size) = kind.num_bytes().filter(|&size| size > 0) else {
            return Err(ArrayProblem::Kind { kind: kind.to_string() });
        };
        // More than there can be bytes is as wrong as any other number.
        let expected = shape.iter().fold(size as u128, |bytes, &length| bytes.saturating_mul(length as u128));
        if data.len() as u128 != expected {
            return Err(ArrayProblem::Length { found: data.len() as u64, expected, shape });
        }
        let order = header.order();
        let numbers = Numbers::read(NpyFile::with_header(header, data), &kind)?;
        let numbers = match order {
            Order::C => numbers,
            Order::Fortran => numbers.reordered(&shape),
        };
        Ok(Self { shape, numbers })
    }

    /// Whole numbers, such as labels.
    ///
    /// # Errors
    ///
    /// [`ArrayProblem::NotWhole`] for the first number that is not whole.
    pub fn integers(&self) -> Result<Vec<i64>, ArrayProblem> {
        self.numbers.integers()
    }
}

/// Brackets that are open at once: in the header of a structured array, which is refused by its name, there are four.
const DEEPEST: usize = 8;

/// How many brackets are open at once. The time that the library takes doubles with each.
fn depth(header: &[u8]) -> usize {
    let (mut open, mut most) = (0usize, 0);
    for byte in header {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

/// Bytes before the data. The library makes room for a header of any length before it looks whether it is there.
fn header_length(bytes: &[u8]) -> Result<usize, ArrayProblem> {
    let version = bytes.strip_prefix(b"\x93NUMPY").ok_or(ArrayProblem::NotAnArray)?;
    let cut = ArrayProblem::Header { reason: "it ends before its data".to_owned() };
    let (start, length) = match version {
        [1, _, a, b, ..] => (10, u64::from(u16::from_le_bytes([*a, *b]))),
        [2 | 3, _, a, b, c, d, ..] => (12, u64::from(u32::from_le_bytes([*a, *b, *c, *d]))),
        [_, _, _, _, _, _, ..] => {
            let reason = format!("its format has the version {}, and 1 to 3 are known", version[0]);
            return Err(ArrayProblem::Header { reason });
        }
        _ => return Err(cut),
    };
    let end = start + length;
    if end <= bytes.len() as u64 { Ok(end as usize) } else { Err(cut) }
}
