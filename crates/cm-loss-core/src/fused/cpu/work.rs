//! A thread's memory for a block of classes, and the cosines of the block.

use std::ops::Range;

use cm_tiles::Aligned;
use pulp::Simd;

use super::{
    Samples,
    batch::LANES,
    centers::Centers,
    parts::block_classes,
    products::{Rows, by_rows},
};

/// A thread's memory for a block. Cosines are those with the samples of a chunk, which are [`LANES`].
pub struct Work {
    /// Unit centers `[rows, dim]`, and the inverse of their norms.
    units: Aligned,
    inverses: Vec<f32>,
    /// Centers of the block.
    rows: usize,
    /// Cosines of the centers `[rows, LANES]`, where they are not kept.
    cosines: Aligned,
    of_classes: OfClasses,
}

/// Cosines of classes with several centers.
pub struct OfClasses {
    /// The largest of a class's `[classes, LANES]`.
    cosines: Aligned,
    /// Which center of its class that is.
    nearest: Vec<u32>,
}

impl Work {
    pub fn new(samples: &Samples<'_>, each: usize) -> Self {
        let classes = block_classes(samples, each);
        let rows = classes * each;
        let of_classes = if each > 1 { classes * LANES } else { 0 };
        Self {
            units: Aligned::zeros(rows * samples.dim),
            inverses: vec![0.0; rows],
            rows: 0,
            cosines: Aligned::zeros(rows * LANES),
            of_classes: OfClasses { cosines: Aligned::zeros(of_classes), nearest: vec![0; of_classes] },
        }
    }

    /// Begins with a block of classes.
    #[inline(always)]
    pub fn load(&mut self, centers: &Centers<'_>, classes: &Range<usize>) {
        let rows = classes.start * centers.each..classes.end * centers.each;
        self.rows = rows.len();
        let units = &mut self.units.get_mut()[..self.rows * centers.dim];
        centers.load(rows, units, &mut self.inverses[..self.rows]);
    }

    /// The unit centers of the block `[rows, dim]`, and the inverse of their norms.
    pub fn centers(&self, dim: usize) -> (&[f32], &[f32]) {
        (&self.units.get()[..self.rows * dim], &self.inverses[..self.rows])
    }

    /// Computes the cosines with the samples of a chunk, into `kept` or else into memory of its own. They come back with the memory
    /// for those of the classes.
    #[inline(always)]
    pub fn cosines<'a, S: Simd>(
        &'a mut self,
        simd: S,
        samples: &Samples<'_>,
        panels: &Aligned,
        chunk: usize,
        kept: Option<&'a mut [f32]>,
    ) -> (&'a mut [f32], &'a mut OfClasses) {
        let Self { units, rows, cosines, of_classes, .. } = self;
        let cosines = kept.unwrap_or(&mut cosines.get_mut()[..*rows * LANES]);
        let panels = &panels.get()[chunk * LANES * samples.dim..][..LANES * samples.dim];
        by_rows(simd, Rows::whole(units.get(), *rows, samples.dim), panels, |row, column, numbers| {
            cosines[row * LANES + column..][..numbers.len()].copy_from_slice(numbers);
        });
        (cosines, of_classes)
    }

    /// The memory for the cosines of classes.
    pub fn of_classes(&mut self) -> &mut OfClasses {
        &mut self.of_classes
    }
}

impl OfClasses {
    /// Finds the largest cosine of each class, of those of its centers.
    #[inline(always)]
    pub fn nearest_centers(&mut self, of_centers: &[f32], each: usize) -> &mut [f32] {
        let numbers = of_centers.len() / each;
        let cosines = &mut self.cosines.get_mut()[..numbers];
        let found = cosines.chunks_exact_mut(LANES).zip(self.nearest.chunks_exact_mut(LANES));
        for (centers, (class, nearest)) in of_centers.chunks_exact(each * LANES).zip(found) {
            class.copy_from_slice(&centers[..LANES]);
            nearest.fill(0);
            for (k, center) in centers.chunks_exact(LANES).enumerate().skip(1) {
                for ((class, nearest), cosine) in class.iter_mut().zip(&mut *nearest).zip(center) {
                    // NaN is not hidden.
                    let better = *cosine > *class || cosine.is_nan();
                    *nearest = if better { k as u32 } else { *nearest };
                    *class = if better { *cosine } else { *class };
                }
            }
        }
        cosines
    }

    /// Gives the gradient of each class's cosine to its nearest center; the others have none.
    #[inline(always)]
    pub fn spread_gradients(&self, of_classes: &[f32], of_centers: &mut [f32], each: usize) {
        let of_classes = of_classes.chunks_exact(LANES).zip(self.nearest.chunks_exact(LANES));
        for (centers, (class, nearest)) in of_centers.chunks_exact_mut(each * LANES).zip(of_classes) {
            for (k, center) in centers.chunks_exact_mut(LANES).enumerate() {
                for ((center, class), nearest) in center.iter_mut().zip(class).zip(nearest) {
                    *center = if *nearest == k as u32 { *class } else { 0.0 };
                }
            }
        }
    }
}
