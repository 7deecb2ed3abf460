//! The plain softmax baseline.

use burn::{
    module::Module,
    nn::{Linear, LinearConfig},
    tensor::{Device, Int, Tensor},
};

use super::{HeadOutput, cross_entropy, target_column};
use crate::norm;

/// A linear layer with bias, and softmax: `z = x W + b`, `L = −log softmax(z)[y]`.
///
/// The weights start as `U(−1/√d, 1/√d)` for features of `d` dimensions, as PyTorch's `Linear`.
#[derive(Module, Debug)]
pub struct LinearHead {
    /// The layer; its weight is `[feature_dim, classes]`.
    pub linear: Linear,
}

impl LinearHead {
    /// A head with random weights.
    pub fn new(feature_dim: usize, classes: usize, device: &Device) -> Self {
        Self { linear: LinearConfig::new(feature_dim, classes).init(device) }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.linear.weight.dims()[1]
    }

    /// Losses, logits and feature norms; see [`Head::forward`](super::Head::forward).
    pub fn forward(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> HeadOutput {
        let targets = target_column(&features, targets, self.linear.weight.dims()[0]);
        let (logits, norms) = self.logits(features);
        HeadOutput { loss: cross_entropy(logits.clone(), targets), logits, norms }
    }

    /// Logits and feature norms; see [`Head::logits`](super::Head::logits).
    pub fn logits(&self, features: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let norms = norm(features.clone().detach()).squeeze_dim(1);
        (self.linear.forward(features), norms)
    }
}
