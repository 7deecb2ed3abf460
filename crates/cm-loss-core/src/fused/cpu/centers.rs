//! The class centers, read a block at a time.

use std::ops::Range;

use crate::norm::LEAST;

/// Rows of a matrix, all of them or a part in ascending order.
#[derive(Clone, Copy)]
pub struct Centers<'a> {
    /// `[rows, dim]`
    pub numbers: &'a [f32],
    pub dim: usize,
    /// Centers a class, one after another.
    pub each: usize,
    /// The classes that take part, each once, in ascending order; `None` for all.
    pub classes: Option<&'a [usize]>,
}

impl Centers<'_> {
    /// The row of center `row` of those that take part.
    pub fn place(&self, row: usize) -> usize {
        self.classes.map_or(row, |classes| classes[row / self.each] * self.each + row % self.each)
    }

    /// Writes the unit centers of `rows`, `[rows, dim]`, and the inverse of their norms.
    #[inline(always)]
    pub fn load(&self, rows: Range<usize>, units: &mut [f32], inverses: &mut [f32]) {
        let each = rows.zip(units.chunks_exact_mut(self.dim)).zip(inverses);
        for ((row, unit), inverse) in each {
            let row = &self.numbers[self.place(row) * self.dim..][..self.dim];
            *inverse = inverse_norm(row);
            // A row whose inverse norm leaves the range is made small or large first.
            let (factor, rest) = if *inverse > 1e30 || *inverse < 1e-30 {
                (inverse.sqrt(), inverse.sqrt())
            } else {
                (*inverse, 1.0)
            };
            unit.iter_mut().zip(row).for_each(|(unit, number)| *unit = *number * factor * rest);
        }
    }
}

/// `1 / ‖row‖`, and 0 for a row that counts as zero.
#[inline(always)]
fn inverse_norm(row: &[f32]) -> f32 {
    const LANES: usize = 32;
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] += chunk[i] * chunk[i];
        }
    }
    let square = lanes.iter().sum::<f32>() + rest.iter().map(|number| number * number).sum::<f32>();
    if (1e-30..1e37).contains(&square) { square.sqrt().recip() } else { exact_inverse_norm(row) }
}

/// For rows whose squares leave the range of 32-bit floats.
#[cold]
fn exact_inverse_norm(row: &[f32]) -> f32 {
    let largest = row.iter().fold(0.0f32, |largest, number| largest.max(number.abs()));
    if largest < LEAST as f32 {
        return 0.0;
    }
    let square: f64 = row.iter().map(|number| f64::from(*number).powi(2)).sum();
    square.sqrt().recip() as f32
}
