//! The multiplicative angular margin of SphereFace.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{
    Shaped,
    combined::{self, Extension},
};
use crate::Error;

/// `t = ψ(θ) = (−1)^k cos(m θ) − 2k` with `k = ⌊m θ / π⌋`: `cos(m θ)`, continued so that it falls all the way from
/// `θ = 0` to `π`. With annealing, `t = (λ cos θ + ψ(θ)) / (1 + λ)`.
///
/// From W. Liu et al., "SphereFace: Deep Hypersphere Embedding for Face Recognition", CVPR 2017, arXiv 1704.08063,
/// whose `m` was 4 with annealing; OpenSphere by the same authors has `m = 1.7` without.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MultiplicativeMargin {
    /// The factor `m` of the angle, at least 1.
    pub margin: f64,
    /// How the margin is brought in.
    pub annealing: Option<Annealing>,
}

/// `λ = max(minimum, start · (1 + gamma · i)^−power)` at training step `i`, from 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Annealing {
    /// `λ` at the first step, at least `minimum`; 1000 in SphereFace.
    pub start: f64,
    /// 0.12 in SphereFace.
    pub gamma: f64,
    /// 1 in SphereFace.
    pub power: f64,
    /// Least `λ`, at least 0; 5 in SphereFace.
    pub minimum: f64,
}

impl Default for Annealing {
    fn default() -> Self {
        Self::SPHEREFACE
    }
}

impl Annealing {
    /// The values of SphereFace.
    pub const SPHEREFACE: Self = Self { start: 1000.0, gamma: 0.12, power: 1.0, minimum: 5.0 };

    fn weight(&self, step: Tensor<2>) -> Tensor<2> {
        let decay = step.mul_scalar(self.gamma).add_scalar(1.0).powf_scalar(-self.power);
        decay.mul_scalar(self.start).clamp_min(self.minimum)
    }
}

impl Default for MultiplicativeMargin {
    /// As OpenSphere.
    fn default() -> Self {
        Self { margin: 1.7, annealing: None }
    }
}

impl MultiplicativeMargin {
    /// `step` is the number of steps trained, `[1, 1]`.
    pub(super) fn shape(&self, cosines: &Tensor<2>, step: Option<Tensor<2>>) -> Shaped {
        let full = combined::shape(cosines, self.margin, 0.0, Extension::Monotone);
        let (Some(annealing), Some(step)) = (&self.annealing, step) else { return full };
        let weight = annealing.weight(step);
        let total = weight.clone().add_scalar(1.0);
        Shaped {
            value: (full.value + cosines.clone() * weight.clone()) / total.clone(),
            by_cosine: (full.by_cosine + weight) / total,
            by_norm: None,
        }
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        let valid = self.margin >= 1.0 && self.margin.is_finite();
        Error::check("multiplicative margin", "a finite factor of at least 1", self.margin, valid)?;
        let Some(Annealing { start, gamma, power, minimum }) = self.annealing else { return Ok(()) };
        let finite = |value: f64| value >= 0.0 && value.is_finite();
        Error::check("minimum of the annealing", "finite and at least 0", minimum, finite(minimum))?;
        let valid = start >= minimum && start.is_finite();
        Error::check("start of the annealing", "finite and at least its minimum", start, valid)?;
        Error::check("gamma of the annealing", "finite and at least 0", gamma, finite(gamma))?;
        Error::check("power of the annealing", "finite and at least 0", power, finite(power))
    }
}
