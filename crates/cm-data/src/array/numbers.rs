//! The numbers of an array.

use npyz::{Deserialize, NpyFile, TypeChar, TypeStr, half::f16};

use super::ArrayProblem;

/// Numbers of one kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// Unsigned integers of 8 bits.
    Bytes(Vec<u8>),
    /// Booleans, and integers of more bits or with a sign.
    Integers(Vec<i64>),
    /// Floating-point numbers.
    Reals(Vec<f32>),
}

impl Numbers {
    pub(super) fn read(file: NpyFile<&[u8]>, kind: &TypeStr) -> Result<Self, ArrayProblem> {
        match (kind.type_char(), kind.size_field()) {
            (TypeChar::Uint, 1) => converted::<u8, _>(file, Ok).map(Self::Bytes),
            (TypeChar::Bool, 1) => converted(file, |n: bool| Ok(i64::from(n))).map(Self::Integers),
            (TypeChar::Int, 1) => converted(file, |n: i8| Ok(i64::from(n))).map(Self::Integers),
            (TypeChar::Int, 2) => converted(file, |n: i16| Ok(i64::from(n))).map(Self::Integers),
            (TypeChar::Int, 4) => converted(file, |n: i32| Ok(i64::from(n))).map(Self::Integers),
            (TypeChar::Int, 8) => converted::<i64, _>(file, Ok).map(Self::Integers),
            (TypeChar::Uint, 2) => converted(file, |n: u16| Ok(i64::from(n))).map(Self::Integers),
            (TypeChar::Uint, 4) => converted(file, |n: u32| Ok(i64::from(n))).map(Self::Integers),
            (TypeChar::Uint, 8) => {
                let whole = |n: u64| i64::try_from(n).map_err(|_| ArrayProblem::TooLarge { value: n });
                converted(file, whole).map(Self::Integers)
            }
            (TypeChar::Float, 2) => converted(file, |n: f16| Ok(n.to_f32())).map(Self::Reals),
            (TypeChar::Float, 4) => converted::<f32, _>(file, Ok).map(Self::Reals),
            (TypeChar::Float, 8) => converted(file, |n: f64| Ok(n as f32)).map(Self::Reals),
            _ => Err(ArrayProblem::Kind { kind: kind.to_string() }),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(numbers) => numbers.len(),
            Self::Integers(numbers) => numbers.len(),
            Self::Reals(numbers) => numbers.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Some of them, as numbers of 32 bits: whole ones up to 2²⁴ exactly.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    pub fn reals(&self, range: std::ops::Range<usize>) -> Vec<f32> {
        match self {
            Self::Bytes(numbers) => numbers[range].iter().map(|&n| f32::from(n)).collect(),
            Self::Integers(numbers) => numbers[range].iter().map(|&n| n as f32).collect(),
            Self::Reals(numbers) => numbers[range].to_vec(),
        }
    }

    pub(super) fn integers(&self) -> Result<Vec<i64>, ArrayProblem> {
        match self {
            Self::Bytes(numbers) => Ok(numbers.iter().map(|&n| i64::from(n)).collect()),
            Self::Integers(numbers) => Ok(numbers.clone()),
            Self::Reals(numbers) => {
                let whole = |(index, &n): (usize, &f32)| match n.fract() == 0.0 && n.abs() < 1e15 {
                    true => Ok(n as i64),
                    false => Err(ArrayProblem::NotWhole { index, value: n }),
                };
                numbers.iter().enumerate().map(whole).collect()
            }
        }
    }

    /// Numbers whose first dimension is the fastest, with the last as the fastest.
    pub(super) fn reordered(self, shape: &[usize]) -> Self {
        match self {
            Self::Bytes(numbers) => Self::Bytes(reordered(&numbers, shape)),
            Self::Integers(numbers) => Self::Integers(reordered(&numbers, shape)),
            Self::Reals(numbers) => Self::Reals(reordered(&numbers, shape)),
        }
    }
}

/// Every number of a file, turned into another type.
fn converted<F: Deserialize, T>(
    file: NpyFile<&[u8]>,
    convert: impl Fn(F) -> Result<T, ArrayProblem>,
) -> Result<Vec<T>, ArrayProblem> {
    let unreadable = |reason: String| ArrayProblem::Header { reason };
    let count = file.len() as usize;
    let numbers = file.data::<F>().map_err(|error| unreadable(error.to_string()))?;
    let mut converted = Vec::with_capacity(count);
    for number in numbers {
        converted.push(convert(number.map_err(|error| unreadable(error.to_string()))?)?);
    }
    Ok(converted)
}

fn reordered<T: Copy>(numbers: &[T], shape: &[usize]) -> Vec<T> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1;
    for &length in shape {
        strides.push(stride);
        stride *= length;
    }
    let mut place = vec![0; shape.len()];
    let mut from = 0;
    let mut found = Vec::with_capacity(numbers.len());
    for _ in 0..numbers.len() {
        found.push(numbers[from]);
        for dimension in (0..shape.len()).rev() {
            place[dimension] += 1;
            from += strides[dimension];
            if place[dimension] < shape[dimension] {
                break;
            }
            from -= strides[dimension] * shape[dimension];
            place[dimension] = 0;
        }
    }
    found
}
