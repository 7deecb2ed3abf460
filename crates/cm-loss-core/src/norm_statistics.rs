//! Running statistics of the feature norms, for parts that adapt to them.

use burn::{
    module::Module,
    tensor::{Bool, Device, Tensor},
};
use serde::{Deserialize, Serialize};

use crate::{Error, norm::indicator, state::State, targets::not_finite};

/// Running mean `μ` and standard deviation `σ` of the feature norms.
///
/// They are state of the module: saved and restored with it, moved while it trains (on a device with automatic
/// differentiation, and not frozen), and left as they are otherwise. No gradient flows through them.
///
/// ```text
/// μ ← (1 − α) μ + α mean(r)        σ ← (1 − α) σ + α std(r)
/// ```
///
/// over the samples of a batch that count, with the unbiased `std`. One sample has no `std` and moves the mean only. A
/// norm that is NaN, infinite, or so large that its square is (1e18), does not count.
///
/// Clones share them. Where several workers train, each batch of each of them moves the statistics once, in the order of
/// their arrival.
#[derive(Module, Debug)]
pub struct NormStatistics {
    /// `μ`, `σ`, and how many batches moved each.
    values: State<1>,
    #[module(skip)]
    momentum: f64,
    #[module(skip)]
    plain_average_at_first: bool,
}

/// Running statistics as numbers, to look at, keep and set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormMoments {
    /// `μ`.
    pub mean: f64,
    /// `σ`, at least 0.
    pub std: f64,
    /// Batches that moved the mean, as far as it matters how many they were (up to 2^24). After few, statistics that begin with
    /// the first batch still move fast; where the number is left out it is 2^24, and they move by their momentum.
    #[serde(default = "settled")]
    pub batches_of_mean: u32,
    /// Batches that moved the standard deviation, likewise.
    #[serde(default = "settled")]
    pub batches_of_std: u32,
}

fn settled() -> u32 {
    1 << 24
}

impl NormMoments {
    /// Statistics that many batches have moved: the next one moves them by the momentum.
    pub fn new(mean: f64, std: f64) -> Self {
        Self { mean, std, batches_of_mean: settled(), batches_of_std: settled() }
    }

    /// `Ok` if the mean can be one of numbers that are not negative.
    pub(crate) fn check_mean(&self, what: &'static str) -> Result<(), Error> {
        Error::check(what, "at least 0", self.mean, self.mean >= 0.0)
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        let finite = |value: f64| (value as f32).is_finite();
        Error::check("running mean of the norms", "finite", self.mean, finite(self.mean))?;
        let valid = finite(self.std) && self.std >= 0.0;
        Error::check("running deviation of the norms", "finite and at least 0", self.std, valid)
    }
}

impl NormStatistics {
    /// Statistics that begin at given values and move by `momentum` (`α`), from 0 to 1, at every batch.
    pub fn starting_at(mean: f64, std: f64, momentum: f64, device: &Device) -> Self {
        let values = State::new(vec![mean as f32, std as f32, 0.0, 0.0], [4], device);
        Self { values, momentum, plain_average_at_first: false }
    }

    /// Statistics that are those of the first batch, then the average over the batches until there are `1 / momentum`
    /// of them, and move by `momentum` from there on.
    pub fn from_first_batch(momentum: f64, device: &Device) -> Self {
        Self { plain_average_at_first: true, ..Self::starting_at(0.0, 1.0, momentum, device) }
    }

    /// Mean and standard deviation, each `[1, 1]`, on the device and in the format of `like`.
    pub fn values(&self, like: &Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let values = self.values.value(like);
        let column = |k: usize| values.clone().narrow(0, k, 1).unsqueeze::<2>();
        (column(0), column(1))
    }

    /// The statistics as numbers. It reads them back from the device.
    pub fn moments(&self) -> NormMoments {
        let values = self.values.read();
        NormMoments {
            mean: f64::from(values[0]),
            std: f64::from(values[1]),
            batches_of_mean: values[2] as u32,
            batches_of_std: values[3] as u32,
        }
    }

    /// Replaces the statistics, also those of clones.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for a mean that is not finite, or a deviation below 0.
    pub fn set(&self, moments: &NormMoments) -> Result<(), Error> {
        moments.validate()?;
        self.replace(moments);
        Ok(())
    }

    /// Replaces them by moments that are possible.
    pub(crate) fn replace(&self, moments: &NormMoments) {
        let counts = [moments.batches_of_mean, moments.batches_of_std].map(|count| count as f32);
        self.values.set(vec![moments.mean as f32, moments.std as f32, counts[0], counts[1]]);
    }

    /// Takes in the norms `[batch, 1]` of a batch but those of `ignored` samples, `[batch, 1]`.
    pub fn update(&self, norms: &Tensor<2>, ignored: Option<&Tensor<2, Bool>>) {
        let norms = norms.clone().detach();
        if norms.dims()[0] == 0 {
            return;
        }
        let ignored = not_finite(&norms, ignored);
        let counting = |values: Tensor<2>| values.mask_fill(ignored.clone(), 0.0);
        let counted = counting(norms.ones_like());
        let norms = counting(norms);
        let count = counted.clone().sum_dim(0);
        // Divided by the largest, for their squares may leave the range of the number format.
        let largest = norms.clone().max_dim(0).clamp_min(f32::MIN_POSITIVE);
        let scaled = norms / largest.clone();
        let mean = scaled.clone().sum_dim(0) / count.clone().clamp_min(1.0);
        let squares = ((scaled - mean.clone()) * counted).square().sum_dim(0);
        let std = (squares / count.clone().sub_scalar(1.0).clamp_min(1.0)).sqrt();
        let found = Tensor::cat(vec![mean * largest.clone(), std * largest], 0).reshape([2]);
        let at_least = |least: f64| indicator(count.clone().greater_equal_scalar(least), count.dtype());
        let moves = Tensor::cat(vec![at_least(1.0), at_least(2.0)], 0).reshape([2]);

        self.values.replace(&found.device(), |before| {
            let (from, seen) = (before.clone().narrow(0, 0, 2), before.narrow(0, 2, 2));
            let seen = seen + moves.clone().cast(from.dtype());
            let rate = match self.plain_average_at_first {
                true => seen.clone().clamp_min(1.0).recip().clamp_min(self.momentum),
                false => seen.ones_like().mul_scalar(self.momentum),
            };
            let towards = (found.cast(from.dtype()) - from.clone()) * moves.cast(from.dtype());
            Tensor::cat(vec![from + towards * rate, seen], 0)
        });
    }
}
