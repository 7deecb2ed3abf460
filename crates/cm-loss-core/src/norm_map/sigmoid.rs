//! The sigmoid contraction mapping: the method.

use burn::tensor::{Tensor, activation::sigmoid};
use serde::{Deserialize, Serialize};

use crate::{Error, exact};

/// `phi(r) = s · sigmoid(r) = s / (1 + exp(−r))`.
///
/// Strictly increasing from `s/2` at `r = 0` towards `s`; Lipschitz constant `s/4`. It saturates: its derivative is about
/// `s exp(−r)`, and from `r = 17.3` on it equals `s` in 32-bit floats. What gradient is left for the norm is exact.
///
/// From W. Liu et al., "Contraction mapping of feature norms for data quality imbalance learning", Pattern
/// Recognition Letters 185 (2024) 232–238.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SigmoidContraction {
    /// The limit `s` of the radius, without unit, above 0.
    pub scale: f64,
}

impl Default for SigmoidContraction {
    /// `s = 30`, as its authors.
    fn default() -> Self {
        Self { scale: 30.0 }
    }
}

impl SigmoidContraction {
    pub(super) fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        let outside = norms.clone().detach();
        let slope = exact::sigmoid_slope(outside.clone()).mul_scalar(self.scale);
        exact::with_slope(sigmoid(outside).mul_scalar(self.scale), slope, norms)
    }

    /// Derivative as a share of its largest value, `s / 4`.
    pub(super) fn relative_slope(norms: Tensor<2>) -> Tensor<2> {
        exact::sigmoid_slope(norms).mul_scalar(4.0)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("scale of the sigmoid contraction", self.scale)
    }
}
