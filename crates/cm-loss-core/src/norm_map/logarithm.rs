//! A norm map that contracts without a bound.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{Error, exact};

/// `phi(r) = s · ln(1 + r)`.
///
/// Strictly increasing from 0 at `r = 0` without limit; Lipschitz constant `s`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Logarithm {
    /// The slope `s` at `r = 0`, without unit, above 0.
    pub scale: f64,
}

impl Default for Logarithm {
    fn default() -> Self {
        Self { scale: 10.0 }
    }
}

impl Logarithm {
    pub(super) fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        exact::log1p(norms).mul_scalar(self.scale)
    }

    /// Derivative as a share of its largest value, `s`.
    pub(super) fn relative_slope(norms: Tensor<2>) -> Tensor<2> {
        norms.add_scalar(1.0).recip()
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("scale of the logarithmic norm map", self.scale)
    }
}
