//! The margin `t`: makes the target's cosine smaller while training, so that classes move apart.
//!
//! To add one: a file with its parameters and formula, and a variant of [`Margin`].

mod angular;
mod cosine;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::Error;

pub use angular::{AngularMargin, AngularOverflow};
pub use cosine::CosineMargin;

/// A choice of the margin `t`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Margin {
    /// `t = cos θ`.
    None,
    /// `t = cos θ − m`.
    Cosine(CosineMargin),
    /// `t = cos(θ + m)`.
    Angular(AngularMargin),
}

impl Margin {
    /// Whether training logits are inference logits.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The target's cosine with its margin.
    ///
    /// # Shapes
    ///
    /// - cosines: `[batch, 1]`, the cosine of each row with the centre of its own class
    /// - norms: `[batch, 1]`, the feature norms, for margins that depend on them
    /// - output: `[batch, 1]`
    pub fn forward(&self, cosines: Tensor<2>, _norms: &Tensor<2>) -> Tensor<2> {
        match self {
            Self::None => cosines,
            Self::Cosine(margin) => margin.forward(cosines),
            Self::Angular(margin) => margin.forward(cosines),
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
            Self::Cosine(margin) => margin.validate(),
            Self::Angular(margin) => margin.validate(),
        }
    }
}
