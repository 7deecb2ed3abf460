//! A bare training loop, and what is said of its times.

use std::{sync::Arc, time::Instant};

use burn::{
    module::Module,
    optim::{GradientsParams, ModuleOptimizer},
    tensor::Device,
};
use cm_train::{
    classifier::Classifier,
    data::LabelledImages,
    training::{OptimizerConfig, batch},
};

/// Seconds a step, ours and PyTorch's, round by round.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    pub ours: Vec<f64>,
    pub theirs: Vec<f64>,
}

/// What anyone would write with Burn: batch, forward, backward, optimiser; no metrics, no checkpoints.
pub struct BareLoop {
    model: Option<Classifier>,
    optimizer: ModuleOptimizer,
    images: Arc<LabelledImages>,
    batch_size: usize,
    device: Device,
}

impl BareLoop {
    pub fn new(model: Classifier, images: Arc<LabelledImages>, batch_size: usize, device: &Device) -> Self {
        let optimizer = OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 5e-4 }.init();
        Self { model: Some(model), optimizer, images, batch_size, device: device.clone().autodiff() }
    }

    /// Seconds that so many steps take.
    pub fn steps(&mut self, count: usize) -> f64 {
        let indices: Vec<usize> = (0..self.images.len()).collect();
        let start = Instant::now();
        for indices in indices.chunks(self.batch_size).cycle().take(count) {
            let Some(model) = self.model.take() else { unreachable!("it is put back after each step") };
            let loss = model.forward(batch(&self.images, indices, &self.device)).mean_loss();
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            self.model = Some(self.optimizer.step(1e-3, model, gradients));
        }
        // Nothing is done on a GPU until it is asked for.
        let _ = self.model.as_ref().map(|model| model.devices()[0].sync());
        start.elapsed().as_secs_f64()
    }
}
