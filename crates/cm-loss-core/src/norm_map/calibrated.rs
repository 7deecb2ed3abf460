//! The sigmoid contraction on a standardised norm: our own variant of the method.

use burn::tensor::{Device, Tensor, activation::sigmoid};
use serde::{Deserialize, Serialize};

use crate::{Error, NormStatistics};

/// `phi(r) = s · sigmoid((r − μ) / τ)` with the running mean `μ` and standard deviation `τ` of the feature norms.
///
/// **Ours**, not of the method's authors: their sigmoid saturates where features are long, and this one does not,
/// since it follows the norms. Strictly increasing, from above 0 to below `s`; at `r = μ` it is `s/2`. Lipschitz
/// constant `s / (4τ)`, 0 and `s` are its limits. No gradient flows through `μ` and `τ`.
///
/// Its radius has no lower bound but 0, where the authors' has `s/2`. With a margin and from random weights, a network can
/// therefore lower its loss by shortening every feature, and learns slowly until `μ` has followed; a small `rate` (0.01)
/// can leave it there. It suits networks that have learned already, or losses without a margin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibratedSigmoid {
    /// The limit `s` of the radius, without unit, above 0.
    pub scale: f64,
    /// How far `μ` and `τ` move towards those of each batch, above 0 and up to 1.
    pub rate: f64,
}

/// Least `τ`: norms that do not differ carry no information, and must not be divided by 0.
const LEAST_SPREAD: f64 = 1e-3;

impl CalibratedSigmoid {
    pub(super) fn statistics(&self, device: &Device) -> NormStatistics {
        NormStatistics::from_first_batch(self.rate, device)
    }

    fn standardised(norms: Tensor<2>, statistics: &NormStatistics) -> (Tensor<2>, Tensor<2>) {
        let (mean, spread) = statistics.values();
        let spread = spread.clamp_min(LEAST_SPREAD);
        ((norms - mean) / spread.clone(), spread)
    }

    pub(super) fn forward(&self, norms: Tensor<2>, statistics: &NormStatistics) -> Tensor<2> {
        sigmoid(Self::standardised(norms, statistics).0).mul_scalar(self.scale)
    }

    /// Derivative as a share of its largest value, 1/4 of `s / τ`.
    pub(super) fn relative_slope(norms: Tensor<2>, statistics: &NormStatistics) -> Tensor<2> {
        let p = sigmoid(Self::standardised(norms, statistics).0);
        (p.clone() * p.neg().add_scalar(1.0)).mul_scalar(4.0)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("scale of the calibrated sigmoid", self.scale)?;
        let valid = self.rate > 0.0 && self.rate <= 1.0;
        Error::check("rate of the calibrated sigmoid", "above 0 and at most 1", self.rate, valid)
    }
}
