//! MagFace's regularizer.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::Error;

/// `g(r) = λ (a / u² + 1 / a)` with `a = min(max(r, l), u)`: falls with the norm, and pulls easy samples towards `u`.
///
/// From Q. Meng et al., MagFace, CVPR 2021, arXiv 2103.06627; its authors' defaults are `l = 10`, `u = 110`,
/// `λ = 35`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MagFaceNorm {
    /// Weight `λ`, without unit, above 0.
    pub weight: f64,
    /// Least norm `l`, above 0.
    pub lower_norm: f64,
    /// Largest norm `u`, above `l`.
    pub upper_norm: f64,
}

impl Default for MagFaceNorm {
    /// As its authors' script.
    fn default() -> Self {
        Self { weight: 35.0, lower_norm: 10.0, upper_norm: 110.0 }
    }
}

impl MagFaceNorm {
    pub(super) fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        let held = norms.clamp(self.lower_norm, self.upper_norm);
        (held.clone().div_scalar(self.upper_norm.powi(2)) + held.recip()).mul_scalar(self.weight)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("weight of the MagFace regularizer", self.weight)?;
        let valid = self.lower_norm > 0.0 && self.lower_norm < self.upper_norm && self.upper_norm.is_finite();
        let allowed = "above 0 and below the finite upper norm";
        Error::check("lower norm of the MagFace regularizer", allowed, self.lower_norm, valid)
    }
}
