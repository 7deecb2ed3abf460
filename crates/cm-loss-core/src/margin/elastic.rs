//! The random margins of ElasticFace.

use burn::tensor::{Tensor, TensorData};
use rand::RngExt;
use rand_distr::Normal;
use serde::{Deserialize, Serialize};

use super::{AngularOverflow, MarginForm, Shaped, margin_of, validate_form};
use crate::{Error, steps::Step, targets::Targets};

/// A margin drawn for each sample: `m ~ N(mean, deviation²)`.
///
/// While it trains (on a device with automatic differentiation) the margins depend on the seed and the number of steps
/// trained, which is state of the head: they are the same on every backend, and a resumed training goes on with those that
/// it would have had. Otherwise every margin is the mean.
///
/// From F. Boutros et al., "ElasticFace: Elastic Margin Loss for Deep Face Recognition", CVPR Workshops 2022,
/// arXiv 2109.09416.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ElasticMargin {
    /// Mean margin: in radians, from 0 up to (not including) π/2, or a difference of cosines, below 2.
    pub mean: f64,
    /// Standard deviation of the margin, from 0 (every margin is the mean) up to (not including) 1.
    pub deviation: f64,
    /// Where it enters.
    pub form: MarginForm,
    /// The "+" variant: of the margins drawn for a batch, the sample with the smallest target cosine gets the largest, as the
    /// paper has it. Its authors' code indexes the sorted margins by the order of the cosines where their ranks are meant
    /// (`margin[argsort]`), which leaves margins and cosines uncorrelated.
    pub sorted: bool,
    /// Seed of the random numbers.
    pub seed: u64,
}

impl Default for ElasticMargin {
    /// ElasticFace-Arc.
    fn default() -> Self {
        Self { mean: 0.5, deviation: 0.05, form: MarginForm::Angular, sorted: false, seed: 0 }
    }
}

impl ElasticMargin {
    /// Margins are drawn if there is a `step` to draw them for.
    pub(super) fn shape(&self, cosines: &Tensor<2>, targets: &Targets, step: Option<&Step>) -> Shaped {
        let margins = match step {
            Some(step) => self.for_step(cosines, targets, step),
            None => cosines.full_like(self.mean),
        };
        margin_of(self.form, AngularOverflow::Plain, cosines, margins).0
    }

    /// The margins of a step, before they are sorted.
    pub(crate) fn drawn(&self, batch: usize, step: &Step) -> Vec<f32> {
        let Ok(normal) = Normal::new(self.mean as f32, self.deviation as f32) else {
            panic!("the deviation of the margin must be at least 0: the configuration was not validated")
        };
        step.random(self.seed, "margins").sample_iter(normal).take(batch).collect()
    }

    fn for_step(&self, cosines: &Tensor<2>, targets: &Targets, step: &Step) -> Tensor<2> {
        let [batch, _] = cosines.dims();
        let values = TensorData::new(self.drawn(batch, step), [batch, 1]);
        let drawn = Tensor::<2>::from_data(values, (&cosines.device(), cosines.dtype()));
        if !self.sorted {
            return drawn;
        }
        // The rank of a sample from the largest cosine down is the place of its margin from the smallest up. Ignored
        // samples and their margins come last in both.
        let rank = targets.with_ignored(cosines.clone(), f32::NEG_INFINITY).argsort_descending(0).argsort(0);
        // Finite, for what is computed with it must be so.
        let largest = self.mean + 100.0 * self.deviation;
        targets.with_ignored(drawn, largest as f32).sort(0).gather(0, rank)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        validate_form(self.form, "mean margin of ElasticFace", self.mean)?;
        let valid = (0.0..1.0).contains(&self.deviation);
        Error::check("deviation of the ElasticFace margin", "at least 0 and below 1", self.deviation, valid)
    }
}
