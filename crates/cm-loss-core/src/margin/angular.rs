//! The additive angular margin of ArcFace.

use std::f64::consts::PI;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::Error;

/// What takes the place of `cos(θ + m)` where it is not what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AngularOverflow {
    /// `cos θ − m sin m` where `θ + m > π`, so that the logit goes on falling with the angle.
    MonotoneTail,
    /// `cos θ`, no margin, where `θ > π/2`.
    Easy,
    /// `cos(θ + m)` everywhere, which rises again past `π − m`.
    Plain,
}

/// `t = cos(θ + m)` for the target class, computed as `cos θ cos m − sin θ sin m`.
///
/// The derivative by `cos θ`, `cos m + sin m · cos θ / sin θ`, grows without bound towards `θ = 0`; where `sin θ`
/// is 0 within rounding, its second term is left out.
///
/// From J. Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019,
/// arXiv 1801.07698.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AngularMargin {
    /// The margin `m` in radians, from 0 up to (not including) π/2.
    pub margin: f64,
    /// What happens where `θ + m > π`.
    pub overflow: AngularOverflow,
}

impl AngularMargin {
    pub(super) fn forward(&self, cosines: Tensor<2>) -> Tensor<2> {
        let one_minus = cosines.clone().neg().add_scalar(1.0);
        let one_plus = cosines.clone().add_scalar(1.0);
        // Squared sines below this are rounding noise of the cosine. The clamp precedes the root for its gradient.
        let sines = (one_minus * one_plus).clamp_min(1e-10).sqrt();
        let shifted = cosines.clone().mul_scalar(self.margin.cos()) - sines.mul_scalar(self.margin.sin());
        let detached = cosines.clone().detach();
        match self.overflow {
            AngularOverflow::Plain => shifted,
            AngularOverflow::MonotoneTail => {
                let past = detached.lower_equal_scalar((PI - self.margin).cos());
                shifted.mask_where(past, cosines.sub_scalar(self.margin * self.margin.sin()))
            }
            AngularOverflow::Easy => shifted.mask_where(detached.lower_equal_scalar(0.0), cosines),
        }
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        let allowed = "in radians, at least 0 and below π/2";
        Error::check("angular margin", allowed, self.margin, (0.0..PI / 2.0).contains(&self.margin))
    }
}
