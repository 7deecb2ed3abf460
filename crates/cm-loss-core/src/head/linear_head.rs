//! The plain softmax baseline.

use std::ops::Range;

use burn::{
    module::Module,
    nn::{Linear, LinearConfig},
    tensor::{Device, Int, Tensor, module::linear},
};
use serde::{Deserialize, Serialize};

use super::{
    ConfigVersion, HeadOutput, LossOutput,
    centers::replace,
    shared::{Parts, mixed, plain_cross_entropy},
};
use crate::{Error, LossOptions, all_classes::AllClasses, norm, norm::single_precision, targets::Targets};

/// What a linear head is made from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearHeadConfig {
    /// What is done with the loss of each sample.
    #[serde(skip_serializing_if = "LossOptions::is_plain")]
    pub options: LossOptions,
    /// The version of the format that this was written in.
    pub version: ConfigVersion,
}

impl LinearHeadConfig {
    /// A head with random weights, `U(−1/√d, 1/√d)` for features of `d` dimensions, as PyTorch's `Linear`.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfRange`] without features or classes, or for an option outside what is allowed;
    /// [`Error::ClassWeights`] if there is not one weight for each class.
    pub fn init(&self, feature_dim: usize, classes: usize, device: &Device) -> Result<LinearHead, Error> {
        super::check_size(feature_dim, classes)?;
        self.options.validate()?;
        Ok(LinearHead {
            linear: LinearConfig::new(feature_dim, classes).init(device),
            class_weights: self.options.weights(classes, device)?,
            config: self.clone(),
        })
    }
}

/// A linear layer with bias, and softmax: `z = x W + b`, `L = −log softmax(z)[y]`.
#[derive(Module, Debug)]
pub struct LinearHead {
    /// The layer; its weight is `[feature_dim, classes]`.
    pub linear: Linear,
    /// `[classes]`
    class_weights: Option<Tensor<1>>,
    #[module(skip)]
    config: LinearHeadConfig,
}

impl LinearHead {
    /// What the head was made from.
    pub fn config(&self) -> &LinearHeadConfig {
        &self.config
    }

    /// Losses, logits and feature norms; see [`Head::forward`](super::Head::forward).
    pub fn forward(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> HeadOutput {
        let [feature_dim, classes] = self.linear.weight.dims();
        let options = &self.config.options;
        let targets = Targets::new(&features, targets, feature_dim, classes, options);
        let (logits, norms) = self.logits(features);
        let summed = (options.label_smoothing > 0.0).then(|| logits.clone());
        let found = AllClasses::of_logits(logits.clone(), summed, &targets.columns);
        let losses = options.cross_entropy(found.target, found.log_sum, found.sum, classes);
        let (loss, weights) =
            LossOptions::weigh(losses, targets.classes(), self.class_weights.as_ref(), &targets);
        HeadOutput::new(loss, weights, logits, None, norms)
    }

    /// Losses, predictions and feature norms; see [`Head::loss`](super::Head::loss).
    pub fn loss(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> LossOutput {
        self.forward(features, targets).into()
    }

    /// The plain cross entropy; see [`Head::validation_loss`](super::Head::validation_loss).
    pub fn validation_loss(&self, features: Tensor<2>, targets: Tensor<1, Int>) -> LossOutput {
        let [feature_dim, classes] = self.linear.weight.dims();
        let targets = Targets::new(&features, targets, feature_dim, classes, &self.config.options);
        let (logits, norms) = self.logits(features);
        let found = AllClasses::of_logits(logits.clone(), None, &targets.columns);
        let (target, log_sum, weights) = (found.target, found.log_sum, self.class_weights.as_ref());
        let (loss, weights) = plain_cross_entropy(target, log_sum, classes, &targets, weights);
        HeadOutput::new(loss, weights, logits, None, norms).into()
    }
}

impl Parts for LinearHead {
    fn options(&self) -> &LossOptions {
        &self.config.options
    }

    fn feature_dim(&self) -> usize {
        self.linear.weight.dims()[0]
    }

    fn classes(&self) -> usize {
        self.linear.weight.dims()[1]
    }

    fn logits_of(&self, features: Tensor<2>, classes: Range<usize>) -> (Tensor<2>, Tensor<1>) {
        let norms = norm(features.clone().detach()).squeeze_dim(1);
        let mut weight = single_precision(self.linear.weight.val());
        let mut bias = self.linear.bias.as_ref().map(|bias| single_precision(bias.val()));
        // A slice of all columns would cost a copy of their gradient.
        if classes != (0..Parts::classes(self)) {
            weight = weight.slice([0..Parts::feature_dim(self), classes.clone()]);
            bias = bias.map(|bias| bias.slice([classes]));
        }
        (linear(single_precision(features), weight, bias), norms)
    }

    fn centers(&self) -> Tensor<2> {
        self.linear.weight.val().transpose()
    }

    fn exchanged(mut self, centers: Tensor<2>) -> Self {
        let new = centers.dims()[0] - Parts::classes(&self);
        replace(&mut self.linear.weight, centers.transpose());
        if let Some(bias) = self.linear.bias.as_mut().filter(|_| new > 0) {
            // The largest logit of no feature should be that of a class nobody has seen: the mean of the others.
            let known = bias.val().detach();
            let mean = known.clone().mean().expand([new as i32]);
            replace(bias, Tensor::cat(vec![known, mean], 0));
        }
        self
    }

    fn mixed_of(
        &self,
        features: Tensor<2>,
        [a, b]: [Tensor<1, Int>; 2],
        share: Tensor<1>,
    ) -> Result<LossOutput, Error> {
        Ok(mixed(self.loss(features.clone(), a), self.loss(features, b), share))
    }
}
