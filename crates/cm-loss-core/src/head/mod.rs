//! Heads: features and targets in, losses and logits out.

mod centers;
mod linear_head;
mod margin_config;
mod margin_head;
mod margin_pass;
mod outliers;
mod output;
mod proxy_head;
mod radius;
mod sampling;
mod saturation;
mod sphereface2;
mod state;

use burn::{
    module::Module,
    tensor::{
        Device, Int, Tensor,
        activation::{sigmoid, softmax},
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    Error, LossOptions, Margin,
    targets::{check_classes, check_finite, check_shapes},
};

pub use linear_head::{LinearHead, LinearHeadConfig};
pub use margin_config::{MarginHeadConfig, MarginPlace, MarginWarmUp, NormGradient, SubCenterPooling};
pub use margin_head::MarginHead;
pub use outliers::SubCenterOutliers;
pub use output::{HeadOutput, LossOutput, SampledLogits};
pub use proxy_head::{ProxyHead, ProxyHeadConfig, ProxyLoss};
pub use sampling::ClassSampling;
pub use saturation::Saturation;
pub use sphereface2::{FirstBias, SphereFace2Config, SphereFace2Head};
pub use state::HeadState;

/// Which head, and which parts in it: a loss as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "head", rename_all = "kebab-case")]
#[non_exhaustive]
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

    /// The same head with another scale: `Preset::ArcFace.config().with_scale(30.0)?`.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a head whose norm map has no scale; [`Error::OutOfRange`] as
    /// [`validate`](Self::validate).
    pub fn with_scale(mut self, scale: f64) -> Result<Self, Error> {
        let place = match &mut self {
            Self::Linear(_) => None,
            Self::Margin(config) => config.norm_map.scale_mut(),
            Self::SphereFace2(config) => config.norm_map.scale_mut(),
            Self::Proxy(config) => match &mut config.loss {
                ProxyLoss::ProxyAnchor { scale, .. } => Some(scale),
                ProxyLoss::P2SGrad => None,
            },
        };
        let reason = "it has none";
        *place.ok_or(Error::DoesNotCombine { what: "a scale", with: "this norm map", reason })? = scale;
        self.validate().map(|()| self)
    }

    /// The same head with another margin: `Preset::ArcFace.config().with_margin(0.3)?`. Of a random margin it is the mean.
    ///
    /// # Errors
    ///
    /// [`Error::DoesNotCombine`] for a head without a margin, or one with several; [`Error::OutOfRange`] as
    /// [`validate`](Self::validate).
    pub fn with_margin(mut self, margin: f64) -> Result<Self, Error> {
        let place = match &mut self {
            Self::Linear(_) => None,
            Self::Margin(config) => config.margin.margin_mut(),
            Self::SphereFace2(config) => Some(&mut config.margin),
            Self::Proxy(config) => match &mut config.loss {
                ProxyLoss::ProxyAnchor { margin, .. } => Some(margin),
                ProxyLoss::P2SGrad => None,
            },
        };
        let reason = "it has none, or several";
        *place.ok_or(Error::DoesNotCombine { what: "a margin", with: "this loss", reason })? = margin;
        self.validate().map(|()| self)
    }

    /// The same head with another seed of what is random in its loss: drawn margins, sampled classes. Trainings that are
    /// compared over seeds each need their own.
    pub fn with_seed(mut self, seed: u64) -> Self {
        if let Self::Margin(config) = &mut self {
            if let Margin::Elastic(margin) = &mut config.margin {
                margin.seed = seed;
            }
            if let Some(sampling) = &mut config.sampling {
                sampling.seed = seed;
            }
        }
        self
    }

    /// The same head with other options of its loss.
    pub fn with_options(mut self, options: LossOptions) -> Self {
        *match &mut self {
            Self::Linear(config) => &mut config.options,
            Self::Margin(config) => &mut config.options,
            Self::SphereFace2(config) => &mut config.options,
            Self::Proxy(config) => &mut config.options,
        } = options;
        self
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
        match self {
            Self::Linear(head) => head.forward(features, targets),
            Self::Margin(head) => head.forward(features, targets),
            Self::SphereFace2(head) => head.forward(features, targets),
            Self::Proxy(head) => head.forward(features, targets),
        }
    }

    /// What [`forward`](Self::forward) gives but for the logits: losses, predictions and feature norms.
    ///
    /// A head with class centers and many classes goes over them a block at a time, and nothing of size batch x classes
    /// exists; see [`LossPath`](crate::LossPath).
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
        match self {
            Self::Linear(head) => head.forward(features, targets).into(),
            Self::Margin(head) => head.loss(features, targets),
            Self::SphereFace2(head) => head.forward(features, targets).into(),
            Self::Proxy(head) => head.forward(features, targets).into(),
        }
    }

    /// [`forward`](Self::forward) after [`check`](Self::check).
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn try_forward(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> Result<HeadOutput, Error> {
        self.check(&features, &targets)?;
        Ok(self.forward(features, targets))
    }

    /// Checks that the shapes fit, that every feature is finite and every target a class of this head or the index to
    /// ignore. It reads the targets and a number of each feature back from the device.
    ///
    /// # Errors
    ///
    /// [`Error::FeatureDim`], [`Error::TargetCount`], [`Error::NotFinite`] or [`Error::TargetOutOfRange`], with the first
    /// value that is wrong.
    pub fn check(&self, features: &Tensor<2>, targets: &Tensor<1, Int>) -> Result<(), Error> {
        let (feature_dim, options) = match self {
            Self::Linear(head) => (head.linear.weight.dims()[0], &head.config().options),
            Self::Margin(head) => (head.class_centers.dims()[1], &head.config().options),
            Self::SphereFace2(head) => (head.class_centers.dims()[1], &head.config().options),
            Self::Proxy(head) => (head.class_centers.dims()[1], &head.config().options),
        };
        check_shapes(features, targets, feature_dim)?;
        check_finite(features)?;
        check_classes(targets, self.classes(), options.ignore_index)
    }

    /// Inference logits and feature norms, without targets and without margin.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, feature_dim]`
    /// - output: logits `[batch, classes]`, norms `[batch]`
    pub fn logits(&self, features: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        match self {
            Self::Linear(head) => head.logits(features),
            Self::Margin(head) => head.logits(features),
            Self::SphereFace2(head) => head.logits(features),
            Self::Proxy(head) => head.logits(features),
        }
    }

    /// Probability of each class, without margin: softmax of the logits, or of SphereFace2 the sigmoid of each, which do
    /// not sum to 1.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, feature_dim]`
    /// - output: `[batch, classes]`
    pub fn probabilities(&self, features: Tensor<2>) -> Tensor<2> {
        let (logits, _) = self.logits(features);
        match self {
            Self::SphereFace2(_) => sigmoid(logits),
            Self::Linear(_) | Self::Margin(_) | Self::Proxy(_) => softmax(logits, 1),
        }
    }

    /// The most probable class of each feature.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, feature_dim]`
    /// - output: `[batch]`
    pub fn predictions(&self, features: Tensor<2>) -> Tensor<1, Int> {
        self.logits(features).0.argmax(1).squeeze_dim(1)
    }

    /// How much of a batch lies where the norm map is flat; `None` for a head in which the norm plays no part, and for
    /// a batch without features. It reads the norms back from the device.
    ///
    /// # Shapes
    ///
    /// - norms: `[batch]`, as [`forward`](Self::forward) gives them
    pub fn saturation(&self, norms: Tensor<1>) -> Option<Saturation> {
        match self {
            Self::Linear(_) | Self::Proxy(_) => None,
            Self::Margin(head) => head.saturation(norms),
            Self::SphereFace2(head) => head.saturation(norms),
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

    /// Number of classes.
    pub fn classes(&self) -> usize {
        match self {
            Self::Linear(head) => head.classes(),
            Self::Margin(head) => head.classes(),
            Self::SphereFace2(head) => head.classes(),
            Self::Proxy(head) => head.classes(),
        }
    }
}
