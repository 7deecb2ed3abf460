//! How the parts of a margin head are put together.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::steps::Step;

/// Where the margin of a [`MarginHead`](super::MarginHead) stands.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum MarginPlace {
    /// `z_y = phi(r) t`: the norm map contracts the margin too, and short features have a smaller one.
    #[default]
    #[serde(deserialize_with = "crate::nothing::no_fields")]
    Inside,
    /// `z_y = phi(r) cos θ + s (t − cos θ)`, for CosFace `phi(r) cos θ − s m`: the margin is the same for every norm, and the
    /// norm has nothing to gain from a smaller one. Not with a constant norm map (unless its scale is learned), of which
    /// nothing is outside, nor with CurricularFace and circle loss, which change the other classes too.
    Outside {
        /// `s`, without unit, above 0; 30 unless given.
        #[serde(default = "outside_scale")]
        scale: f64,
    },
}

fn outside_scale() -> f64 {
    30.0
}

impl MarginPlace {
    pub(super) fn is_inside(&self) -> bool {
        *self == Self::Inside
    }
}

/// A margin that grows in a number of steps: `t ← cos θ + w (t − cos θ)` with `w = min(i / steps, 1)` at training step `i`,
/// from 0. Where the other classes are weighed too, as in CurricularFace and circle loss, it is the same for them; with these
/// two, the host reads the count of steps at every step. Not with SphereFace's annealing, which brings the margin in itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarginWarmUp {
    /// Steps until the margin is whole, at least 1; 1000 unless given.
    pub steps: u64,
}

impl Default for MarginWarmUp {
    fn default() -> Self {
        Self { steps: 1000 }
    }
}

impl MarginWarmUp {
    /// `w` of a step, on the host.
    pub(super) fn share(&self, step: &Step) -> f64 {
        (step.number() as f64 / self.steps as f64).min(1.0)
    }

    /// The same on the device, `[1, 1]`.
    pub(super) fn column(&self, step: &Step, like: &Tensor<2>) -> Tensor<2> {
        step.column(like).div_scalar(self.steps as f64).clamp_max(1.0)
    }
}

/// How gradients pass the norm map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NormGradient {
    /// The derivative of the formula.
    #[default]
    Exact,
    /// None: `phi` counts as a constant, and only the direction of a feature learns from the loss.
    Detached,
}

impl NormGradient {
    pub(super) fn is_exact(&self) -> bool {
        *self == Self::Exact
    }
}

/// The cosine of a class of several centers.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum SubCenterPooling {
    /// The largest of those with its centers. From J. Deng et al., "Sub-center ArcFace", ECCV 2020.
    #[default]
    #[serde(deserialize_with = "crate::nothing::no_fields")]
    Largest,
    /// `Σ_k softmax_k(c_k / γ) c_k`. From Q. Qian et al., "SoftTriple Loss: Deep Metric Learning Without Triplet Sampling",
    /// ICCV 2019, arXiv 1909.05235. The loss is computed with the matrix of logits, whatever the path.
    Soft {
        /// `γ`, above 0; 0.1 in the paper.
        #[serde(default = "softness")]
        gamma: f64,
    },
}

fn softness() -> f64 {
    0.1
}

impl SubCenterPooling {
    pub(super) fn is_largest(&self) -> bool {
        *self == Self::Largest
    }
}

/// The version of the format of a configuration. What was written by an older version of this library is read for ever; what a
/// newer one wrote is refused, since it may mean something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct ConfigVersion(u32);

impl ConfigVersion {
    /// The version that this library writes.
    pub const CURRENT: Self = Self(1);
}

impl Default for ConfigVersion {
    fn default() -> Self {
        Self::CURRENT
    }
}

impl From<ConfigVersion> for u32 {
    fn from(version: ConfigVersion) -> Self {
        version.0
    }
}

impl TryFrom<u32> for ConfigVersion {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        let Self(known) = Self::CURRENT;
        match (1..=known).contains(&version) {
            // What is read is of the present form from there on.
            true => Ok(Self::CURRENT),
            false => Err(format!(
                "the configuration has the version {version}, and this cm-loss-core knows those up to {known}: it takes a \
                 newer one"
            )),
        }
    }
}
