//! A backbone with a head, as Burn's Learner trains it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::{
    module::Module,
    optim::{GradientsParams, ModuleOptimizer, lr_scheduler::module_lr_scheduler::ModuleLearningRate},
    tensor::{Device, Int, Tensor},
    train::{InferenceStep, TrainOutput, TrainStep, metric::Adaptor, metric::ItemLazy},
};
use cm_loss_core::{Head, HeadConfig, LossOutput};
use cm_models::{Backbone, BackboneConfig};

use crate::{
    Error,
    gradients::{clip_by_norm, global_norm},
    metric::{FeatureNorms, Hits, Losses},
    monitor::{BatchPlace, Monitor},
};

/// Images and their classes on a device.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Normalized pixels: `[batch, channels, height, width]`.
    pub images: Tensor<4>,
    /// Classes: `[batch]`.
    pub targets: Tensor<1, Int>,
    /// How often each image counts: `[batch]`; `None` where each counts once.
    pub weights: Option<Tensor<1>>,
    /// What it is of a batch that several devices share; `None` for a whole batch.
    pub share: Option<Share>,
    /// Where the batch stands in the training.
    pub place: BatchPlace,
}

/// What a part of a batch is of the whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Of the sum of its weights: the gradients of all parts are added up.
    pub weights: f64,
    /// Of its images.
    pub images: f64,
    /// Which part it is, from 0.
    pub part: u32,
}

/// Network and loss in one module.
#[derive(Module, Debug)]
pub struct Classifier {
    /// Images to features.
    pub backbone: Backbone,
    /// Features to losses and logits.
    pub head: Head,
    #[module(skip)]
    max_grad_norm: Option<f64>,
    #[module(skip)]
    monitor: Monitor,
}

/// Burn's random numbers, which belong to the whole process. Whoever draws by a seed keeps this from the seed to the last number;
/// otherwise a network that is made by another thread draws some of them.
pub fn random_numbers() -> MutexGuard<'static, ()> {
    static DRAWING: Mutex<()> = Mutex::new(());
    DRAWING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a classifier is made of.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The backbone.
    pub backbone: &'a BackboneConfig,
    /// Channels, height and width of the images.
    pub input: [usize; 3],
    /// Dimensions of the feature.
    pub feature_dim: usize,
    /// The head.
    pub head: &'a HeadConfig,
    /// Number of classes.
    pub classes: usize,
}

impl Classifier {
    /// Random weights, the same for the same seed on the same backend.
    ///
    /// # Errors
    ///
    /// [`Error::Backbone`] or [`Error::Loss`] if a part cannot be made.
    pub fn new(parts: Parts<'_>, seed: u64, device: &Device) -> Result<Self, Error> {
        Self::weighted(parts, seed, device, |classifier| {
            // Burn draws a weight when it is first used, and a fork draws none: this uses all of them.
            drop(classifier.valid());
            Ok(classifier)
        })
    }

    /// A network with the weights that `fill` gives it. It has none before: one that is too large for the weights of a file
    /// can be refused without taking memory.
    pub(crate) fn weighted(
        parts: Parts<'_>,
        seed: u64,
        device: &Device,
        fill: impl FnOnce(Self) -> Result<Self, Error>,
    ) -> Result<Self, Error> {
        let _alone = random_numbers();
        device.seed(seed);
        fill(Self {
            backbone: parts.backbone.init(parts.input, parts.feature_dim, device)?,
            head: parts.head.init(parts.feature_dim, parts.classes, device)?,
            max_grad_norm: None,
            monitor: Monitor::default(),
        })
    }

    /// The same network, watched while it trains, with gradients clipped to this norm.
    pub fn watched(self, monitor: Monitor, max_grad_norm: Option<f64>) -> Self {
        Self { monitor, max_grad_norm, ..self }
    }

    /// The same network with a backbone that does not learn.
    pub fn with_frozen_backbone(mut self) -> Self {
        self.backbone = self.backbone.freeze();
        self
    }

    /// Losses, predictions and feature norms of a batch.
    pub fn forward(&self, batch: Batch) -> LossOutput {
        let features = self.backbone.forward(batch.images);
        let output = match batch.share {
            None => self.head.loss(features, batch.targets),
            Some(Share { part, .. }) => self.head.loss_of_part(features, batch.targets, part),
        };
        weighed(output, batch.weights)
    }

    /// The same with the loss to follow on validation images, which has no margin and no penalties:
    /// [`Head::validation_loss`].
    pub fn validation_loss(&self, batch: Batch) -> LossOutput {
        let output = self.head.validation_loss(self.backbone.forward(batch.images), batch.targets);
        weighed(output, batch.weights)
    }
}

/// Each sample of a batch with its weight, `[batch]`, beside that of its class.
fn weighed(mut output: LossOutput, weights: Option<Tensor<1>>) -> LossOutput {
    if let Some(weights) = weights {
        output.loss = output.loss * weights.clone();
        output.weights = Some(match output.weights {
            Some(of_classes) => of_classes * weights,
            None => weights,
        });
    }
    output
}

/// What metrics see of a step.
pub struct ClassifierOutput {
    output: LossOutput,
    targets: Tensor<1, Int>,
    share: Option<Share>,
}

impl TrainStep for Classifier {
    type Input = Batch;
    type Output = ClassifierOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassifierOutput> {
        let (place, targets, share) = (batch.place.clone(), batch.targets.clone(), batch.share);
        let output = self.forward(batch);
        let loss = output.mean_loss();
        self.monitor.see(&place, share.is_some(), loss.clone().detach(), output.norms.clone().detach());
        let loss = match share {
            None => loss,
            Some(Share { weights, .. }) => loss.mul_scalar(weights),
        };
        TrainOutput::new(self, loss.backward(), ClassifierOutput { output, targets, share })
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        learning_rate: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> Self {
        // The parts of a batch are one step of the head.
        if self.monitor.saw_parts() {
            self.head.count_step();
        }
        let norm = global_norm(&self, &gradients);
        if !self.monitor.allows(norm) {
            return self;
        }
        let gradients = match self.max_grad_norm {
            Some(limit) => clip_by_norm(&self, gradients, norm, limit),
            None => gradients,
        };
        optimizer.step(learning_rate, self, gradients)
    }
}

impl InferenceStep for Classifier {
    type Input = Batch;
    type Output = ClassifierOutput;

    fn step(&self, batch: Batch) -> ClassifierOutput {
        let targets = batch.targets.clone();
        let share = batch.share;
        ClassifierOutput { output: self.validation_loss(batch), targets, share }
    }
}

impl ItemLazy for ClassifierOutput {
    fn sync(self) -> Result<Self, burn::tensor::ExecutionError> {
        self.output.loss.device().flush()?;
        let (output, targets) = (self.output.without_autodiff(), self.targets.without_autodiff());
        Ok(Self { output, targets, share: self.share })
    }
}

impl Adaptor<Hits> for ClassifierOutput {
    fn adapt(&self) -> Hits {
        Hits(self.output.predictions.clone().equal(self.targets.clone()).float())
    }
}

impl Adaptor<Losses> for ClassifierOutput {
    fn adapt(&self) -> Losses {
        // So that the mean over the images of all parts is the loss of the whole batch.
        let loss = match self.share {
            None => self.output.mean_loss(),
            Some(Share { weights, images, .. }) => self.output.mean_loss().mul_scalar(weights / images),
        };
        Losses(loss, self.output.loss.dims()[0])
    }
}

impl Adaptor<FeatureNorms> for ClassifierOutput {
    fn adapt(&self) -> FeatureNorms {
        FeatureNorms(self.output.norms.clone())
    }
}

#[cfg(test)]
mod tests {
    use cm_loss_core::Preset;

    use super::*;

    #[test]
    fn validation_images_are_followed_by_the_loss_without_margin_and_with_their_weights() {
        let device = Device::flex();
        let head = Preset::CosFace.config();
        let backbone = BackboneConfig::lenet_pp(2);
        let parts =
            Parts { backbone: &backbone, input: [1, 28, 28], feature_dim: 2, head: &head, classes: 3 };
        let classifier = Classifier::new(parts, 1, &device).expect("these parts make a network");
        let images = Tensor::random([4, 1, 28, 28], burn::tensor::Distribution::Default, &device);
        let batch = Batch {
            images: images.clone(),
            targets: Tensor::from_data([0, 1, 2, 0], &device),
            weights: Some(Tensor::from_data([1.0, 2.0, 0.0, 1.0], &device)),
            share: None,
            place: BatchPlace::default(),
        };
        let features = classifier.backbone.forward(images);
        let plain = classifier.head.validation_loss(features, batch.targets.clone());
        let expected = plain.loss * Tensor::from_data([1.0, 2.0, 0.0, 1.0], &device);
        let trained = classifier.forward(batch.clone()).loss.sum().into_scalar::<f32>();
        let output = InferenceStep::step(&classifier, batch).output;
        assert_eq!(output.loss.clone().into_data(), expected.into_data());
        assert!(output.loss.sum().into_scalar::<f32>() + 1.0 < trained, "the margin raises the loss");
        assert_eq!(output.weights.map(|weights| weights.sum().into_scalar::<f32>()), Some(4.0));
    }
}
