//! The regulariser `g` of the feature norm, added to the loss of each sample.
//!
//! To add one: a file with its parameters and formula, and a variant of [`Regularizer`].

mod squared_norm;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::Error;

pub use squared_norm::SquaredNorm;

/// A choice of the regulariser `g`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Regularizer {
    /// `g = 0`.
    #[default]
    None,
    /// `g(r) = weight · r²`.
    SquaredNorm(SquaredNorm),
}

impl Regularizer {
    /// The penalty of each row, or `None` where there is none.
    ///
    /// # Shapes
    ///
    /// - norms: `[batch, 1]`
    /// - output: `[batch, 1]`
    pub fn forward(&self, norms: Tensor<2>) -> Option<Tensor<2>> {
        match self {
            Self::None => None,
            Self::SquaredNorm(regularizer) => Some(regularizer.forward(norms)),
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
        }
    }
}
