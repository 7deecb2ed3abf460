//! The norm map `phi`: from the norm of a feature to the radius (scale) of its logits.
//!
//! To add one: a file with its parameters and formula, and a variant of [`NormMap`]. To use one of your own without
//! changing this crate: implement [`CustomNormMap`] and give it to
//! [`MarginHead::with_norm_map`](crate::MarginHead::with_norm_map).
//!
//! | map | `phi(r)` | range | Lipschitz constant |
//! |---|---|---|---|
//! | [`NormMap::Identity`] | `r` | `[0, ∞)` | 1 |
//! | [`Constant`] | `s` | `{s}` | 0 |
//! | [`SigmoidContraction`] | `s · sigmoid(r)` | `[s/2, s)` | `s/4` |
//! | [`CalibratedSigmoid`] (ours) | `s (f + (1 − f) sigmoid((r − μ) / τ))` | `(f s, s)` | `(1 − f) s/(4τ)` |
//! | [`Tanh`] | `s · tanh(r)` | `[0, s)` | `s` |
//! | [`Rational`] | `s · r / (1 + r)` | `[0, s)` | `s` |
//! | [`Logarithm`] | `s · ln(1 + r)` | `[0, ∞)` | `s` |
//! | [`Clamp`] | `s · min(max(r, l), u)` | `[s·l, s·u]` | `s` |

mod calibrated;
mod clamp;
mod constant;
mod logarithm;
mod rational;
mod sigmoid;
mod tanh;

use std::fmt::Debug;

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::{Error, NormStatistics};

pub use calibrated::CalibratedSigmoid;
pub use clamp::Clamp;
pub use constant::Constant;
pub use logarithm::Logarithm;
pub use rational::Rational;
pub use sigmoid::SigmoidContraction;
pub use tanh::Tanh;

/// A choice of the norm map `phi`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NormMap {
    /// `phi(r) = r`: the logits of a linear layer with unit class centers and no bias.
    Identity,
    /// `phi(r) = s`.
    Constant(Constant),
    /// `phi(r) = s · sigmoid(r)`: the method.
    Sigmoid(SigmoidContraction),
    /// `phi(r) = s (f + (1 − f) · sigmoid((r − μ) / τ))`: our variant, which follows the norms.
    CalibratedSigmoid(CalibratedSigmoid),
    /// `phi(r) = s · tanh(r)`.
    Tanh(Tanh),
    /// `phi(r) = s · r / (1 + r)`.
    Rational(Rational),
    /// `phi(r) = s · ln(1 + r)`.
    Logarithm(Logarithm),
    /// `phi(r) = s · min(max(r, l), u)`.
    Clamp(Clamp),
}

/// A norm map of your own.
pub trait CustomNormMap: Debug + Send + Sync {
    /// Radius of each row's logits, differentiable by the norms.
    ///
    /// # Shapes
    ///
    /// - norms: `[batch, 1]`, not negative
    /// - output: `[batch, 1]`
    fn forward(&self, norms: Tensor<2>) -> Tensor<2>;
}

impl NormMap {
    /// Radius of each row's logits.
    ///
    /// # Shapes
    ///
    /// - norms: `[batch, 1]`, not negative
    /// - statistics: those that [`statistics`](Self::statistics) gave, if it gave any
    /// - output: `[batch, 1]`
    ///
    /// # Panics
    ///
    /// If the map needs statistics and gets none.
    pub fn forward(&self, norms: Tensor<2>, statistics: Option<&NormStatistics>) -> Tensor<2> {
        match self {
            Self::Identity => norms,
            Self::Constant(map) => map.forward(norms),
            Self::Sigmoid(map) => map.forward(norms),
            Self::CalibratedSigmoid(map) => map.forward(norms, needed(statistics)),
            Self::Tanh(map) => map.forward(norms),
            Self::Rational(map) => map.forward(norms),
            Self::Logarithm(map) => map.forward(norms),
            Self::Clamp(map) => map.forward(norms),
        }
    }

    /// The statistics that this map keeps of the norms, if it keeps any.
    pub fn statistics(&self, device: &Device) -> Option<NormStatistics> {
        match self {
            Self::CalibratedSigmoid(map) => Some(map.statistics(device)),
            _ => None,
        }
    }

    /// Derivative `phi'(r)` as a share of its largest value, from 0 to 1; `None` for a map that never varies.
    ///
    /// # Shapes
    ///
    /// As [`forward`](Self::forward).
    ///
    /// # Panics
    ///
    /// If the map needs statistics and gets none.
    pub fn relative_slope(&self, norms: Tensor<2>, statistics: Option<&NormStatistics>) -> Option<Tensor<2>> {
        Some(match self {
            Self::Identity => norms.ones_like(),
            Self::Constant(_) => return None,
            Self::Sigmoid(_) => SigmoidContraction::relative_slope(norms),
            Self::CalibratedSigmoid(_) => CalibratedSigmoid::relative_slope(norms, needed(statistics)),
            Self::Tanh(_) => Tanh::relative_slope(norms),
            Self::Rational(_) => Rational::relative_slope(norms),
            Self::Logarithm(_) => Logarithm::relative_slope(norms),
            Self::Clamp(map) => map.relative_slope(norms),
        })
    }

    /// The scale, if the map has one.
    pub(crate) fn scale_mut(&mut self) -> Option<&mut f64> {
        match self {
            Self::Identity => None,
            Self::Constant(map) => Some(&mut map.scale),
            Self::Sigmoid(map) => Some(&mut map.scale),
            Self::CalibratedSigmoid(map) => Some(&mut map.scale),
            Self::Tanh(map) => Some(&mut map.scale),
            Self::Rational(map) => Some(&mut map.scale),
            Self::Logarithm(map) => Some(&mut map.scale),
            Self::Clamp(map) => Some(&mut map.scale),
        }
    }

    /// What the radius never exceeds; `None` for a map without a bound.
    pub fn largest_radius(&self) -> Option<f64> {
        match self {
            Self::Identity | Self::Logarithm(_) => None,
            Self::Constant(map) => Some(map.scale),
            Self::Sigmoid(map) => Some(map.scale),
            Self::CalibratedSigmoid(map) => Some(map.scale),
            Self::Tanh(map) => Some(map.scale),
            Self::Rational(map) => Some(map.scale),
            Self::Clamp(map) => Some(map.scale * map.upper),
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
            Self::CalibratedSigmoid(map) => map.validate(),
            Self::Tanh(map) => map.validate(),
            Self::Rational(map) => map.validate(),
            Self::Logarithm(map) => map.validate(),
            Self::Clamp(map) => map.validate(),
        }
    }
}

fn needed(statistics: Option<&NormStatistics>) -> &NormStatistics {
    let Some(statistics) = statistics else {
        panic!("this norm map needs the statistics that NormMap::statistics gives")
    };
    statistics
}
