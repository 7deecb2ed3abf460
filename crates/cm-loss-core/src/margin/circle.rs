//! Circle loss.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{Shaped, others::Curve};
use crate::Error;

/// Similarities weighted by how far they are from where they should be:
///
/// ```text
/// t_y = [1 + m − cos θ_y]₊ (cos θ_y − (1 − m))        t_j = [cos θ_j + m]₊ (cos θ_j − m)
/// ```
///
/// The weights in brackets count as constants for the gradient, as in the paper; with the scale `γ` as constant norm map it is
/// the classification form of the loss, without pairs.
///
/// From Y. Sun et al., "Circle Loss: A Unified Perspective of Pair Similarity Optimization", CVPR 2020, arXiv 2002.10857,
/// whose values for faces are `m = 0.25`, `γ = 256`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CircleMargin {
    /// The relaxation `m`, above 0 and below 1.
    pub margin: f64,
}

impl Default for CircleMargin {
    /// As for faces.
    fn default() -> Self {
        Self { margin: 0.25 }
    }
}

impl CircleMargin {
    pub(super) fn shape(&self, cosines: &Tensor<2>) -> Shaped {
        let m = self.margin;
        let weight = cosines.clone().neg().add_scalar(1.0 + m).clamp_min(0.0);
        let value = weight.clone() * cosines.clone().sub_scalar(1.0 - m);
        Shaped { value, by_cosine: weight, by_norm: None }
    }

    /// The other classes' curve, and where it begins.
    pub(super) fn others(&self) -> (Curve, f64) {
        (Curve::circle(self.margin), -self.margin)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        let valid = self.margin > 0.0 && self.margin < 1.0;
        Error::check("margin of circle loss", "above 0 and below 1", self.margin, valid)
    }
}
