//! The random margins of ElasticFace.

use burn::tensor::{Distribution, Tensor};
use serde::{Deserialize, Serialize};

use super::{
    Shaped,
    angular::{self, AngularOverflow},
};
use crate::Error;

/// Where the margin of [`ElasticMargin`] enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ElasticForm {
    /// ElasticFace-Arc: `t = cos(θ + m)`.
    Angular,
    /// ElasticFace-Cos: `t = cos θ − m`.
    Cosine,
}

/// A margin drawn for each sample: `m ~ N(mean, deviation²)`.
///
/// While it trains (on a device with automatic differentiation) the margins come from the device's random numbers,
/// which `device.seed` makes repeatable; otherwise every margin is the mean.
///
/// From F. Boutros et al., "ElasticFace: Elastic Margin Loss for Deep Face Recognition", CVPR Workshops 2022,
/// arXiv 2109.09416.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ElasticMargin {
    /// Mean margin: radians, or a difference of cosines.
    pub mean: f64,
    /// Standard deviation of the margin, above 0.
    pub deviation: f64,
    /// Where it enters.
    pub form: ElasticForm,
    /// The "+" variant: of the margins drawn for a batch, the sample with the smallest target cosine gets the largest.
    pub sorted: bool,
}

impl ElasticMargin {
    pub(super) fn shape(&self, cosines: &Tensor<2>, training: bool) -> Shaped {
        let margins = match training {
            true => self.drawn(cosines),
            false => cosines.full_like(self.mean),
        };
        match self.form {
            ElasticForm::Angular => angular::shape(cosines, margins, AngularOverflow::Plain).0,
            ElasticForm::Cosine => Shaped::with_slope_one(cosines.clone() - margins),
        }
    }

    fn drawn(&self, cosines: &Tensor<2>) -> Tensor<2> {
        let distribution = Distribution::Normal(self.mean, self.deviation);
        let drawn = Tensor::random(cosines.dims(), distribution, &cosines.device());
        if !self.sorted {
            return drawn;
        }
        // The rank of a sample from the largest cosine down is the place of its margin from the smallest up.
        let rank = cosines.clone().argsort_descending(0).argsort(0);
        drawn.sort(0).gather(0, rank)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        let valid = self.mean >= 0.0 && self.mean < 2.0;
        Error::check("mean margin of ElasticFace", "at least 0 and below 2", self.mean, valid)?;
        Error::check_positive("deviation of the ElasticFace margin", self.deviation)
    }
}
