//! The margin of FunFace, which follows the norm and how certain the network is.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{AdaFaceMargin, Shaped, adaface, angular::check_angle};
use crate::{Error, NormStatistics, targets::Targets};

/// AdaFace's margin with a second measure beside the norm, the certainty ratio `c`:
///
/// ```text
/// c = min(max(cos θ_y, 0), 1) / (min(max(max_{j ≠ y} cos θ_j, 0), 1) + 10⁻⁵)
/// ẑ = (1 − a) ẑ(r) + a ẑ(c)        ẑ(v) = min(max(h (v − μ_v) / (σ_v + 10⁻⁵), −1), 1)
/// t = cos(θ − m ẑ) − (m + m ẑ)
/// ```
///
/// with running means and deviations of both, which begin at (20, 100) and (2, 10). The angle `θ − m ẑ` is held between
/// 10⁻⁵ and `π − 10⁻⁵`, where no gradient flows. No gradient flows through `ẑ`. Its authors' code clamps the cosines of
/// all classes to ±(1 − 10⁻⁵) as well.
///
/// From "FunFace: Feature Utility and Norm Estimation for Face Recognition", FG 2026 (LSIbabnikz/FunFace).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FunFaceMargin {
    /// The margin `m`, from 0 up to (not including) π/2.
    pub margin: f64,
    /// The concentration `h`, at least 0.
    pub concentration: f64,
    /// The share `a` of the certainty ratio, from 0 to 1.
    pub mixing: f64,
    /// How far means and deviations move towards those of each batch, above 0 and up to 1.
    pub momentum: f64,
}

/// `10⁻⁵`, wherever the authors add or clip by a small number.
const SMALL: f64 = 1e-5;

impl Default for FunFaceMargin {
    /// As its authors.
    fn default() -> Self {
        Self { margin: 0.4, concentration: 0.333, mixing: 0.1, momentum: 0.01 }
    }
}

impl FunFaceMargin {
    /// Of the norms and of the certainty ratio.
    pub(super) fn statistics(&self, device: &Device) -> [NormStatistics; 2] {
        [(20.0, 100.0), (2.0, 10.0)]
            .map(|(mean, std)| NormStatistics::starting_at(mean, std, self.momentum, device))
    }

    /// The certainty ratio, from the cosine with the target and the largest of the others, all `[batch, 1]`.
    pub(crate) fn certainty(target: &Tensor<2>, other: &Tensor<2>) -> Tensor<2> {
        let share = |cosine: &Tensor<2>| cosine.clone().detach().clamp(0.0, 1.0);
        share(target) / share(other).add_scalar(SMALL)
    }

    pub(super) fn shape(
        &self,
        cosines: &Tensor<2>,
        norms: &Tensor<2>,
        certainty: &Tensor<2>,
        [of_norms, of_certainty]: [&NormStatistics; 2],
    ) -> Shaped {
        let standardized = |values: Tensor<2>, statistics: &NormStatistics| {
            let (mean, std) = statistics.values(&values);
            ((values - mean) / std.add_scalar(SMALL)).mul_scalar(self.concentration).clamp(-1.0, 1.0)
        };
        let quality = standardized(AdaFaceMargin::held(norms.clone()), of_norms)
            .mul_scalar(1.0 - self.mixing)
            + standardized(certainty.clone(), of_certainty).mul_scalar(self.mixing);
        adaface::shape(cosines, quality, self.margin, SMALL)
    }

    /// Lets the statistics take in a batch.
    pub(super) fn take_in(
        norms: &Tensor<2>,
        certainty: &Tensor<2>,
        [of_norms, of_certainty]: [&NormStatistics; 2],
        targets: &Targets,
    ) {
        of_norms.update(&AdaFaceMargin::held(norms.clone().detach()), targets.ignored.as_ref());
        of_certainty.update(certainty, targets.ignored.as_ref());
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        check_angle("margin of FunFace", self.margin)?;
        let valid = self.concentration >= 0.0 && self.concentration.is_finite();
        Error::check("concentration of FunFace", "finite and at least 0", self.concentration, valid)?;
        let valid = (0.0..=1.0).contains(&self.mixing);
        Error::check("mixing factor of FunFace", "from 0 to 1", self.mixing, valid)?;
        Error::check_rate("momentum of FunFace", self.momentum)
    }
}
