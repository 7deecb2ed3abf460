//! A block of classes: what its cosines add to the sums of a batch, and the gradient of each cosine.
//!
//! The samples are worked on in chunks of [`LANES`]. What a block has of a chunk lies together, `[classes, LANES]`: it is read several
//! times, and a cache nearby holds it (24 KB with 256 samples or dimensions).

use std::{mem, ops::Range};

use pulp::Simd;

use super::{
    batch::{LANES, Samples},
    exponential::exp,
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
        // Not the maximum, which would hide NaN.
        if log_sum < EXCLUDED { EXCLUDED } else { log_sum }
    }

    /// Takes in the cosines of a block with the samples of a chunk, `[classes, LANES]`. They come back as they were.
    #[inline(always)]
    pub fn add<S: Simd>(
        &mut self,
        simd: S,
        samples: &Samples<'_>,
        classes: &Range<usize>,
        chunk: usize,
        cosines: &mut [f32],
    ) {
        for own in samples.targets_in(classes, chunk) {
            self.target[own.sample] = mem::replace(&mut cosines[own.place], OWN);
        }
        for column in columns::<S>() {
            let (from, first) = (chunk * LANES + column, classes.start);
            match samples.bent {
                None => self.add_others::<S, false>(simd, samples, from, first, cosines),
                Some(_) => self.add_others::<S, true>(simd, samples, from, first, cosines),
            }
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
    fn add_others<S: Simd, const BENT: bool>(
        &mut self,
        simd: S,
        samples: &Samples<'_>,
        from: usize,
        first: usize,
        cosines: &[f32],
    ) {
        let shape = Shape::<S, BENT>::new(simd, samples, from);
        let column = from % LANES;
        let zero = simd.splat_f32s(0.0);
        let (mut best, mut best_class) = (simd.splat_f32s(OWN), simd.splat_u32s(0));
        let (mut largest, mut sum) = (simd.splat_f32s(OWN), zero);
        let mut class = simd.splat_u32s(first as u32);
        for &cosine in column_of::<S>(cosines, column) {
            let better = simd.greater_than_f32s(cosine, best);
            // Faster than to select. What it makes of NaN differs by machine, but then the loss is NaN too.
            best = simd.max_f32s(cosine, best);
            best_class = simd.select_u32s(better, class, best_class);
            class = simd.add_u32s(class, simd.splat_u32s(1));
            let (shaped, logit) = shape.of_another(cosine);
            sum = simd.add_f32s(sum, shaped);
            if BENT {
                largest = larger(simd, logit, largest);
            }
        }
        if !BENT {
            // A straight logit is largest where the cosine is.
            (_, largest) = shape.of_another(best);
        }
        let all_largest = vector_mut::<S>(&mut self.largest, from);
        let before = mem::replace(all_largest, larger(simd, largest, *all_largest));
        let largest = *all_largest;
        // A block by itself: what is added to the sum over all classes so far one by one would be lost in it.
        let mut block = zero;
        for &cosine in column_of::<S>(cosines, column) {
            let (_, logit) = shape.of_another(cosine);
            block = simd.add_f32s(block, exp(simd, simd.sub_f32s(logit, largest)));
        }
        let exponentials = vector_mut::<S>(&mut self.exponentials, from);
        let rest = exp(simd, simd.sub_f32s(before, largest));
        *exponentials = simd.mul_add_f32s(*exponentials, rest, block);
        let sums = vector_mut::<S>(&mut self.cosines, from);
        *sums = simd.add_f32s(*sums, sum);
        let all_best = vector_mut::<S>(&mut self.best, from);
        let better = simd.greater_than_f32s(best, *all_best);
        *all_best = simd.select_f32s(better, best, *all_best);
        let (classes, _) = S::as_mut_simd_u32s(&mut self.best_class[from..from + S::F32_LANES]);
        classes[0] = simd.select_u32s(better, best_class, classes[0]);
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
    #[allow(clippy::too_many_arguments, reason = "what is read and what is written, of one pass")]
    pub fn gradients<S: Simd>(
        &self,
        simd: S,
        samples: &Samples<'_>,
        classes: &Range<usize>,
        chunk: usize,
        cosines: &mut [f32],
        gradients: &mut [f32],
        by_radius: &mut [f32],
    ) {
        let targets = || samples.targets_in(classes, chunk);
        // With `T = 0` the own class adds nothing to the gradient of the radius.
        let zero = |place: usize| mem::replace(&mut cosines[place], samples.zero());
        let own: Vec<f32> = targets().map(|own| own.place).map(zero).collect();
        for column in columns::<S>() {
            let from = chunk * LANES + column;
            match samples.bent {
                None => {
                    self.gradients_of_others::<S, false>(simd, samples, from, cosines, gradients, by_radius)
                }
                Some(_) => {
                    self.gradients_of_others::<S, true>(simd, samples, from, cosines, gradients, by_radius)
                }
            }
        }
        for (target, cosine) in targets().zip(own) {
            cosines[target.place] = cosine;
            gradients[target.place] = self.target[target.sample];
        }
    }

    #[inline(always)]
    fn gradients_of_others<S: Simd, const BENT: bool>(
        &self,
        simd: S,
        samples: &Samples<'_>,
        from: usize,
        cosines: &[f32],
        gradients: &mut [f32],
        by_radius: &mut [f32],
    ) {
        let shape = Shape::<S, BENT>::new(simd, samples, from);
        let total = vector::<S>(&self.total, from);
        let (by_log_sum, by_cosines) = (vector::<S>(&self.log_sum, from), vector::<S>(&self.cosines, from));
        let zero = simd.splat_f32s(0.0);
        let mut sum = zero;
        let column = from % LANES;
        let gradients = column_of_mut::<S>(gradients, column);
        for (&cosine, to) in column_of::<S>(cosines, column).zip(gradients) {
            let (shaped, slope) = shape.of(cosine);
            // At most 0 but for rounding, and for the own class.
            let exponent = simd.sub_f32s(simd.mul_f32s(shaped, shape.radii), total);
            let over = simd.greater_than_f32s(exponent, zero);
            let weight = simd.mul_f32s(by_log_sum, exp(simd, simd.select_f32s(over, zero, exponent)));
            sum = simd.mul_add_f32s(weight, shaped, sum);
            let gradient = simd.mul_add_f32s(weight, shape.radii, by_cosines);
            *to = if BENT { simd.mul_f32s(gradient, slope) } else { gradient };
        }
        let by_radius = vector_mut::<S>(by_radius, from);
        *by_radius = simd.add_f32s(*by_radius, sum);
    }
}

/// Stands for the cosine with the own class among those with the others: it is less than any, its `T` is 0 and its logit less
/// than any.
const OWN: f32 = f32::NEG_INFINITY;

/// `T` of the cosines of a vector of samples; the cosines themselves if it is not bent.
struct Shape<S: Simd, const BENT: bool> {
    simd: S,
    radii: S::f32s,
    beyond: S::f32s,
    curve: Curve,
}

impl<S: Simd, const BENT: bool> Shape<S, BENT> {
    #[inline(always)]
    fn new(simd: S, samples: &Samples<'_>, from: usize) -> Self {
        let radii = vector::<S>(&samples.radii, from);
        let (beyond, curve) = match &samples.bent {
            Some(bent) => (vector::<S>(&bent.beyond, from), bent.curve),
            None => (simd.splat_f32s(f32::INFINITY), Curve::STRAIGHT),
        };
        Self { simd, radii, beyond, curve }
    }

    /// `T` and its derivative.
    #[inline(always)]
    fn of(&self, cosine: S::f32s) -> (S::f32s, S::f32s) {
        let simd = self.simd;
        let splat = |number| simd.splat_f32s(number);
        if !BENT {
            return (cosine, splat(1.0));
        }
        let Curve { square, linear, constant, slope_linear, slope_constant, before } = self.curve;
        let line = |factor, constant| simd.mul_add_f32s(splat(factor), cosine, splat(constant));
        let parabola = simd.mul_add_f32s(cosine, line(square, linear), splat(constant));
        let bent = simd.greater_than_f32s(cosine, self.beyond);
        (
            simd.select_f32s(bent, parabola, simd.mul_f32s(splat(before), cosine)),
            simd.select_f32s(bent, line(slope_linear, slope_constant), splat(before)),
        )
    }

    /// `T` and the logit of another class, or of [`OWN`].
    #[inline(always)]
    fn of_another(&self, cosine: S::f32s) -> (S::f32s, S::f32s) {
        let simd = self.simd;
        let (shaped, _) = self.of(cosine);
        let own = simd.equal_f32s(cosine, simd.splat_f32s(OWN));
        let logit = simd.mul_f32s(shaped, self.radii);
        (
            simd.select_f32s(own, simd.splat_f32s(0.0), shaped),
            simd.select_f32s(own, simd.splat_f32s(OWN), logit),
        )
    }
}

/// `a` where it is greater, else `b`.
#[inline(always)]
fn larger<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
    simd.select_f32s(simd.greater_than_f32s(a, b), a, b)
}

/// Where the columns of a chunk begin, each a vector wide.
#[inline(always)]
fn columns<S: Simd>() -> impl Iterator<Item = usize> {
    (0..LANES).step_by(S::F32_LANES)
}

/// The numbers of a vector of samples.
#[inline(always)]
fn vector<S: Simd>(numbers: &[f32], from: usize) -> S::f32s {
    S::as_simd_f32s(&numbers[from..from + S::F32_LANES]).0[0]
}

#[inline(always)]
fn vector_mut<S: Simd>(numbers: &mut [f32], from: usize) -> &mut S::f32s {
    &mut S::as_mut_simd_f32s(&mut numbers[from..from + S::F32_LANES]).0[0]
}

/// A column of a block `[classes, LANES]`.
#[inline(always)]
fn column_of<S: Simd>(numbers: &[f32], column: usize) -> impl Iterator<Item = &S::f32s> {
    S::as_simd_f32s(numbers).0[column / S::F32_LANES..].iter().step_by(LANES / S::F32_LANES)
}

#[inline(always)]
fn column_of_mut<S: Simd>(numbers: &mut [f32], column: usize) -> impl Iterator<Item = &mut S::f32s> {
    S::as_mut_simd_f32s(numbers).0[column / S::F32_LANES..].iter_mut().step_by(LANES / S::F32_LANES)
}
