//! Running statistics of the feature norms, for parts that adapt to them.

use burn::{
    module::{Module, RunningState},
    tensor::{Bool, Device, Tensor},
};

use crate::running::replace;

/// Running mean `μ` and standard deviation `σ` of the feature norms.
///
/// They are state of the module: saved and restored with it, moved while it trains (on a device with automatic
/// differentiation), and left as they are otherwise. No gradient flows through them.
///
/// ```text
/// μ ← (1 − α) μ + α mean(r)        σ ← (1 − α) σ + α std(r)
/// ```
///
/// over the samples of a batch that count, with the unbiased `std`. One sample has no `std` and moves the mean only.
#[derive(Module, Debug)]
pub struct NormStatistics {
    mean: RunningState<Tensor<1>>,
    std: RunningState<Tensor<1>>,
    /// Batches that moved the mean.
    means: RunningState<Tensor<1>>,
    /// Batches that moved the standard deviation.
    stds: RunningState<Tensor<1>>,
    #[module(skip)]
    rate: f64,
    #[module(skip)]
    plain_average_at_first: bool,
}

impl NormStatistics {
    /// Statistics that begin at given values and move by `rate` (`α`), from 0 to 1, at every batch.
    pub(crate) fn starting_at(mean: f64, std: f64, rate: f64, device: &Device) -> Self {
        let state = |value: f64| RunningState::new(Tensor::from_data([value as f32], device));
        let (means, stds) = (state(0.0), state(0.0));
        Self { mean: state(mean), std: state(std), means, stds, rate, plain_average_at_first: false }
    }

    /// Statistics that are those of the first batch, then the average over the batches until there are `1 / rate`
    /// of them, and move by `rate` from there on.
    pub(crate) fn from_first_batch(rate: f64, device: &Device) -> Self {
        Self { plain_average_at_first: true, ..Self::starting_at(0.0, 1.0, rate, device) }
    }

    /// Mean and standard deviation, each `[1, 1]`.
    pub fn values(&self) -> (Tensor<2>, Tensor<2>) {
        let column = |state: &RunningState<Tensor<1>>| state.value_sync().unsqueeze::<2>();
        (column(&self.mean), column(&self.std))
    }

    /// Takes in the norms `[batch, 1]` of a batch but those of `ignored` samples.
    pub(crate) fn update(&self, norms: &Tensor<2>, ignored: Option<&Tensor<2, Bool>>) {
        let norms = norms.clone().detach();
        if norms.dims()[0] == 0 {
            return;
        }
        let counting = |values: Tensor<2>| match ignored {
            Some(ignored) => values.mask_fill(ignored.clone(), 0.0),
            None => values,
        };
        let counted = counting(norms.ones_like());
        let norms = counting(norms);
        let count = counted.clone().sum_dim(0);
        let at_least = |least: f64| count.clone().greater_equal_scalar(least).float();
        // Divided by the largest, for their squares may leave the range of the number format.
        let largest = norms.clone().max_dim(0).clamp_min(f32::MIN_POSITIVE);
        let scaled = norms / largest.clone();
        let mean = scaled.clone().sum_dim(0) / count.clone().clamp_min(1.0);
        let squares = ((scaled - mean.clone()) * counted).square().sum_dim(0);
        let std = (squares / count.clone().sub_scalar(1.0).clamp_min(1.0)).sqrt();

        let moved = |state: &RunningState<Tensor<1>>,
                     batches: &RunningState<Tensor<1>>,
                     to: Tensor<2>,
                     least: f64| {
            let moves = at_least(least).reshape([1]);
            let seen = batches.value_sync() + moves.clone();
            let rate = match self.plain_average_at_first {
                true => seen.clone().clamp_min(1.0).recip().clamp_min(self.rate),
                false => seen.zeros_like().add_scalar(self.rate),
            };
            let from = state.value_sync();
            replace(state, from.clone() + (to.reshape([1]) - from) * rate * moves);
            replace(batches, seen);
        };
        moved(&self.mean, &self.means, mean * largest.clone(), 1.0);
        moved(&self.std, &self.stds, std * largest, 2.0);
    }
}
