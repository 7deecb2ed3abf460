//! The quadratic margin of X2-Softmax.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{
    Shaped,
    angle::{angle, is_noise, sine},
};
use crate::Error;

/// `t = a (θ − h)² + k` for the target class: a parabola below the cosine, whose distance from it grows with the angle.
///
/// The derivative by `cos θ` is `−2a (θ − h) / sin θ`, `−2a` at `θ = 0` for `h = 0`; where `sin θ` is 0 within rounding
/// it is taken to be that. From J. Xu et al., "X2-Softmax: Margin Adaptive Loss Function for Face Recognition", Expert
/// Systems with Applications 2024, arXiv 2312.05281; their code has `a = −0.9`, `h = 0`, `k = 0.65`, and
/// [`MarginGradient::Detached`](super::MarginGradient::Detached).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuadraticMargin {
    /// `a`, below 0.
    pub curvature: f64,
    /// `h` in radians, at most 0, so that `t` falls all the way from `θ = 0` to `π`.
    pub center: f64,
    /// `k`, the value at `θ = h`, at most 1.
    pub peak: f64,
}

impl Default for QuadraticMargin {
    /// As its authors' code.
    fn default() -> Self {
        Self { curvature: -0.9, center: 0.0, peak: 0.65 }
    }
}

impl QuadraticMargin {
    pub(super) fn shape(&self, cosines: &Tensor<2>) -> Shaped {
        let from_center = angle(cosines).sub_scalar(self.center);
        let value = from_center.clone().square().mul_scalar(self.curvature).add_scalar(self.peak);
        let slope = (from_center / sine(cosines)).mul_scalar(-2.0 * self.curvature);
        let by_cosine = slope.mask_fill(is_noise(cosines), -2.0 * self.curvature);
        Shaped { value, by_cosine, by_norm: None }
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        let (a, h, k) = (self.curvature, self.center, self.peak);
        let valid = a < 0.0 && a.is_finite();
        Error::check("curvature of the quadratic margin", "finite and below 0", a, valid)?;
        let valid = h <= 0.0 && h.is_finite();
        Error::check("center of the quadratic margin", "in radians, finite and at most 0", h, valid)?;
        Error::check("peak of the quadratic margin", "at most 1", k, k <= 1.0 && k.is_finite())
    }
}
