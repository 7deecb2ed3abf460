//! A norm map that saturates slowly.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{Error, exact};

/// `phi(r) = s · r / (1 + r)`.
///
/// Strictly increasing from 0 at `r = 0` towards `s`; Lipschitz constant `s`. Its derivative `s / (1 + r)²` falls as
/// a power and not exponentially: of the bounded maps it is the last to go flat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rational {
    /// The limit `s` of the radius, without unit, above 0.
    pub scale: f64,
}

impl Default for Rational {
    fn default() -> Self {
        Self { scale: 30.0 }
    }
}

impl Rational {
    pub(super) fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        let outside = norms.clone().detach();
        let slope = Self::relative_slope(outside.clone()).mul_scalar(self.scale);
        let value = outside.clone() / outside.add_scalar(1.0);
        exact::with_slope(value.mul_scalar(self.scale), slope, norms)
    }

    /// Derivative as a share of its largest value, `s`.
    pub(super) fn relative_slope(norms: Tensor<2>) -> Tensor<2> {
        norms.add_scalar(1.0).recip().square()
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("scale of the rational norm map", self.scale)
    }
}
