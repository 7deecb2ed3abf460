//! The samples of a batch, in the orders that the products read them in.

use std::ops::Range;

use cm_tiles::Aligned;

use crate::margin::Curve;

/// Samples of a chunk: two of the widest vectors there are.
pub const LANES: usize = 32;

/// What is the same for all classes.
pub struct Samples<'a> {
    pub count: usize,
    /// The count, filled up with zero samples to a multiple of the lanes.
    pub padded: usize,
    pub dim: usize,
    /// Unit features `[count, dim]`.
    pub units: &'a [f32],
    /// `phi` of each, padded.
    pub radii: Vec<f32>,
    /// Where other classes' cosines do not stay as they are.
    pub bent: Option<Bent>,
    /// Class and sample, in the order of the classes.
    pub targets: Vec<(usize, usize)>,
}

/// A sample whose class is in a block.
pub struct Own {
    pub class: usize,
    pub sample: usize,
    /// Where its cosine is among those of the block with the samples of the chunk, `[classes, LANES]`.
    pub place: usize,
}

/// A curve that bends beyond a cosine.
pub struct Bent {
    /// Of each sample, padded.
    pub beyond: Vec<f32>,
    /// With the curriculum in it.
    pub curve: Curve,
}

impl<'a> Samples<'a> {
    pub fn new(
        units: &'a [f32],
        dim: usize,
        radii: &[f32],
        targets: &[usize],
        bent: Option<(&[f32], Curve, f32)>,
    ) -> Self {
        let count = radii.len();
        let padded = count.next_multiple_of(LANES);
        let fill = |numbers: &[f32]| filled(numbers.iter().copied(), padded);
        let mut targets: Vec<_> = targets.iter().copied().zip(0..count).collect();
        targets.sort_unstable();
        let bent = bent.map(|(beyond, curve, curriculum)| {
            let (linear, slope_constant) = (curve.linear + curriculum, curve.slope_constant + curriculum);
            Bent { beyond: fill(beyond), curve: Curve { linear, slope_constant, ..curve } }
        });
        // The largest logit is where the cosine is largest unless a norm map gives a negative radius.
        let turned = radii.iter().any(|radius| *radius < 0.0);
        let straight = || Bent { beyond: vec![f32::INFINITY; padded], curve: Curve::STRAIGHT };
        let bent = bent.or_else(|| turned.then(straight));
        Self { count, padded, dim, units, radii: fill(radii), bent, targets }
    }

    /// A number a sample, with zeros for those that fill up.
    pub fn filled(&self, numbers: impl Iterator<Item = f32>) -> Vec<f32> {
        filled(numbers, self.padded)
    }

    /// What is put in the place of a cosine with the own class, of which `T` is 0.
    pub fn zero(&self) -> f32 {
        self.bent.as_ref().map_or(0.0, |bent| bent.curve.zero())
    }

    /// The samples of a chunk whose classes are these.
    pub fn targets_in(&self, classes: &Range<usize>, chunk: usize) -> impl Iterator<Item = Own> {
        let from = self.targets.partition_point(|target| target.0 < classes.start);
        let to = self.targets.partition_point(|target| target.0 < classes.end);
        let first = classes.start;
        let of_chunk = move |target: &&(usize, usize)| target.1 / LANES == chunk;
        self.targets[from..to].iter().filter(of_chunk).map(move |&(class, sample)| Own {
            class,
            sample,
            place: (class - first) * LANES + sample % LANES,
        })
    }

    /// How many chunks of samples there are.
    pub fn chunks(&self) -> usize {
        self.padded / LANES
    }

    /// `[padded / panel width, dim, panel width]`: what a class is multiplied by.
    pub fn by_sample(&self, width: usize) -> Aligned {
        let mut panels = Aligned::zeros(self.padded * self.dim);
        let samples = self.units.chunks_exact(self.dim).enumerate();
        for (i, unit) in samples {
            let panel = &mut panels.get_mut()[i / width * width * self.dim..];
            panel[i % width..].iter_mut().step_by(width).zip(unit).for_each(|(to, from)| *to = *from);
        }
        panels
    }

    /// `[dim / panel width, count, panel width]`: what the gradient of a class is a sum of.
    pub fn by_dim(&self, width: usize) -> Aligned {
        let mut panels = Aligned::zeros(self.count * self.dim.next_multiple_of(width));
        pack_columns(self.units, self.dim, width, panels.get_mut());
        panels
    }
}

fn filled(numbers: impl Iterator<Item = f32>, count: usize) -> Vec<f32> {
    numbers.chain(std::iter::repeat(0.0)).take(count).collect()
}

/// `[columns / width, rows, width]` from `[rows, columns]`; what is missing in the last panel is left as it is.
#[inline(always)]
pub fn pack_columns(matrix: &[f32], columns: usize, width: usize, panels: &mut [f32]) {
    let rows = matrix.len() / columns;
    for (panel, from) in panels.chunks_exact_mut(rows * width).zip((0..columns).step_by(width)) {
        let to = columns.min(from + width);
        for (row, numbers) in matrix.chunks_exact(columns).zip(panel.chunks_exact_mut(width)) {
            numbers[..to - from].copy_from_slice(&row[from..to]);
        }
    }
}
