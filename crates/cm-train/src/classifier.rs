//! A backbone with a head, as Burn's Learner trains it.

use std::sync::{Mutex, PoisonError};

use burn::{
    module::Module,
    optim::{GradientsParams, ModuleOptimizer, lr_scheduler::module_lr_scheduler::ModuleLearningRate},
    tensor::{Device, Int, Tensor},
    train::{
        InferenceStep, TrainOutput, TrainStep,
        metric::{AccuracyInput, Adaptor, ItemLazy, LossInput},
    },
};
use cm_loss_core::{Head, HeadConfig, HeadOutput};
use cm_models::{LeNetPp, LeNetPpConfig};

use crate::{Error, gradients::clip_global_norm, metric::FeatureNormInput};

/// Classes of every data set of digits.
pub const CLASSES: usize = 10;

/// Images and their classes on a device.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Normalised pixels: `[batch, 1, 28, 28]`.
    pub images: Tensor<4>,
    /// Classes: `[batch]`.
    pub targets: Tensor<1, Int>,
}

/// Network and loss in one module.
#[derive(Module, Debug)]
pub struct Classifier {
    /// Images to features.
    pub backbone: LeNetPp,
    /// Features to losses and logits.
    pub head: Head,
    #[module(skip)]
    max_grad_norm: Option<f64>,
}

impl Classifier {
    /// Random weights, the same for the same seed on the same backend.
    ///
    /// # Errors
    ///
    /// [`Error::Loss`] if the head cannot be made.
    pub fn new(
        backbone: &LeNetPpConfig,
        head: &HeadConfig,
        max_grad_norm: Option<f64>,
        seed: u64,
        device: &Device,
    ) -> Result<Self, Error> {
        // The random numbers belong to the whole process: nobody else may draw between the seed and the last weight.
        static DRAWING: Mutex<()> = Mutex::new(());
        let _drawing = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
        device.seed(seed);
        let classifier = Self {
            backbone: backbone.init(device),
            head: head.init(backbone.feature_dim, CLASSES, device)?,
            max_grad_norm,
        };
        // Burn draws a weight when it is first used. Drawing all of them now keeps what else uses random numbers
        // from changing them.
        Ok(classifier.fork(device))
    }

    /// Losses, logits and feature norms of a batch.
    pub fn forward(&self, batch: Batch) -> HeadOutput {
        self.head.forward(self.backbone.forward(batch.images), batch.targets)
    }
}

/// What metrics see of a step.
pub struct ClassifierOutput {
    head: HeadOutput,
    targets: Tensor<1, Int>,
}

impl TrainStep for Classifier {
    type Input = Batch;
    type Output = ClassifierOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassifierOutput> {
        let targets = batch.targets.clone();
        let head = self.forward(batch);
        let gradients = head.mean_loss().backward();
        TrainOutput::new(self, gradients, ClassifierOutput { head, targets })
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        learning_rate: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> Self {
        let gradients = match self.max_grad_norm {
            Some(limit) => clip_global_norm(&self, gradients, limit),
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
        ClassifierOutput { head: self.forward(batch), targets }
    }
}

impl ItemLazy for ClassifierOutput {
    fn sync(self) -> Result<Self, burn::tensor::ExecutionError> {
        self.head.loss.device().flush()?;
        Ok(Self { head: self.head.without_autodiff(), targets: self.targets.without_autodiff() })
    }
}

impl Adaptor<AccuracyInput> for ClassifierOutput {
    fn adapt(&self) -> AccuracyInput {
        AccuracyInput::new(self.head.logits.clone(), self.targets.clone())
    }
}

impl Adaptor<LossInput> for ClassifierOutput {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.head.loss.clone())
    }
}

impl Adaptor<FeatureNormInput> for ClassifierOutput {
    fn adapt(&self) -> FeatureNormInput {
        FeatureNormInput { norms: self.head.norms.clone() }
    }
}
