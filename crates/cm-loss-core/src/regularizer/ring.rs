//! Ring loss.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::Error;

/// `g(r) = (λ / 2) (r − R)²` with a learned radius `R`: gathers the features on a ring.
///
/// From Y. Zheng, D. Pal, M. Savvides, "Ring loss: Convex Feature Normalization for Face Recognition", CVPR 2018,
/// arXiv 1803.00130.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ring {
    /// Weight `λ`, without unit, above 0; 0.01 in the paper's small experiments.
    pub weight: f64,
    /// Where `R` begins, above 0.
    pub radius: f64,
}

impl Default for Ring {
    fn default() -> Self {
        Self { weight: 0.01, radius: 20.0 }
    }
}

impl Ring {
    pub(super) fn forward(&self, norms: Tensor<2>, radius: Tensor<1>) -> Tensor<2> {
        let radius = radius.cast(norms.dtype()).unsqueeze();
        (norms - radius).square().mul_scalar(self.weight / 2.0)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("weight of the ring loss", self.weight)?;
        Error::check_positive("radius of the ring loss", self.radius)
    }
}
