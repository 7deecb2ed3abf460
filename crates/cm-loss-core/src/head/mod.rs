//! Heads: features and targets in, losses and logits out.

mod linear_head;
mod margin_head;
mod saturation;

use burn::{
    module::Module,
    tensor::{Device, Int, Tensor, activation::log_softmax},
};
use serde::{Deserialize, Serialize};

use crate::Error;

pub use linear_head::LinearHead;
pub use margin_head::{MarginHead, MarginHeadConfig};
pub use saturation::Saturation;

/// What one pass through a head gives. No part is computed twice.
#[derive(Debug, Clone)]
pub struct HeadOutput {
    /// Loss of each sample, margin and regulariser included: `[batch]`.
    pub loss: Tensor<1>,
    /// Inference logits, without margin: `[batch, classes]`.
    pub logits: Tensor<2>,
    /// Feature norms: `[batch]`.
    pub norms: Tensor<1>,
}

impl HeadOutput {
    /// The loss of the batch, to call `backward` on: the mean over its samples, `[1]`.
    pub fn mean_loss(&self) -> Tensor<1> {
        self.loss.clone().mean()
    }
}

/// Which head, and which parts in it: a loss as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "head", rename_all = "kebab-case")]
pub enum HeadConfig {
    /// A linear layer with bias, and softmax.
    Linear,
    /// Class centres, a norm map, a margin and a regulariser.
    Margin(MarginHeadConfig),
}

impl HeadConfig {
    /// A head for features of `feature_dim` dimensions and `classes` classes, with random weights.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] where there is no feature, no class, or a part has a parameter outside what its
    /// formula allows.
    pub fn init(&self, feature_dim: usize, classes: usize, device: &Device) -> Result<Head, Error> {
        Error::check("number of feature dimensions", "at least 1", feature_dim as f64, feature_dim > 0)?;
        Error::check("number of classes", "at least 1", classes as f64, classes > 0)?;
        Ok(match self {
            Self::Linear => Head::Linear(LinearHead::new(feature_dim, classes, device)),
            Self::Margin(config) => Head::Margin(config.init(feature_dim, classes, device)?),
        })
    }
}

/// A head of either kind.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a network has one head, and a box is no module")]
pub enum Head {
    /// A linear layer with bias, and softmax.
    Linear(LinearHead),
    /// Class centres, a norm map, a margin and a regulariser.
    Margin(MarginHead),
}

impl Head {
    /// Losses, inference logits and feature norms.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, feature_dim]`
    /// - targets: `[batch]`, from 0 to `classes − 1` (see [`check_targets`](Self::check_targets))
    ///
    /// # Panics
    ///
    /// If the shapes do not fit each other or the head.
    pub fn forward(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> HeadOutput {
        match self {
            Self::Linear(head) => head.forward(features, targets),
            Self::Margin(head) => head.forward(features, targets),
        }
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
        }
    }

    /// How much of a batch lies where the norm map is flat; `None` for a head in which the norm plays no part, and for
    /// a batch without features. It reads the norms back from the device.
    ///
    /// # Shapes
    ///
    /// - norms: `[batch]`, as [`forward`](Self::forward) gives them
    pub fn saturation(&self, norms: Tensor<1>) -> Option<Saturation> {
        match self {
            Self::Linear(_) => None,
            Self::Margin(head) => head.saturation(norms),
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        match self {
            Self::Linear(head) => head.classes(),
            Self::Margin(head) => head.classes(),
        }
    }

    /// Checks that every target is a class of this head. It reads the targets back from the device, so that on a
    /// GPU it costs a synchronisation.
    ///
    /// # Errors
    ///
    /// [`Error::TargetOutOfRange`] with the first target that is no class.
    pub fn check_targets(&self, targets: &Tensor<1, Int>) -> Result<(), Error> {
        let classes = self.classes();
        let targets: Vec<i64> = targets.to_data().iter::<i64>().collect();
        let wrong = targets.into_iter().enumerate().find(|(_, target)| !(0..classes as i64).contains(target));
        match wrong {
            Some((index, target)) => Err(Error::TargetOutOfRange { index, target, classes }),
            None => Ok(()),
        }
    }
}

/// `L_i = −log softmax(z_i)[y_i]`, for logits `[batch, classes]` and targets `[batch, 1]`, as `[batch]`.
fn cross_entropy(logits: Tensor<2>, targets: Tensor<2, Int>) -> Tensor<1> {
    log_softmax(logits, 1).gather(1, targets).neg().squeeze_dim(1)
}

/// Targets as a column, after the shapes are checked.
fn target_column(features: &Tensor<2>, targets: Tensor<1, Int>, feature_dim: usize) -> Tensor<2, Int> {
    let [batch, columns] = features.dims();
    let [labels] = targets.dims();
    assert_eq!(
        columns, feature_dim,
        "features have {columns} columns, but the head was made for {feature_dim}"
    );
    assert_eq!(labels, batch, "{labels} targets were given for a batch of {batch} features");
    targets.unsqueeze_dim(1)
}
