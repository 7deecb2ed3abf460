//! The additive angular margin of ArcFace.

use std::f64::consts::PI;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{
    Shaped,
    angle::{is_noise, sine},
};
use crate::Error;

/// What takes the place of `cos(θ + m)` where it is not what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AngularOverflow {
    /// `cos θ − m sin m` where `θ + m > π`, so that the logit goes on falling with the angle.
    MonotoneTail,
    /// `cos θ`, no margin, where `θ > π/2`.
    Easy,
    /// `cos(θ + m)` everywhere, which rises again past `π − m`.
    Plain,
    /// −1 where `θ + m > π`, without a gradient there: OpenSphere's and AdaFace's own ArcFace.
    Plateau,
}

/// `t = cos(θ + m)` for the target class, computed as `cos θ cos m − sin θ sin m`.
///
/// The derivative by `cos θ`, `cos m + sin m · cos θ / sin θ`, grows without bound towards `θ = 0`; where `sin θ`
/// is 0 within rounding, its second term is left out.
///
/// From J. Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019,
/// arXiv 1801.07698.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AngularMargin {
    /// The margin `m` in radians, from 0 up to (not including) π/2.
    pub margin: f64,
    /// What happens where `θ + m > π`.
    pub overflow: AngularOverflow,
}

impl Default for AngularMargin {
    /// As ArcFace.
    fn default() -> Self {
        Self { margin: 0.5, overflow: AngularOverflow::MonotoneTail }
    }
}

impl AngularMargin {
    pub(super) fn shape(&self, cosines: &Tensor<2>) -> Shaped {
        shape(cosines, cosines.full_like(self.margin), self.overflow).0
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        check_angle("angular margin", self.margin)
    }
}

/// An angle in radians that is at least 0 and below π/2.
pub(super) fn check_angle(what: &'static str, margin: f64) -> Result<(), Error> {
    let allowed = "in radians, at least 0 and below π/2";
    Error::check(what, allowed, margin, (0.0..PI / 2.0).contains(&margin))
}

/// `cos(θ + m)` with a margin for each row, and its derivative by the margin; all `[batch, 1]`.
pub(super) fn shape(
    cosines: &Tensor<2>,
    margins: Tensor<2>,
    overflow: AngularOverflow,
) -> (Shaped, Tensor<2>) {
    let sines = sine(cosines);
    let (cos_m, sin_m) = (margins.clone().cos(), margins.clone().sin());
    let value = cosines.clone() * cos_m.clone() - sines.clone() * sin_m.clone();
    let steep = (sin_m.clone() * cosines.clone() / sines.clone()).mask_fill(is_noise(cosines), 0.0);
    let by_cosine = cos_m.clone() + steep;
    // d cos(θ + m) / dm = −sin(θ + m)
    let by_margin = -(sines * cos_m.clone() + cosines.clone() * sin_m.clone());
    let (elsewhere, other_value, other_by_margin) = match overflow {
        AngularOverflow::Plain => return (Shaped { value, by_cosine, by_norm: None }, by_margin),
        AngularOverflow::MonotoneTail => {
            // θ + m > π, which takes a margin above 0.
            let past = cosines.clone().lower_equal(cos_m.clone().neg());
            let past = past.bool_and(margins.clone().greater_scalar(0.0));
            let tail = cosines.clone() - margins.clone() * sin_m.clone();
            (past, tail, -(sin_m + margins * cos_m))
        }
        AngularOverflow::Plateau => {
            let past = cosines.clone().lower_equal(cos_m.clone().neg());
            let past = past.bool_and(margins.clone().greater_scalar(0.0));
            let shaped = Shaped {
                value: value.mask_fill(past.clone(), -1.0),
                by_cosine: by_cosine.mask_fill(past.clone(), 0.0),
                by_norm: None,
            };
            return (shaped, by_margin.mask_fill(past, 0.0));
        }
        AngularOverflow::Easy => {
            (cosines.clone().lower_equal_scalar(0.0), cosines.clone(), cosines.zeros_like())
        }
    };
    let shaped = Shaped {
        value: value.mask_where(elsewhere.clone(), other_value),
        by_cosine: by_cosine.mask_fill(elsewhere.clone(), 1.0),
        by_norm: None,
    };
    (shaped, by_margin.mask_where(elsewhere, other_by_margin))
}
