//! The norm, held between two bounds.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::{Error, norm::indicator};

/// `phi(r) = s · min(max(r, l), u)`.
///
/// Not decreasing, from `s · l` to `s · u`; Lipschitz constant `s`. Outside `[l, u]` no gradient reaches the norm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clamp {
    /// The factor `s`, without unit, above 0.
    pub scale: f64,
    /// Least norm `l`, at least 0.
    pub lower: f64,
    /// Largest norm `u`, above `l`.
    pub upper: f64,
}

impl Default for Clamp {
    /// The norms of MagFace.
    fn default() -> Self {
        Self { scale: 1.0, lower: 10.0, upper: 110.0 }
    }
}

impl Clamp {
    pub(super) fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        norms.clamp(self.lower, self.upper).mul_scalar(self.scale)
    }

    /// Derivative as a share of its largest value, `s`.
    pub(super) fn relative_slope(&self, norms: Tensor<2>) -> Tensor<2> {
        let dtype = norms.dtype();
        let inside = indicator(norms.clone().greater_equal_scalar(self.lower), dtype);
        inside * indicator(norms.lower_equal_scalar(self.upper), dtype)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("scale of the clamped norm map", self.scale)?;
        let bounds = self.lower >= 0.0 && self.lower < self.upper && self.upper.is_finite();
        let allowed = "at least 0 and below the finite upper bound";
        Error::check("lower bound of the clamped norm map", allowed, self.lower, bounds)
    }
}
