//! The norm map `phi`: from the norm of a feature to the radius (scale) of its logits.
//!
//! To add one: a file with its parameters and formula, and a variant of [`NormMap`]. To use one of your own without
//! changing this crate: implement [`CustomNormMap`], and it is a [`NormMap::Custom`].
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
//! | [`MeanPreserving`] (ours) | `s · sigmoid(r) / mean sigmoid` | `(s/2, 2s)` | |
//! | [`VonMisesFisher`] (ours) | `s · r / (ν + √(ν² + r²))`, `ν = (D − 1)/2` | `[0, s)` | `s/(2ν)` |
//! | [`Clamp`] | `s · min(max(r, l), u)` | `[s·l, s·u]` | `s` |

mod calibrated;
mod clamp;
mod constant;
mod logarithm;
mod mean_preserving;
mod rational;
mod sigmoid;
mod tanh;
mod von_mises_fisher;

use burn::tensor::{Bool, Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::{Custom, CustomNormMap, Error, NormMoments, NormStatistics, custom};

pub use calibrated::CalibratedSigmoid;
pub use clamp::Clamp;
pub use constant::Constant;
pub use logarithm::Logarithm;
pub use mean_preserving::MeanPreserving;
pub use rational::Rational;
pub use sigmoid::SigmoidContraction;
pub use tanh::Tanh;
pub use von_mises_fisher::VonMisesFisher;

/// A choice of the norm map `phi`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NormMap {
    /// `phi(r) = r`: the logits of a linear layer with unit class centers and no bias.
    #[serde(deserialize_with = "crate::nothing::no_fields")]
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
    /// `phi(r) = s · sigmoid(r) / mean sigmoid`: ours, which cannot shorten all features at a gain.
    MeanPreserving(MeanPreserving),
    /// `phi(r) = s · r / (ν + √(ν² + r²))`: ours, which knows the dimension of the feature.
    VonMisesFisher(VonMisesFisher),
    /// One of your own.
    Custom(Custom<dyn CustomNormMap>),
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
    /// If the map needs statistics and gets none, or the dimension of the features and does not know it.
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
            Self::MeanPreserving(map) => map.forward(norms, needed(statistics)),
            Self::VonMisesFisher(map) => map.forward(norms),
            Self::Custom(map) => map.0.forward(norms),
        }
    }

    /// Radius of each row's logits in a batch that is trained on: as [`forward`](Self::forward), but for a map that looks at the
    /// whole batch.
    pub(crate) fn of_batch(
        &self,
        norms: Tensor<2>,
        ignored: Option<&Tensor<2, Bool>>,
        statistics: Option<&NormStatistics>,
    ) -> Tensor<2> {
        match self {
            Self::MeanPreserving(map) => map.of_batch(norms, ignored),
            _ => self.forward(norms, statistics),
        }
    }

    /// Lets the statistics that [`statistics`](Self::statistics) gave take in the norms `[batch, 1]` of a batch but those of
    /// `ignored` samples, `[batch, 1]`. What they are statistics of is the map's to say: of the norms, or of a function of them.
    pub fn update_statistics(
        &self,
        norms: &Tensor<2>,
        ignored: Option<&Tensor<2, Bool>>,
        statistics: &NormStatistics,
    ) {
        match self {
            Self::MeanPreserving(_) => MeanPreserving::take_in(norms, ignored, statistics),
            _ => statistics.update(norms, ignored),
        }
    }

    /// The map for features of so many dimensions, which a head sees to. Only [`VonMisesFisher`] asks for them.
    pub fn for_features(&self, feature_dim: usize) -> Self {
        match self {
            Self::VonMisesFisher(map) => Self::VonMisesFisher(map.for_features(feature_dim)),
            other => other.clone(),
        }
    }

    /// The statistics that this map keeps of the norms, if it keeps any.
    pub fn statistics(&self, device: &Device) -> Option<NormStatistics> {
        match self {
            Self::CalibratedSigmoid(map) => Some(map.statistics(device)),
            Self::MeanPreserving(map) => Some(map.statistics(device)),
            _ => None,
        }
    }

    /// `Ok` if statistics of this map can have such a mean.
    pub(crate) fn check_moments(&self, moments: &NormMoments) -> Result<(), Error> {
        match self {
            Self::MeanPreserving(_) => {
                // A sigmoid of a norm, and before the first batch 0.
                let valid = moments.mean == 0.0 || (0.5..=1.0).contains(&moments.mean);
                Error::check("running mean of the sigmoids", "from 0.5 to 1", moments.mean, valid)
            }
            _ => moments.check_mean("running mean of the norms"),
        }
    }

    /// Derivative `phi'(r)` as a share of its largest value, from 0 to 1; `None` for a map that never varies, and for one of your own.
    ///
    /// # Shapes
    ///
    /// As [`forward`](Self::forward).
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn relative_slope(&self, norms: Tensor<2>, statistics: Option<&NormStatistics>) -> Option<Tensor<2>> {
        Some(match self {
            Self::Identity => norms.ones_like(),
            Self::Constant(_) | Self::Custom(_) => return None,
            Self::Sigmoid(_) => SigmoidContraction::relative_slope(norms),
            Self::CalibratedSigmoid(_) => CalibratedSigmoid::relative_slope(norms, needed(statistics)),
            Self::Tanh(_) => Tanh::relative_slope(norms),
            Self::Rational(_) => Rational::relative_slope(norms),
            Self::Logarithm(_) => Logarithm::relative_slope(norms),
            Self::Clamp(map) => map.relative_slope(norms),
            Self::MeanPreserving(_) => MeanPreserving::relative_slope(norms),
            Self::VonMisesFisher(map) => map.relative_slope(norms),
        })
    }

    /// The scale, if the map has one.
    pub(crate) fn scale_mut(&mut self) -> Option<&mut f64> {
        match self {
            Self::Identity | Self::Custom(_) => None,
            Self::Constant(map) => Some(&mut map.scale),
            Self::Sigmoid(map) => Some(&mut map.scale),
            Self::CalibratedSigmoid(map) => Some(&mut map.scale),
            Self::Tanh(map) => Some(&mut map.scale),
            Self::Rational(map) => Some(&mut map.scale),
            Self::Logarithm(map) => Some(&mut map.scale),
            Self::Clamp(map) => Some(&mut map.scale),
            Self::MeanPreserving(map) => Some(&mut map.scale),
            Self::VonMisesFisher(map) => Some(&mut map.scale),
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
            Self::MeanPreserving(map) => Some(2.0 * map.scale),
            Self::VonMisesFisher(map) => Some(map.scale),
            Self::Custom(map) => map.0.largest_radius(),
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
            Self::MeanPreserving(map) => map.validate(),
            Self::VonMisesFisher(map) => map.validate(),
            Self::Custom(map) => custom::validate(map),
        }
    }
}

fn needed(statistics: Option<&NormStatistics>) -> &NormStatistics {
    let Some(statistics) = statistics else {
        panic!("this norm map needs the statistics that NormMap::statistics gives")
    };
    statistics
}
