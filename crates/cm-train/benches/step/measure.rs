//! A bare training loop, and what is said of its times.

use std::{sync::Arc, time::Instant};

use burn::{
    module::Module,
    optim::{GradientsParams, ModuleOptimizer},
    tensor::Device,
};
use cm_data::{InputSpec, Loader, LoaderConfig, MemorySet};
use cm_train::{
    classifier::Classifier,
    training::{OptimizerConfig, to_device},
};

/// Seconds a step, ours and PyTorch's, round by round.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    pub ours: Vec<f64>,
    pub theirs: Vec<f64>,
}

/// What anyone would write with Burn: batch, forward, backward, optimizer; no metrics, no checkpoints.
pub struct BareLoop {
    model: Option<Classifier>,
    optimizer: ModuleOptimizer,
    loader: Loader,
    device: Device,
}

impl BareLoop {
    pub fn new(
        model: Classifier,
        images: Arc<MemorySet>,
        input: InputSpec,
        batch_size: usize,
        device: &Device,
    ) -> Result<Self, cm_train::Error> {
        let optimizer = OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 5e-4 }.init();
        let config = LoaderConfig { batch_size, workers: 0, ..LoaderConfig::default() };
        let loader = Loader::new(images, input, config)?;
        Ok(Self { model: Some(model), optimizer, loader, device: device.clone().autodiff() })
    }

    /// Seconds that so many steps take.
    pub fn steps(&mut self, count: usize) -> f64 {
        let start = Instant::now();
        let batches = (0..).flat_map(|epoch| self.loader.epoch(epoch));
        for raw in batches.take(count) {
            let Ok(raw) = raw else { unreachable!("the images are in memory") };
            let Some(model) = self.model.take() else { unreachable!("it is put back after each step") };
            let loss = model.forward(to_device(raw, 1, 1, &self.device)).mean_loss();
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            self.model = Some(self.optimizer.step(1e-3, model, gradients));
        }
        // Nothing is done on a GPU until it is asked for.
        let _ = self.model.as_ref().map(|model| model.devices()[0].sync());
        start.elapsed().as_secs_f64()
    }
}
