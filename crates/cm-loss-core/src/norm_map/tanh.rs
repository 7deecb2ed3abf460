//! The hyperbolic tangent of the norm.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{Error, exact};

/// `phi(r) = s · tanh(r)`.
///
/// Strictly increasing from 0 at `r = 0` towards `s`; Lipschitz constant `s`. It saturates twice as fast as the
/// sigmoid contraction: in 32-bit floats it equals `s` from `r = 9` on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tanh {
    /// The limit `s` of the radius, without unit, above 0.
    pub scale: f64,
}

impl Default for Tanh {
    fn default() -> Self {
        Self { scale: 30.0 }
    }
}

impl Tanh {
    pub(super) fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        let outside = norms.clone().detach();
        let slope = exact::tanh_slope(outside.clone()).mul_scalar(self.scale);
        exact::with_slope(exact::tanh(outside).mul_scalar(self.scale), slope, norms)
    }

    /// Derivative as a share of its largest value, `s`.
    pub(super) fn relative_slope(norms: Tensor<2>) -> Tensor<2> {
        exact::tanh_slope(norms)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("scale of the tanh norm map", self.scale)
    }
}
