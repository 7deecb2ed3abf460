//! A block of classes: what its cosines add to the sums of a batch, and the gradient of each cosine.
//!
//! A block is `[classes, padded samples]`, so that everything is done for [`LANES`] samples at a time.

use std::ops::Range;

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

    /// Takes in the cosines of a block, which it overwrites.
    #[inline(always)]
    pub fn add(&mut self, samples: &Samples<'_>, classes: Range<usize>, cosines: &mut [f32]) {
        let padded = samples.padded;
        for chunk in (0..padded).step_by(LANES) {
            self.find_best(padded, chunk, classes.start, cosines);
        }
        let targets = samples.with_targets_in(&classes);
        for &(class, sample) in targets {
            let own = &mut cosines[(class - classes.start) * padded + sample];
            self.target[sample] = *own;
            *own = samples.zero();
        }
        for chunk in (0..padded).step_by(LANES) {
            self.make_logits(samples, chunk, cosines);
        }
        for &(class, sample) in targets {
            cosines[(class - classes.start) * padded + sample] = EXCLUDED;
        }
        for chunk in (0..padded).step_by(LANES) {
            self.add_exponentials(padded, chunk, cosines);
        }
    }

    #[inline(always)]
    fn find_best(&mut self, padded: usize, chunk: usize, first: usize, cosines: &[f32]) {
        let mut best = lanes(&self.best, chunk);
        let mut best_class: [u32; LANES] = std::array::from_fn(|i| self.best_class[chunk + i]);
        for (row, cosines) in cosines.chunks_exact(padded).enumerate() {
            let (cosines, class) = (lanes(cosines, chunk), (first + row) as u32);
            for i in 0..LANES {
                let better = cosines[i] > best[i];
                best[i] = if better { cosines[i] } else { best[i] };
                best_class[i] = if better { class } else { best_class[i] };
            }
        }
        self.best[chunk..chunk + LANES].copy_from_slice(&best);
        self.best_class[chunk..chunk + LANES].copy_from_slice(&best_class);
    }

    #[inline(always)]
    fn make_logits(&mut self, samples: &Samples<'_>, chunk: usize, cosines: &mut [f32]) {
        let shape = Shape::new(samples, chunk);
        let radii = lanes(&samples.radii, chunk);
        let mut block = [0.0; LANES];
        for row in cosines.chunks_exact_mut(samples.padded) {
            let row = &mut row[chunk..chunk + LANES];
            for i in 0..LANES {
                let (shaped, _) = shape.of(i, row[i]);
                block[i] += shaped;
                row[i] = shaped * radii[i];
            }
        }
        add(&mut self.cosines, chunk, &block);
    }

    #[inline(always)]
    fn add_exponentials(&mut self, padded: usize, chunk: usize, logits: &[f32]) {
        let before = lanes(&self.largest, chunk);
        let mut largest = before;
        for row in logits.chunks_exact(padded) {
            let row = lanes(row, chunk);
            for i in 0..LANES {
                largest[i] = if row[i] > largest[i] { row[i] } else { largest[i] };
            }
        }
        // A block by itself: what is added to the sum over all classes so far one by one would be lost in it.
        let mut block = [0.0; LANES];
        for row in logits.chunks_exact(padded) {
            let row = lanes(row, chunk);
            for i in 0..LANES {
                block[i] += exp(row[i] - largest[i]);
            }
        }
        let mut sums = lanes(&self.exponentials, chunk);
        for i in 0..LANES {
            sums[i] = sums[i] * exp(before[i] - largest[i]) + block[i];
        }
        self.largest[chunk..chunk + LANES].copy_from_slice(&largest);
        self.exponentials[chunk..chunk + LANES].copy_from_slice(&sums);
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
    /// Writes the gradient of each cosine of a block, and adds to that of the radii. It overwrites the cosines with the
    /// own class.
    #[inline(always)]
    pub fn gradients(
        &self,
        samples: &Samples<'_>,
        classes: Range<usize>,
        cosines: &mut [f32],
        gradients: &mut [f32],
        by_radius: &mut [f32],
    ) {
        let padded = samples.padded;
        let targets = samples.with_targets_in(&classes);
        for &(class, sample) in targets {
            // Nothing is added to the gradient of the radius.
            cosines[(class - classes.start) * padded + sample] = samples.zero();
        }
        for chunk in (0..padded).step_by(LANES) {
            let shape = Shape::new(samples, chunk);
            let (radii, total) = (lanes(&samples.radii, chunk), lanes(&self.total, chunk));
            let (by_log_sum, by_cosines) = (lanes(&self.log_sum, chunk), lanes(&self.cosines, chunk));
            let mut by_radii = [0.0; LANES];
            for (cosines, gradients) in cosines.chunks_exact(padded).zip(gradients.chunks_exact_mut(padded)) {
                let cosines = lanes(cosines, chunk);
                let gradients = &mut gradients[chunk..chunk + LANES];
                for i in 0..LANES {
                    let (shaped, slope) = shape.of(i, cosines[i]);
                    // At most 0 but for rounding, and for the own class.
                    let exponent = shaped * radii[i] - total[i];
                    let exponent = if exponent > 0.0 { 0.0 } else { exponent };
                    let weight = by_log_sum[i] * exp(exponent);
                    by_radii[i] += weight * shaped;
                    gradients[i] = (weight * radii[i] + by_cosines[i]) * slope;
                }
            }
            add(by_radius, chunk, &by_radii);
        }
        for &(class, sample) in targets {
            gradients[(class - classes.start) * padded + sample] = self.target[sample];
        }
    }
}

/// `T` of the cosines of [`LANES`] samples.
struct Shape {
    beyond: [f32; LANES],
    curve: Curve,
}

impl Shape {
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
        let Curve { square, linear, constant, slope_linear, slope_constant, before } = self.curve;
        let bent = cosine > self.beyond[lane];
        let parabola = cosine * (square * cosine + linear) + constant;
        let slope = slope_linear * cosine + slope_constant;
        (if bent { parabola } else { before * cosine }, if bent { slope } else { before })
    }
}

#[inline(always)]
fn add(sums: &mut [f32], chunk: usize, block: &[f32; LANES]) {
    sums[chunk..chunk + LANES].iter_mut().zip(block).for_each(|(sum, block)| *sum += block);
}

#[inline(always)]
fn lanes(numbers: &[f32], chunk: usize) -> [f32; LANES] {
    let mut lanes = [0.0; LANES];
    lanes.copy_from_slice(&numbers[chunk..chunk + LANES]);
    lanes
}
