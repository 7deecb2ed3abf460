//! Penalties that are added to the loss of each sample.
//!
//! [`Regularizer`] is the `g(r)` of the feature norm; to add one: a file with its parameters and formula, and a variant.
//! [`CenterLoss`] looks at the whole feature and [`CenterSpread`] at the class centers; they go with any of them.

mod center_loss;
mod magface;
mod qcface;
mod ring;
mod spread;
mod squared_norm;

use burn::{
    module::Param,
    tensor::{Device, Tensor},
};
use serde::{Deserialize, Serialize};

use crate::Error;

pub use center_loss::CenterLoss;
pub(crate) use center_loss::FeatureCenters;
pub use magface::MagFaceNorm;
pub use qcface::QcFaceNorm;
pub use ring::Ring;
pub use spread::CenterSpread;
pub use squared_norm::SquaredNorm;

/// A choice of the regularizer `g`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Regularizer {
    /// `g = 0`.
    #[default]
    #[serde(deserialize_with = "crate::nothing::no_fields")]
    None,
    /// `g(r) = weight · r²`.
    SquaredNorm(SquaredNorm),
    /// `g(r) = (λ / 2) (r − R)²` with a learned `R`.
    Ring(Ring),
    /// `g(r) = λ (a / u² + 1 / a)`, `a = min(max(r, l), u)`.
    MagFace(MagFaceNorm),
    /// `g(r, p) = λ (q(r) − q(r*))`, which pulls the norm to where the certainty `p` says.
    QcFace(QcFaceNorm),
}

impl Regularizer {
    /// The radius `R` to learn, `[1]`, if this regularizer learns one.
    pub fn radius(&self, device: &Device) -> Option<Param<Tensor<1>>> {
        match self {
            Self::Ring(ring) => Some(Param::from_tensor(Tensor::from_data([ring.radius as f32], device))),
            _ => None,
        }
    }

    /// The penalty of each row, or `None` where there is none.
    ///
    /// # Shapes
    ///
    /// - norms: `[batch, 1]`
    /// - radius: what [`radius`](Self::radius) gave
    /// - certainty: the target's probability without margin, `[batch, 1]`; only QCFace looks at it
    /// - output: `[batch, 1]`
    ///
    /// # Panics
    ///
    /// If the regularizer learns a radius and gets none.
    pub fn forward(
        &self,
        norms: Tensor<2>,
        radius: Option<Tensor<1>>,
        certainty: impl FnOnce() -> Tensor<2>,
    ) -> Option<Tensor<2>> {
        match self {
            Self::None => None,
            Self::SquaredNorm(regularizer) => Some(regularizer.forward(norms)),
            Self::Ring(ring) => {
                let Some(radius) = radius else { panic!("ring loss needs the radius that it learns") };
                Some(ring.forward(norms, radius))
            }
            Self::MagFace(regularizer) => Some(regularizer.forward(norms)),
            Self::QcFace(regularizer) => Some(regularizer.forward(norms, &certainty())),
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for a parameter outside what the formula allows.
    pub fn validate(&self) -> Result<(), Error> {
        match self {
            Self::None => Ok(()),
            Self::SquaredNorm(regularizer) => regularizer.validate(),
            Self::Ring(regularizer) => regularizer.validate(),
            Self::MagFace(regularizer) => regularizer.validate(),
            Self::QcFace(regularizer) => regularizer.validate(),
        }
    }
}
