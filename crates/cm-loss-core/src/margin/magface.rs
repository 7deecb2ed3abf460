//! The margin of MagFace, which grows with the feature norm.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{AngularOverflow, MarginForm, Shaped, margin_of, validate_form};
use crate::{Error, norm::indicator};

/// A margin that grows linearly with the norm `r`, from `m_l` at `r = l` to `m_u` at `r = u`, and stays there outside:
///
/// ```text
/// a = min(max(r, l), u)        m(r) = (m_u − m_l) / (u − l) · (a − l) + m_l
/// ```
///
/// The gradient flows through `m(r)`. It belongs with [`MagFaceNorm`](crate::regularizer::MagFaceNorm), which pulls the
/// norm of easy samples up.
///
/// From Q. Meng et al., "MagFace: A Universal Representation for Face Recognition and Quality Assessment", CVPR 2021,
/// arXiv 2103.06627.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MagFaceMargin {
    /// Norm `l` of the least margin, above 0.
    pub lower_norm: f64,
    /// Norm `u` of the largest margin, above `l`.
    pub upper_norm: f64,
    /// Least margin `m_l`: radians, or a difference of cosines.
    pub lower_margin: f64,
    /// Largest margin `m_u`, at least `m_l`.
    pub upper_margin: f64,
    /// Where it enters.
    pub form: MarginForm,
    /// What happens past π in the angular form; its authors' code has [`AngularOverflow::Easy`].
    pub overflow: AngularOverflow,
}

impl Default for MagFaceMargin {
    /// As its authors.
    fn default() -> Self {
        Self {
            lower_norm: 10.0,
            upper_norm: 110.0,
            lower_margin: 0.45,
            upper_margin: 0.8,
            form: MarginForm::Angular,
            overflow: AngularOverflow::Easy,
        }
    }
}

impl MagFaceMargin {
    /// `(m_u − m_l) / (u − l)`.
    pub fn slope(&self) -> f64 {
        (self.upper_margin - self.lower_margin) / (self.upper_norm - self.lower_norm)
    }

    /// Least weight of [`MagFaceNorm`](crate::regularizer::MagFaceNorm) for which the norm has an optimum inside
    /// `(l, u)`: `s k u² l² / (u² − l²)` with the radius `s` and the slope `k` of the margin.
    pub fn least_regularizer_weight(&self, scale: f64) -> f64 {
        let (l, u) = (self.lower_norm.powi(2), self.upper_norm.powi(2));
        scale * self.slope() * u * l / (u - l)
    }

    pub(super) fn shape(&self, cosines: &Tensor<2>, norms: &Tensor<2>) -> Shaped {
        let held = norms.clone().clamp(self.lower_norm, self.upper_norm);
        let slope = self.slope();
        let margins = held.sub_scalar(self.lower_norm).mul_scalar(slope).add_scalar(self.lower_margin);
        let inside = indicator(norms.clone().greater_scalar(self.lower_norm), norms.dtype())
            * indicator(norms.clone().lower_scalar(self.upper_norm), norms.dtype());
        let (shaped, by_margin) = margin_of(self.form, self.overflow, cosines, margins);
        Shaped { by_norm: Some((by_margin * inside).mul_scalar(slope)), ..shaped }
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        let norms = self.lower_norm > 0.0 && self.lower_norm < self.upper_norm && self.upper_norm.is_finite();
        let allowed = "above 0 and below the finite upper norm";
        Error::check("lower norm of the MagFace margin", allowed, self.lower_norm, norms)?;
        let allowed = "at least the lower margin";
        let rises = self.upper_margin >= self.lower_margin;
        Error::check("upper margin of MagFace", allowed, self.upper_margin, rises)?;
        validate_form(self.form, "lower margin of MagFace", self.lower_margin)?;
        validate_form(self.form, "upper margin of MagFace", self.upper_margin)
    }
}
