//! The constant norm map of L2-Softmax and NormFace.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::Error;

/// `phi(r) = s`: the norm of the feature plays no part.
///
/// Lipschitz constant 0. From R. Ranjan, C. Castillo, R. Chellappa, "L2-constrained Softmax Loss for
/// Discriminative Face Verification", 2017, arXiv 1703.09507.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constant {
    /// The radius `s`, without unit, above 0.
    pub scale: f64,
}

impl Default for Constant {
    /// As L2-Softmax in Liu et al. 2024.
    fn default() -> Self {
        Self { scale: 30.0 }
    }
}

impl Constant {
    pub(super) fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        norms.full_like(self.scale)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("scale of the constant norm map", self.scale)
    }
}
