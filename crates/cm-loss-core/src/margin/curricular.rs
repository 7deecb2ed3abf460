//! The margin of CurricularFace, which turns to hard negatives as training goes on.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{
    Shaped,
    angle::sine,
    angular::{self, AngularOverflow, check_angle},
};
use crate::Error;

/// For the target `t = cos(θ + m)`, with `cos θ − m sin m` where `θ + m > π`. For a class `j` that is harder, with
/// `cos θ_j > cos(θ + m)`:
///
/// ```text
/// t_j = cos θ_j (c + cos θ_j)        c ← (1 − α) c + α mean(cos θ)
/// ```
///
/// where `c` begins at 0 and moves towards the mean target cosine of each batch.
///
/// From Y. Huang et al., "CurricularFace: Adaptive Curriculum Learning Loss for Deep Face Recognition", CVPR 2020,
/// arXiv 2004.00288.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CurricularMargin {
    /// The margin `m` in radians, from 0 up to (not including) π/2.
    pub margin: f64,
    /// `α`, above 0 and up to 1.
    #[serde(alias = "rate")]
    pub momentum: f64,
}

impl Default for CurricularMargin {
    /// As its authors.
    fn default() -> Self {
        Self { margin: 0.5, momentum: 0.01 }
    }
}

impl CurricularMargin {
    pub(super) fn shape(&self, cosines: &Tensor<2>) -> Shaped {
        angular::shape(cosines, cosines.full_like(self.margin), AngularOverflow::MonotoneTail).0
    }

    /// The cosine beyond which a class is hard, for target cosines, both `[batch, 1]`.
    pub(super) fn beyond(&self, targets: &Tensor<2>) -> Tensor<2> {
        targets.clone().mul_scalar(self.margin.cos()) - sine(targets).mul_scalar(self.margin.sin())
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        check_angle("margin of CurricularFace", self.margin)?;
        Error::check_rate("momentum of CurricularFace", self.momentum)
    }
}
