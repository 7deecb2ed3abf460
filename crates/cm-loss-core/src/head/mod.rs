//! Heads: features and targets in, losses and logits out.

mod builders;
mod centers;
mod choices;
mod linear_head;
mod margin_checks;
mod margin_config;
mod margin_head;
mod margin_pass;
mod outliers;
mod output;
mod partial;
mod proxy_head;
mod radius;
mod sampling;
mod saturation;
mod shared;
mod sphereface2;
mod state;
mod top_k;
mod warning;

use std::ops::Range;

use burn::{
    module::Module,
    tensor::{Device, Int, Tensor},
};
use serde::{Deserialize, Serialize};

use crate::{Error, LossOptions, NormMap};
use shared::Parts;

pub use choices::{ConfigVersion, MarginPlace, MarginWarmUp, NormGradient, SubCenterPooling};
pub use linear_head::{LinearHead, LinearHeadConfig};
pub use margin_config::MarginHeadConfig;
pub use margin_head::MarginHead;
pub use outliers::SubCenterOutliers;
pub use output::{HeadOutput, LossOutput, SampledLogits};
pub use partial::{PartialHead, PartialStep, RowSgd};
pub use proxy_head::{ProxyHead, ProxyHeadConfig, ProxyLoss};
pub use sampling::ClassSampling;
pub use saturation::Saturation;
pub use sphereface2::{FirstBias, SphereFace2Config, SphereFace2Head};
pub use state::HeadState;
pub use top_k::TopK;
pub use warning::Warning;

/// Which head, and which parts in it: a loss as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "head", rename_all = "kebab-case")]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "a program has few of them, and a box would be in the way of everybody"
)]
pub enum HeadConfig {
    /// A linear layer with bias, and softmax.
    Linear(LinearHeadConfig),
    /// Class centers, a norm map, a margin and a regularizer.
    Margin(MarginHeadConfig),
    /// Class centers, and each class against all others.
    SphereFace2(SphereFace2Config),
    /// Class centers, and a loss on the cosines with them that is no softmax.
    Proxy(ProxyHeadConfig),
}

impl HeadConfig {
    /// A head for features of `feature_dim` dimensions and `classes` classes, with random weights.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] where there is no feature, no class, or a part has a parameter outside what its
    /// formula allows; further errors of the parts.
    pub fn init(&self, feature_dim: usize, classes: usize, device: &Device) -> Result<Head, Error> {
        Ok(match self {
            Self::Linear(config) => Head::Linear(config.init(feature_dim, classes, device)?),
            Self::Margin(config) => Head::Margin(config.init(feature_dim, classes, device)?),
            Self::SphereFace2(config) => Head::SphereFace2(config.init(feature_dim, classes, device)?),
            Self::Proxy(config) => Head::Proxy(config.init(feature_dim, classes, device)?),
        })
    }

    /// Checks every number, and that the parts suit each other.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] and further errors of the parts.
    pub fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Linear(config) => config.options.validate(),
            Self::Margin(config) => config.validate(),
            Self::SphereFace2(config) => config.validate(),
            Self::Proxy(config) => config.validate(),
        }
    }

    /// What is done with the loss of each sample: class weights, label smoothing and the like.
    pub fn options(&self) -> &LossOptions {
        match self {
            Self::Linear(config) => &config.options,
            Self::Margin(config) => &config.options,
            Self::SphereFace2(config) => &config.options,
            Self::Proxy(config) => &config.options,
        }
    }
}

fn check_size(feature_dim: usize, classes: usize) -> Result<(), Error> {
    Error::check("number of feature dimensions", "at least 1", feature_dim as f64, feature_dim > 0)?;
    Error::check("number of classes", "at least 1", classes as f64, classes > 0)
}

/// A head of any kind.
#[derive(Module, Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "a network has one head, and a box is no module")]
pub enum Head {
    /// A linear layer with bias, and softmax.
    Linear(LinearHead),
    /// Class centers, a norm map, a margin and a regularizer.
    Margin(MarginHead),
    /// Class centers, and each class against all others.
    SphereFace2(SphereFace2Head),
    /// Class centers, and a loss on the cosines with them that is no softmax.
    Proxy(ProxyHead),
}

/// The same of every kind of head.
macro_rules! of_each {
    ($self:expr, $head:ident => $value:expr) => {
        match $self {
            Self::Linear($head) => $value,
            Self::Margin($head) => $value,
            Self::SphereFace2($head) => $value,
            Self::Proxy($head) => $value,
        }
    };
}

impl Parts for Head {
    fn options(&self) -> &LossOptions {
        of_each!(self, head => head.options())
    }

    fn feature_dim(&self) -> usize {
        of_each!(self, head => head.feature_dim())
    }

    fn classes(&self) -> usize {
        of_each!(self, head => head.classes())
    }

    fn logits_of(&self, features: Tensor<2>, classes: Range<usize>) -> (Tensor<2>, Tensor<1>) {
        of_each!(self, head => head.logits_of(features, classes))
    }

    fn probabilities_of(&self, logits: Tensor<2>) -> Tensor<2> {
        of_each!(self, head => head.probabilities_of(logits))
    }

    fn centers(&self) -> Tensor<2> {
        of_each!(self, head => head.centers())
    }

    fn exchanged(self, centers: Tensor<2>) -> Self {
        of_each!(self, head => head.exchanged(centers).into())
    }

    fn knows_classes(&self) -> bool {
        of_each!(self, head => head.knows_classes())
    }

    fn mixed_of(
        &self,
        features: Tensor<2>,
        targets: [Tensor<1, Int>; 2],
        share: Tensor<1>,
    ) -> Result<LossOutput, Error> {
        of_each!(self, head => head.mixed_of(features, targets, share))
    }

    fn saturation_of(&self, norms: Tensor<1>) -> Option<Saturation> {
        of_each!(self, head => head.saturation_of(norms))
    }

    fn norm_map(&self) -> Option<&NormMap> {
        of_each!(self, head => head.norm_map())
    }

    fn remembered(&self) -> HeadState {
        of_each!(self, head => head.remembered())
    }

    fn remember(&self, state: &HeadState) {
        of_each!(self, head => head.remember(state));
    }
}

impl Head {
    /// Losses, inference logits and feature norms.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, feature_dim]`
    /// - targets: `[batch]`, from 0 to `classes − 1`, or the index to ignore
    ///
    /// # Panics
    ///
    /// If the shapes do not fit each other or the head, and on a CPU if a target is no class. On a GPU that check would
    /// make the host wait for the device: see [`check`](Self::check).
    pub fn forward(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> HeadOutput {
        of_each!(self, head => head.forward(features, targets))
    }

    /// What [`forward`](Self::forward) gives but for the logits: losses, predictions and feature norms.
    ///
    /// A head with class centers and many classes goes over them a block at a time. On flex it keeps cosines for the backward pass
    /// as far as the budget of its [`LossPath`](crate::LossPath) goes; beyond that nothing of size batch x classes exists.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, feature_dim]`
    /// - targets: `[batch]`, from 0 to `classes − 1`, or the index to ignore
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn loss(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> LossOutput {
        of_each!(self, head => head.loss(features, targets))
    }

    /// The loss without margin, penalties, label smoothing and everything else that is there for learning: what to follow on
    /// validation images. It changes nothing in the head, on whatever device. Class weights and the index to ignore hold; losses
    /// that are no softmax are themselves, with a margin of 0.
    ///
    /// # Shapes
    ///
    /// As [`loss`](Self::loss).
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn validation_loss(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> LossOutput {
        of_each!(self, head => head.validation_loss(features, targets))
    }

    /// [`loss`](Self::loss) of a part of a batch, for one of several devices that share it, each with a clone of the head; clones
    /// share what they remember. All parts are one step: it is counted by [`count_step`](Self::count_step), once all are done.
    /// What is random in a step is drawn anew for each part, and does not depend on which comes first.
    ///
    /// # Shapes
    ///
    /// As [`loss`](Self::loss).
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub fn loss_of_part(&self, features: Tensor<2>, targets: Tensor<1, Int>, part: u32) -> LossOutput {
        match self {
            Self::Margin(head) => head.loss_of_part(features, targets, part),
            other => other.loss(features, targets),
        }
    }

    /// Counts a step whose batch came in parts. Nothing for a head that counts no steps.
    pub fn count_step(&self) {
        if let Self::Margin(MarginHead { steps: Some(steps), class_centers, .. }) = self {
            steps.take(&class_centers.val().device());
        }
    }

    /// The head with class centers and a margin that this is, for what it alone can do: its own norm map, training
    /// logits, sub-center outliers. `None` for the others.
    pub fn as_margin(&self) -> Option<&MarginHead> {
        match self {
            Self::Margin(head) => Some(head),
            Self::Linear(_) | Self::SphereFace2(_) | Self::Proxy(_) => None,
        }
    }

    /// That head itself, as [`PartialHead::new`] takes it, or this one back.
    ///
    /// # Errors
    ///
    /// The head, if it is another one.
    #[allow(
        clippy::result_large_err,
        reason = "it is the head that was given, as the standard library does it"
    )]
    pub fn into_margin(self) -> Result<MarginHead, Self> {
        match self {
            Self::Margin(head) => Ok(head),
            other => Err(other),
        }
    }
}
