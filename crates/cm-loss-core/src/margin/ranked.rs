//! A margin by the rank of the feature norm in its batch.

use burn::tensor::{FloatDType, Tensor};
use serde::{Deserialize, Serialize};

use super::{AngularOverflow, MarginForm, Shaped, margin_of, validate_form};
use crate::{Error, targets::Targets};

/// A margin by the rank `ρ_i` of the norm among those of the batch, from 0 for the shortest feature to 1 for the longest:
///
/// ```text
/// m_i = m (1 + d (1/2 − ρ_i))
/// ```
///
/// With `d = 1` the shortest feature gets `1.5 m` and the longest `0.5 m`; with a negative `d` it is the other way round.
/// **Ours.** It follows the order of the norms and not their size, so that no statistics are kept, and nothing is gained by
/// making all features shorter. Outside training, and in a batch of one sample, every margin is `m`. No gradient flows
/// through the rank; ignored samples have none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RankedMargin {
    /// Mean margin `m`: radians, or a difference of cosines.
    pub margin: f64,
    /// `d`, from −2 to 2, so that no margin is negative.
    pub difference: f64,
    /// Where it enters.
    pub form: MarginForm,
}

impl Default for RankedMargin {
    fn default() -> Self {
        Self { margin: 0.4, difference: 1.0, form: MarginForm::Cosine }
    }
}

impl RankedMargin {
    pub(super) fn shape(
        &self,
        cosines: &Tensor<2>,
        norms: &Tensor<2>,
        targets: &Targets,
        training: bool,
    ) -> Shaped {
        let [batch, _] = cosines.dims();
        let margins = match training && batch > 0 {
            true => {
                let from_middle = Self::ranks(norms, targets).neg().add_scalar(0.5);
                from_middle.mul_scalar(self.difference * self.margin).add_scalar(self.margin)
            }
            false => cosines.full_like(self.margin),
        };
        margin_of(self.form, AngularOverflow::MonotoneTail, cosines, margins).0
    }

    /// From 0 to 1, `[batch, 1]`; 1/2 for the only sample that counts, and for those that do not.
    fn ranks(norms: &Tensor<2>, targets: &Targets) -> Tensor<2> {
        let norms = norms.clone().detach();
        let last = targets.with_ignored(norms.clone(), f32::INFINITY);
        let places = last.argsort(0).argsort(0).cast(FloatDType::F32).cast(norms.dtype());
        let counted = targets.counting(norms.ones_like());
        let count = counted.clone().sum_dim(0);
        let ranks = places / count.clone().sub_scalar(1.0).clamp_min(1.0);
        let alone = count.lower_scalar(2.0).expand(norms.dims());
        ranks.mask_fill(alone.bool_or(counted.lower_scalar(0.5)), 0.5)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        let difference = self.difference;
        let valid = (-2.0..=2.0).contains(&difference);
        Error::check("difference of the ranked margins", "from -2 to 2", difference, valid)?;
        let largest = self.margin * (1.0 + difference.abs() / 2.0);
        validate_form(self.form, "mean ranked margin", self.margin)?;
        validate_form(self.form, "largest ranked margin", largest)
    }
}
