//! The norm map `phi`: from the norm of a feature to the radius (scale) of its logits.
//!
//! To add one: a file with its parameters and formula, and a variant of [`NormMap`].

mod constant;
mod sigmoid;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::Error;

pub use constant::Constant;
pub use sigmoid::SigmoidContraction;

/// A choice of the norm map `phi`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NormMap {
    /// `phi(r) = r`: the logits of a linear layer with unit class centres and no bias.
    Identity,
    /// `phi(r) = s`.
    Constant(Constant),
    /// `phi(r) = s · sigmoid(r)`.
    Sigmoid(SigmoidContraction),
}

impl NormMap {
    /// Radius of each row's logits.
    ///
    /// # Shapes
    ///
    /// - norms: `[batch, 1]`, not negative
    /// - output: `[batch, 1]`
    pub fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Identity => norms,
            Self::Constant(map) => map.forward(norms),
            Self::Sigmoid(map) => map.forward(norms),
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] for a parameter outside what the formula allows.
    pub fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Identity => Ok(()),
            Self::Constant(map) => map.validate(),
            Self::Sigmoid(map) => map.validate(),
        }
    }
}
