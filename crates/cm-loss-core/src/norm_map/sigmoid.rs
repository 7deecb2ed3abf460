//! The sigmoid contraction mapping: the method.

use burn::tensor::{Tensor, activation::sigmoid};
use serde::{Deserialize, Serialize};

use crate::Error;

/// `phi(r) = s · sigmoid(r) = s / (1 + exp(−r))`.
///
/// Strictly increasing from `s/2` at `r = 0` towards `s`; Lipschitz constant `s/4`. It saturates: from `r = 17.3`
/// on it equals `s` in 32-bit floats, and then no gradient reaches the norm.
///
/// From W. Liu et al., "Contraction mapping of feature norms for data quality imbalance learning", Pattern
/// Recognition Letters 185 (2024) 232–238.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SigmoidContraction {
    /// The limit `s` of the radius, without unit, above 0.
    pub scale: f64,
}

impl SigmoidContraction {
    pub(super) fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        sigmoid(norms).mul_scalar(self.scale)
    }

    /// Derivative as a share of its largest value, `s / 4`.
    pub(super) fn relative_slope(norms: Tensor<2>) -> Tensor<2> {
        let p = sigmoid(norms);
        (p.clone() * p.neg().add_scalar(1.0)).mul_scalar(4.0)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("scale of the sigmoid contraction", self.scale)
    }
}
