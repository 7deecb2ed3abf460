//! What a head remembers, to read, keep and set.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::MarginHead;
use crate::{Error, Margin, NormMap, NormMoments, NormStatistics, steps::Steps};

/// What a head remembers of its training beside its parameters, as numbers. A part that the head does not have is `None`.
///
/// A record of the head holds all of it; this is for looking at it, and for carrying it into a head of another make.
/// **Clones of a head share what they remember**, on whatever device they are, as they share the running statistics of
/// Burn's batch norm. In a training on several devices every batch of every worker moves it once, in the order of arrival.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HeadState {
    /// `μ` and `τ` of a norm map that follows the norms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norm_map: Option<NormMoments>,
    /// `μ` and `σ` of a margin that follows the norms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<NormMoments>,
    /// Mean and deviation of FunFace's certainty ratio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certainty: Option<NormMoments>,
    /// The `c` of CurricularFace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curriculum: Option<f64>,
    /// Steps trained, where something in the head depends on them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
}

impl MarginHead {
    pub(super) fn memory(&self) -> HeadState {
        let margin = &self.margin_state;
        HeadState {
            norm_map: self.radius.statistics().map(NormStatistics::moments),
            margin: margin.norm_statistics.as_ref().map(NormStatistics::moments),
            certainty: margin.certainty.as_ref().map(NormStatistics::moments),
            curriculum: margin.curriculum.as_ref().map(|state| f64::from(state.read()[0])),
            steps: self.steps.as_ref().map(Steps::count),
        }
    }

    pub(super) fn set_memory(&self, state: &HeadState) {
        replace(self.radius.statistics(), &state.norm_map);
        replace(self.margin_state.norm_statistics.as_ref(), &state.margin);
        replace(self.margin_state.certainty.as_ref(), &state.certainty);
        if let (Some(curriculum), Some(value)) = (&self.margin_state.curriculum, state.curriculum) {
            curriculum.set(vec![value as f32]);
        }
        if let (Some(steps), Some(count)) = (&self.steps, state.steps) {
            steps.set(count);
        }
    }

    /// The margins that [`ElasticMargin`](crate::margin::ElasticMargin) draws in the coming step for a batch of this size,
    /// before they are sorted; `None` for another margin.
    pub fn coming_margins(&self, batch: usize) -> Option<Vec<f32>> {
        let (Margin::Elastic(margin), Some(steps)) = (&self.config.margin, &self.steps) else { return None };
        Some(margin.drawn(batch, &steps.coming(&self.class_centers.val())))
    }

    /// The centers of [`CenterLoss`](crate::regularizer::CenterLoss), `[classes, feature_dim]`; `None` without it. They are
    /// not the class centers.
    pub fn feature_centers(&self) -> Option<Tensor<2>> {
        self.feature_centers.as_ref().map(|centers| centers.centers.value(&self.class_centers.val()))
    }
}

/// Statistics that the head has, by moments that are given and possible.
pub(super) fn replace(statistics: Option<&NormStatistics>, moments: &Option<NormMoments>) {
    if let (Some(statistics), Some(moments)) = (statistics, moments) {
        statistics.replace(moments);
    }
}

/// `Ok` if the means are possible: of norms, of what a norm map keeps in their place, of ratios.
pub(super) fn check_norms(state: &HeadState, norm_map: Option<&NormMap>) -> Result<(), Error> {
    if let (Some(moments), Some(norm_map)) = (&state.norm_map, norm_map) {
        norm_map.check_moments(moments)?;
    }
    if let Some(moments) = &state.margin {
        moments.check_mean("running mean of the norms")?;
    }
    state
        .certainty
        .as_ref()
        .map_or(Ok(()), |moments| moments.check_mean("running mean of the certainty ratio"))
}

/// `Ok` if every part is one of `those` that a head has, with possible numbers.
pub(super) fn check_parts(state: &HeadState, those: &HeadState) -> Result<(), Error> {
    let parts = [
        ("running norms of the norm map", state.norm_map.is_some(), those.norm_map.is_some()),
        ("running norms of the margin", state.margin.is_some(), those.margin.is_some()),
        ("certainty ratio", state.certainty.is_some(), those.certainty.is_some()),
        ("curriculum", state.curriculum.is_some(), those.curriculum.is_some()),
        ("count of steps", state.steps.is_some(), those.steps.is_some()),
    ];
    for (what, given, has) in parts {
        if given && !has {
            return Err(Error::NoSuchState { what });
        }
    }
    for moments in [&state.norm_map, &state.margin, &state.certainty].into_iter().flatten() {
        moments.validate()?;
    }
    state.curriculum.map_or(Ok(()), |value| {
        Error::check("curriculum", "from -1 to 1, a mean of cosines", value, (-1.0..=1.0).contains(&value))
    })
}
