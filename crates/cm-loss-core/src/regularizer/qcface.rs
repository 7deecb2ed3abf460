//! QCFace's regularizer.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Pulls the norm to where the certainty of the sample says, and leaves its direction alone:
///
/// ```text
/// q(r) = k p (1/(r + ε) + r/u²) + (1 − p) (1/(r + ε) + r/l²)        g(r) = λ (q(r) − q(r*))
/// ```
///
/// with the target's probability `p` without margin, as a constant, and `ε = 0.001`. For `p = 1` the optimum `r*` is `u`,
/// for `p = 0` it is `l`; `k = (c²/l² − 1) / (1 − c²/u²)` puts it at `c = (l + u)/2` for `p = 1/2`. What is subtracted is the
/// least value but for `ε`, so that the penalty is about 0 at its best. With a constant norm map the loss itself knows nothing
/// of the norm: the gradients of norm and direction do not overlap.
///
/// From "QCFace: Image Quality Control for boosting Face Representation & Recognition", WACV 2026
/// (hpcc-hcmut/QCFace), with ArcFace (`s = 64`, `m = 0.5`, easy margin), `l = 1`, `u = 100`, `λ = 20`. Its authors switch the
/// penalty on after the direction has been learned: [`regularizer_from`](crate::MarginHeadConfig::regularizer_from).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QcFaceNorm {
    /// Weight `λ`, without unit, above 0.
    pub weight: f64,
    /// Norm `l` of a sample without any certainty, above 0.
    pub lower_norm: f64,
    /// Norm `u` of a certain sample, above `l`.
    pub upper_norm: f64,
}

/// `ε`
const EPSILON: f64 = 1e-3;

impl Default for QcFaceNorm {
    /// As its authors.
    fn default() -> Self {
        Self { weight: 20.0, lower_norm: 1.0, upper_norm: 100.0 }
    }
}

impl QcFaceNorm {
    /// `k`
    pub fn balance(&self) -> f64 {
        let middle = ((self.lower_norm + self.upper_norm) / 2.0).powi(2);
        (middle / self.lower_norm.powi(2) - 1.0) / (1.0 - middle / self.upper_norm.powi(2))
    }

    /// `q`, for norms and certainties `[batch, 1]`.
    fn penalty(&self, norms: Tensor<2>, certainty: &Tensor<2>) -> Tensor<2> {
        let inverse = norms.clone().add_scalar(EPSILON).recip();
        let pulled = |limit: f64| inverse.clone() + norms.clone().div_scalar(limit.powi(2));
        let doubt = certainty.clone().neg().add_scalar(1.0);
        pulled(self.upper_norm) * certainty.clone().mul_scalar(self.balance())
            + pulled(self.lower_norm) * doubt
    }

    pub(super) fn forward(&self, norms: Tensor<2>, certainty: &Tensor<2>) -> Tensor<2> {
        let certainty = certainty.clone().detach();
        let k = self.balance();
        let (upper, lower) = (self.upper_norm.powi(-2), self.lower_norm.powi(-2));
        let above = certainty.clone().mul_scalar(k - 1.0).add_scalar(1.0);
        let below = certainty.clone().mul_scalar(k * upper - lower).add_scalar(lower + EPSILON);
        let best = self.penalty((above / below).sqrt(), &certainty);
        (self.penalty(norms, &certainty) - best).mul_scalar(self.weight)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        Error::check_positive("weight of the QCFace regularizer", self.weight)?;
        let valid = self.lower_norm > 0.0 && self.lower_norm < self.upper_norm && self.upper_norm.is_finite();
        let allowed = "above 0 and below the finite upper norm";
        Error::check("lower norm of the QCFace regularizer", allowed, self.lower_norm, valid)
    }
}
