//! The sigmoid contraction, divided by its mean over the batch.

use burn::tensor::{Bool, Device, Tensor, activation::sigmoid};
use serde::{Deserialize, Serialize};

use crate::{Error, NormStatistics, exact, targets::not_finite};

/// `phi(r_i) = s · sigmoid(r_i) / mean_k sigmoid(r_k)`, over the samples of the batch that count.
///
/// **Ours.** The authors' map shortens features: with a margin inside it, a smaller radius means a smaller loss. Here the mean
/// radius is `s` whatever the norms are, and making all of them smaller gains nothing: the gradient flows through the mean.
/// From above `s/2` to below `2s`. Outside training the mean is the running one, which is state of the head, as that of
/// batch normalization; a batch of one sample has the radius `s`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeanPreserving {
    /// The mean radius `s`, without unit, above 0.
    pub scale: f64,
    /// How far the running mean moves towards that of each batch, above 0 and up to 1.
    pub momentum: f64,
}

/// `sigmoid r`, with the digits of its derivative.
fn contracted(norms: Tensor<2>) -> Tensor<2> {
    let outside = norms.clone().detach();
    exact::with_slope(sigmoid(outside.clone()), exact::sigmoid_slope(outside), norms)
}

impl Default for MeanPreserving {
    fn default() -> Self {
        Self { scale: 30.0, momentum: 0.1 }
    }
}

impl MeanPreserving {
    pub(super) fn statistics(&self, device: &Device) -> NormStatistics {
        NormStatistics::from_first_batch(self.momentum, device)
    }

    pub(super) fn take_in(norms: &Tensor<2>, ignored: Option<&Tensor<2, Bool>>, statistics: &NormStatistics) {
        // Where a norm is not finite its sigmoid would be.
        let ignored = not_finite(norms, ignored);
        statistics.update(&sigmoid(norms.clone().detach()), Some(&ignored));
    }

    /// With the running mean.
    pub(super) fn forward(&self, norms: Tensor<2>, statistics: &NormStatistics) -> Tensor<2> {
        let (mean, _) = statistics.values(&norms);
        // Before the first batch there is none.
        contracted(norms).mul_scalar(self.scale) / mean.clamp_min(0.5)
    }

    /// With the mean of the batch, over those of its norms that the running mean takes in.
    pub(super) fn of_batch(&self, norms: Tensor<2>, ignored: Option<&Tensor<2, Bool>>) -> Tensor<2> {
        let [batch, _] = norms.dims();
        if batch == 0 {
            return contracted(norms);
        }
        // A norm that is not finite makes its own radius NaN, and no other; nor do gradients reach the others through the mean.
        let ignored = not_finite(&norms, ignored);
        let counting = |values: Tensor<2>| values.mask_fill(ignored.clone(), 0.0);
        let contracted = contracted(norms);
        let count = counting(contracted.ones_like()).sum_dim(0);
        let none = count.clone().lower_scalar(0.5);
        let mean = counting(contracted.clone()).sum_dim(0) / count.clamp_min(1.0);
        let mean = mean.mask_fill(none, 1.0).expand([batch, 1]);
        let alone = mean.clone().detach();
        contracted.mul_scalar(self.scale) / mean.mask_where(ignored, alone)
    }

    /// Derivative as a share of its largest value.
    pub(super) fn relative_slope(norms: Tensor<2>) -> Tensor<2> {
        exact::sigmoid_slope(norms).mul_scalar(4.0)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("scale of the mean-preserving map", self.scale)?;
        Error::check_rate("momentum of the mean-preserving map", self.momentum)
    }
}
