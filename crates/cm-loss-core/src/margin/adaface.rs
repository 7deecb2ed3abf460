//! The margin of AdaFace, which follows the quality that the feature norm tells.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{
    Shaped,
    angle::{angle, is_noise, sine},
    angular::check_angle,
};
use crate::{Error, NormStatistics};

/// ```text
/// ẑ = min(max(h (r − μ) / (σ + 0.001), −1), 1)
/// t = cos(θ − m ẑ) − (m + m ẑ)
/// ```
///
/// with the running mean `μ` and standard deviation `σ` of the norms, which count from 0.001 to 100: images of low
/// quality (`ẑ = −1`) get an angular margin, images of high quality a cosine margin. The angle `θ − m ẑ` is held
/// between 0.001 and `π − 0.001`, where no gradient flows. No gradient flows through `ẑ`.
///
/// Its authors' `head.py` does two things more, which are left out here: it clamps the cosines of *all* classes to ±0.999
/// before anything else (to ±0.9999 in its ArcFace and CosFace), and its clip of the angle takes hold of the other classes
/// too. CVLface's AdaFace has no clip of the angle.
///
/// From M. Kim, A. Jain, X. Liu, "AdaFace: Quality Adaptive Margin for Face Recognition", CVPR 2022, arXiv 2204.00964.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaFaceMargin {
    /// The margin `m`, from 0 up to (not including) π/2.
    pub margin: f64,
    /// The concentration `h`, at least 0.
    pub concentration: f64,
    /// How far `μ` and `σ` move towards those of each batch, above 0 and up to 1.
    #[serde(alias = "rate")]
    pub momentum: f64,
}

/// Where `θ − m ẑ` ends.
const EDGE: f64 = 1e-3;

impl Default for AdaFaceMargin {
    /// As its authors' scripts.
    fn default() -> Self {
        Self { margin: 0.4, concentration: 0.333, momentum: 0.01 }
    }
}

impl AdaFaceMargin {
    /// Mean 20 and standard deviation 100, where the authors' statistics begin.
    pub(super) fn statistics(&self, device: &Device) -> NormStatistics {
        NormStatistics::starting_at(20.0, 100.0, self.momentum, device)
    }

    /// The norms as the statistics and `ẑ` see them.
    pub(super) fn held(norms: Tensor<2>) -> Tensor<2> {
        norms.clamp(1e-3, 100.0)
    }

    pub(super) fn shape(
        &self,
        cosines: &Tensor<2>,
        norms: &Tensor<2>,
        statistics: &NormStatistics,
    ) -> Shaped {
        let (mean, std) = statistics.values(norms);
        let standardized = (Self::held(norms.clone()) - mean) / std.add_scalar(1e-3);
        let quality = standardized.mul_scalar(self.concentration).clamp(-1.0, 1.0);
        shape(cosines, quality, self.margin, EDGE)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        check_angle("margin of AdaFace", self.margin)?;
        let valid = self.concentration >= 0.0 && self.concentration.is_finite();
        Error::check("concentration of AdaFace", "finite and at least 0", self.concentration, valid)?;
        Error::check_rate("momentum of AdaFace", self.momentum)
    }
}

/// `cos(θ − m ẑ) − (m + m ẑ)` for the quality `ẑ`, `[batch, 1]`, with the angle held `edge` from 0 and π.
pub(super) fn shape(cosines: &Tensor<2>, quality: Tensor<2>, margin: f64, edge: f64) -> Shaped {
    let shift = quality.clone().mul_scalar(-margin);
    let moved = angle(cosines) + shift.clone();
    let (low, high) = (edge, std::f64::consts::PI - edge);
    let held = moved.clone().lower_scalar(low).bool_or(moved.clone().greater_scalar(high));
    let moved = moved.clamp(low, high);
    let slope = (moved.clone().sin() / sine(cosines)).mask_where(is_noise(cosines), shift.cos());
    let subtracted = quality.add_scalar(1.0).mul_scalar(margin);
    Shaped { value: moved.cos() - subtracted, by_cosine: slope.mask_fill(held, 0.0), by_norm: None }
}
