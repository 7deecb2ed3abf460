//! The additive cosine margin of CosFace.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::Shaped;
use crate::Error;

/// `t = cos θ − m` for the target class.
///
/// From H. Wang et al., "CosFace: Large Margin Cosine Loss for Deep Face Recognition", CVPR 2018,
/// arXiv 1801.09414; the same in F. Wang et al., "Additive Margin Softmax for Face Verification", 2018,
/// arXiv 1801.05599.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CosineMargin {
    /// The margin `m`, a difference of cosines, from 0 up to (not including) 2.
    pub margin: f64,
}

impl Default for CosineMargin {
    /// As Liu et al. 2024, and insightface.
    fn default() -> Self {
        Self { margin: 0.4 }
    }
}

impl CosineMargin {
    pub(super) fn shape(&self, cosines: &Tensor<2>) -> Shaped {
        Shaped::with_slope_one(cosines.clone().sub_scalar(self.margin))
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_cosine_margin("cosine margin", self.margin)
    }
}
