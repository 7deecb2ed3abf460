//! L2 penalty on the feature norm.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::Error;

/// `g(r) = weight · r²`: holds the features close to the origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SquaredNorm {
    /// Weight of the penalty, without unit, above 0.
    pub weight: f64,
}

impl Default for SquaredNorm {
    fn default() -> Self {
        Self { weight: 0.01 }
    }
}

impl SquaredNorm {
    pub(super) fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        norms.square().mul_scalar(self.weight)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("weight of the squared-norm regularizer", self.weight)
    }
}
