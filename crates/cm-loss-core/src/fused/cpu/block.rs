//! A block of classes: what its cosines add to the sums of a batch, and the gradient of each cosine.
//!
//! The samples are worked on in chunks of [`LANES`]. What a block has of a chunk lies together, `[classes, LANES]`: it is gone over
//! more than once, and the first-level cache has room for it.

use std::{mem, ops::Range};

use super::{
    batch::Samples,
    exponential::{LANES, exp},
};
use crate::{all_classes::EXCLUDED, margin::Curve};

/// Sums over the classes so far, a number a padded sample each.
#[derive(Clone)]
pub struct Sums {
    /// Largest logit, and sum of `exp(z − largest)`.
    pub largest: Vec<f32>,
    pub exponentials: Vec<f32>,
    /// Sum of `T`.
    pub cosines: Vec<f32>,
    /// Cosine with the own class.
    pub target: Vec<f32>,
    /// Largest cosine of all classes, and whose it is.
    pub best: Vec<f32>,
    pub best_class: Vec<u32>,
}

impl Sums {
    pub fn new(padded: usize) -> Self {
        Self {
            largest: vec![EXCLUDED; padded],
            exponentials: vec![0.0; padded],
            cosines: vec![0.0; padded],
            target: vec![0.0; padded],
            best: vec![f32::NEG_INFINITY; padded],
            best_class: vec![0; padded],
        }
    }

    /// Takes in the sums over classes that come after all of these.
    pub fn join(&mut self, later: &Self) {
        for i in 0..self.largest.len() {
            let largest = self.largest[i].max(later.largest[i]);
            self.exponentials[i] = self.exponentials[i] * (self.largest[i] - largest).exp()
                + later.exponentials[i] * (later.largest[i] - largest).exp();
            self.largest[i] = largest;
            self.cosines[i] += later.cosines[i];
            self.target[i] += later.target[i];
            if later.best[i] > self.best[i] {
                (self.best[i], self.best_class[i]) = (later.best[i], later.best_class[i]);
            }
        }
    }

    /// `ln Σ exp(z)` over the negatives of a sample; `EXCLUDED` where there are none.
    pub fn log_sum(&self, sample: usize) -> f32 {
        let log_sum = self.largest[sample] + self.exponentials[sample].ln();
        // Not the maximum, which would hide a number that is none.
        if log_sum < EXCLUDED { EXCLUDED } else { log_sum }
    }

    /// Takes in the cosines of a block with the samples of a chunk, `[classes, LANES]`. They come back as they were.
    #[inline(always)]
    pub fn add(&mut self, samples: &Samples<'_>, classes: &Range<usize>, chunk: usize, cosines: &mut [f32]) {
        for own in samples.targets_in(classes, chunk) {
            self.target[own.sample] = mem::replace(&mut cosines[own.place], OWN);
        }
        match samples.bent {
            None => self.add_others::<false>(samples, classes.start, chunk, cosines),
            Some(_) => self.add_others::<true>(samples, classes.start, chunk, cosines),
        }
        for own in samples.targets_in(classes, chunk) {
            let (cosine, class) = (self.target[own.sample], own.class as u32);
            cosines[own.place] = cosine;
            let (best, best_class) = (&mut self.best[own.sample], &mut self.best_class[own.sample]);
            if cosine > *best || (cosine == *best && class < *best_class) {
                (*best, *best_class) = (cosine, class);
            }
        }
    }

    #[inline(always)]
    fn add_others<const BENT: bool>(
        &mut self,
        samples: &Samples<'_>,
        first: usize,
        chunk: usize,
        cosines: &[f32],
    ) {
        let shape = Shape::<BENT>::new(samples, chunk);
        let (rows, _) = cosines.as_chunks::<LANES>();
        let (radii, before) = (lanes(&samples.radii, chunk), lanes(&self.largest, chunk));
        let (mut best, mut best_row) = ([OWN; LANES], [0u32; LANES]);
        let (mut largest, mut sums) = ([OWN; LANES], [0.0; LANES]);
        for (row, &cosines) in rows.iter().enumerate() {
            for i in 0..LANES {
                let (cosine, row) = (cosines[i], row as u32);
                let better = cosine > best[i];
                best[i] = if better { cosine } else { best[i] };
                best_row[i] = if better { row } else { best_row[i] };
                let (shaped, logit) = shape.of_other(i, cosine, radii[i]);
                sums[i] += shaped;
                if BENT {
                    largest[i] = if logit > largest[i] { logit } else { largest[i] };
                }
            }
        }
        for i in 0..LANES {
            if !BENT {
                (_, largest[i]) = shape.of_other(i, best[i], radii[i]);
            }
            largest[i] = if largest[i] > before[i] { largest[i] } else { before[i] };
        }
        // A block by itself: what is added to the sum over all classes so far one by one would be lost in it.
        let mut block = [0.0; LANES];
        for &cosines in rows {
            for i in 0..LANES {
                let (_, logit) = shape.of_other(i, cosines[i], radii[i]);
                block[i] += exp(logit - largest[i]);
            }
        }
        let (mut exponentials, mut cosines) = (lanes(&self.exponentials, chunk), lanes(&self.cosines, chunk));
        let (mut all_best, mut best_class) = (lanes(&self.best, chunk), lanes(&self.best_class, chunk));
        for i in 0..LANES {
            exponentials[i] = exponentials[i] * exp(before[i] - largest[i]) + block[i];
            cosines[i] += sums[i];
            let better = best[i] > all_best[i];
            all_best[i] = if better { best[i] } else { all_best[i] };
            best_class[i] = if better { first as u32 + best_row[i] } else { best_class[i] };
        }
        put(&mut self.exponentials, chunk, &exponentials);
        put(&mut self.cosines, chunk, &cosines);
        put(&mut self.largest, chunk, &largest);
        put(&mut self.best, chunk, &all_best);
        put(&mut self.best_class, chunk, &best_class);
    }
}

/// Gradients of what [`Sums`] found: of `ln Σ exp(z)`, of the target's cosine, of the sum of `T`; a number a padded sample.
pub struct Upstream {
    pub log_sum: Vec<f32>,
    pub target: Vec<f32>,
    pub cosines: Vec<f32>,
    /// `ln Σ exp(z)` itself.
    pub total: Vec<f32>,
}

impl Upstream {
    /// Writes the gradient of each cosine of a block with the samples of a chunk, both `[classes, LANES]`, and adds to that of the
    /// radii. The cosines come back as they were.
    #[inline(always)]
    pub fn gradients(
        &self,
        samples: &Samples<'_>,
        classes: &Range<usize>,
        chunk: usize,
        cosines: &mut [f32],
        gradients: &mut [f32],
        by_radius: &mut [f32],
    ) {
        let targets = || samples.targets_in(classes, chunk);
        // Nothing is added to the gradient of the radius.
        let zero = |place: usize| mem::replace(&mut cosines[place], samples.zero());
        let own: Vec<f32> = targets().map(|own| own.place).map(zero).collect();
        match samples.bent {
            None => self.of_others::<false>(samples, chunk, cosines, gradients, by_radius),
            Some(_) => self.of_others::<true>(samples, chunk, cosines, gradients, by_radius),
        }
        for (target, cosine) in targets().zip(own) {
            cosines[target.place] = cosine;
            gradients[target.place] = self.target[target.sample];
        }
    }

    #[inline(always)]
    fn of_others<const BENT: bool>(
        &self,
        samples: &Samples<'_>,
        chunk: usize,
        cosines: &[f32],
        gradients: &mut [f32],
        by_radius: &mut [f32],
    ) {
        let shape = Shape::<BENT>::new(samples, chunk);
        let (radii, total) = (lanes(&samples.radii, chunk), lanes(&self.total, chunk));
        let (by_log_sum, by_cosines) = (lanes(&self.log_sum, chunk), lanes(&self.cosines, chunk));
        let mut by_radii = [0.0; LANES];
        let (rows, _) = cosines.as_chunks::<LANES>();
        let (to, _) = gradients.as_chunks_mut::<LANES>();
        for (&cosines, gradients) in rows.iter().zip(to) {
            let mut found = [0.0; LANES];
            for i in 0..LANES {
                let (shaped, slope) = shape.of(i, cosines[i]);
                // At most 0 but for rounding, and for the own class.
                let exponent = shaped * radii[i] - total[i];
                let exponent = if exponent > 0.0 { 0.0 } else { exponent };
                let weight = by_log_sum[i] * exp(exponent);
                by_radii[i] += weight * shaped;
                found[i] = (weight * radii[i] + by_cosines[i]) * slope;
            }
            *gradients = found;
        }
        by_radius[chunk * LANES..][..LANES].iter_mut().zip(by_radii).for_each(|(sum, block)| *sum += block);
    }
}

/// Stands for the cosine with the own class among those with the others: it is less than any, its `T` is 0 and its logit less
/// than any.
const OWN: f32 = f32::NEG_INFINITY;

/// `T` of the cosines of [`LANES`] samples; the cosines themselves if it is not bent.
struct Shape<const BENT: bool> {
    beyond: [f32; LANES],
    curve: Curve,
}

impl<const BENT: bool> Shape<BENT> {
    #[inline(always)]
    fn new(samples: &Samples<'_>, chunk: usize) -> Self {
        match &samples.bent {
            Some(bent) => Self { beyond: lanes(&bent.beyond, chunk), curve: bent.curve },
            None => Self { beyond: [f32::INFINITY; LANES], curve: Curve::STRAIGHT },
        }
    }

    /// `T` and its derivative.
    #[inline(always)]
    fn of(&self, lane: usize, cosine: f32) -> (f32, f32) {
        if !BENT {
            return (cosine, 1.0);
        }
        let Curve { square, linear, constant, slope_linear, slope_constant, before } = self.curve;
        let bent = cosine > self.beyond[lane];
        let parabola = cosine * (square * cosine + linear) + constant;
        let slope = slope_linear * cosine + slope_constant;
        (if bent { parabola } else { before * cosine }, if bent { slope } else { before })
    }

    /// `T` and the logit of another class, or of [`OWN`].
    #[inline(always)]
    fn of_other(&self, lane: usize, cosine: f32, radius: f32) -> (f32, f32) {
        let (shaped, _) = self.of(lane, cosine);
        let own = cosine == OWN;
        (if own { 0.0 } else { shaped }, if own { OWN } else { shaped * radius })
    }
}

/// The numbers of the samples of a chunk.
#[inline(always)]
fn lanes<T: Copy + Default>(numbers: &[T], chunk: usize) -> [T; LANES] {
    let mut lanes = [T::default(); LANES];
    lanes.copy_from_slice(&numbers[chunk * LANES..][..LANES]);
    lanes
}

/// Puts them where they came from.
#[inline(always)]
fn put<T: Copy>(numbers: &mut [T], chunk: usize, lanes: &[T; LANES]) {
    numbers[chunk * LANES..][..LANES].copy_from_slice(lanes);
}
