//! Spread of the class centers.

use burn::tensor::{IndexingUpdateOp, Tensor};
use serde::{Deserialize, Serialize};

use crate::{Error, targets::Targets};

/// `λ ln( 1/(C − 1) Σ_{j ≠ y} exp(−t ‖ŵ_y − ŵ_j‖²) )`: pushes the unit center `ŵ_y` of a sample's class away from the
/// others.
///
/// It is the uniformity of T. Wang, P. Isola, ICML 2020, arXiv 2005.10242, taken for each class by itself. As `t` grows it
/// becomes what RegularFace (K. Zhao, J. Xu, M.-M. Cheng, CVPR 2019) penalizes, the cosine with the nearest other
/// center; with a finite `t` every center receives a gradient and not the nearest alone, and which one is the nearest may
/// change without a kink. Only the classes of the batch are looked at, so that it costs no more than the logits do.
/// It is at most 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CenterSpread {
    /// Weight `λ`, without unit, above 0.
    pub weight: f64,
    /// Sharpness `t`, above 0; 2 in the paper.
    pub sharpness: f64,
}

impl Default for CenterSpread {
    fn default() -> Self {
        Self { weight: 1.0, sharpness: 2.0 }
    }
}

impl CenterSpread {
    /// The penalty of each sample, `[batch, 1]`, for unit centers `[classes, feature_dim]`; `None` for a single class.
    pub(crate) fn penalty(&self, centers: &Tensor<2>, targets: &Targets) -> Option<Tensor<2>> {
        let [classes, _] = centers.dims();
        if classes < 2 {
            return None;
        }
        let own = centers.clone().select(0, targets.classes());
        let cosines = own.matmul(centers.clone().transpose());
        // ‖ŵ_y − ŵ_j‖² = 2 − 2 cos
        let exponents = cosines.sub_scalar(1.0).mul_scalar(2.0 * self.sharpness);
        let itself = exponents.clone().gather(1, targets.columns.clone()).detach().full_like(f32::MIN / 2.0);
        let exponents = exponents.scatter(1, targets.columns.clone(), itself, IndexingUpdateOp::Add);
        let largest = exponents.clone().detach().max_dim(1);
        let mean = (exponents - largest.clone()).exp().sum_dim(1).div_scalar((classes - 1) as f64);
        Some((mean.log() + largest).mul_scalar(self.weight))
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("weight of the center spread", self.weight)?;
        Error::check_positive("sharpness of the center spread", self.sharpness)
    }
}
