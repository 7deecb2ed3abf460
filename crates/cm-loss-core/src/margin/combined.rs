//! Multiplicative, angular and cosine margin in one.

use std::f64::consts::PI;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{
    Shaped,
    angle::{angle, is_noise, sine},
    angular::check_angle,
};
use crate::Error;

/// What `cos φ` becomes past `φ = π`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Extension {
    /// `(−1)^k cos φ − 2k` with `k = ⌊φ / π⌋`, which goes on falling.
    Monotone,
    /// `cos φ`, which rises again.
    Plain,
}

/// `t = cos(m1 θ + m2) − m3` for the target class.
///
/// From J. Deng et al., ArcFace, CVPR 2019, arXiv 1801.07698, equation 4. All three terms count whatever the others
/// are. In insightface's `CombinedMarginLoss` they do not; see [`CombinedMargin::as_in_insightface`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CombinedMargin {
    /// `m1`, the factor of the angle, at least 1.
    pub multiplicative: f64,
    /// `m2` in radians, from 0 up to (not including) π/2.
    pub angular: f64,
    /// `m3`, a difference of cosines, from 0 up to (not including) 2.
    pub cosine: f64,
    /// What happens past `m1 θ + m2 = π`.
    pub extension: Extension,
}

impl Default for CombinedMargin {
    /// As the paper.
    fn default() -> Self {
        Self { multiplicative: 1.0, angular: 0.3, cosine: 0.2, extension: Extension::Plain }
    }
}

impl CombinedMargin {
    /// The margins `(m1, m2, m3)` of an insightface configuration.
    ///
    /// # Errors
    ///
    /// [`Error::MarginIgnored`] for what insightface accepts and then leaves out, or fails at: there `m3 > 0` means
    /// CosFace whatever `m1` and `m2` are, and `m1 ≠ 1` is not computed at all.
    pub fn as_in_insightface(m1: f64, m2: f64, m3: f64) -> Result<Self, Error> {
        let ignored = match (m1, m2, m3) {
            (m1, _, m3) if m3 > 0.0 && m1 != 1.0 => Some(("m1", m1)),
            (_, m2, m3) if m3 > 0.0 && m2 != 0.0 => Some(("m2", m2)),
            (m1, _, _) if m1 != 1.0 => Some(("m1", m1)),
            _ => None,
        };
        match ignored {
            Some((term, value)) => Err(Error::MarginIgnored { term, value }),
            None => Ok(Self { multiplicative: m1, angular: m2, cosine: m3, extension: Extension::Plain }),
        }
    }

    pub(super) fn shape(&self, cosines: &Tensor<2>) -> Shaped {
        let shaped = shape(cosines, self.multiplicative, self.angular, self.extension);
        Shaped { value: shaped.value.sub_scalar(self.cosine), ..shaped }
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        let (m1, m3) = (self.multiplicative, self.cosine);
        let valid = m1 >= 1.0 && m1.is_finite();
        Error::check("m1 of the combined margin", "a finite factor of at least 1", m1, valid)?;
        check_angle("m2 of the combined margin", self.angular)?;
        Error::check_cosine_margin("m3 of the combined margin", m3)
    }
}

/// `cos(m1 θ + m2)`, continued past π as asked for.
pub(super) fn shape(cosines: &Tensor<2>, m1: f64, m2: f64, extension: Extension) -> Shaped {
    let phi = angle(cosines).mul_scalar(m1).add_scalar(m2);
    let turns = match extension {
        Extension::Monotone => phi.clone().div_scalar(PI).floor(),
        Extension::Plain => phi.zeros_like(),
    };
    // (−1)^k
    let odd = turns.clone() - turns.clone().div_scalar(2.0).floor().mul_scalar(2.0);
    let sign = odd.mul_scalar(-2.0).add_scalar(1.0);
    let value = sign.clone() * phi.clone().cos() - turns.mul_scalar(2.0);
    // d/d cos θ = m1 sin φ / sin θ, whose limit at θ = 0 is m1² for m2 = 0. A further angle makes it infinite
    // there; that part is left out.
    let slope = (phi.sin() / sine(cosines)).mul_scalar(m1);
    let by_cosine = (sign * slope).mask_fill(is_noise(cosines), m1 * m1 * m2.cos());
    Shaped { value, by_cosine, by_norm: None }
}
