//! Training of one network with Burn's Learner.

mod checkpoint;
mod epoch_log;
mod loader;
mod optimizer;
mod progress;
mod schedule;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, PoisonError},
};

use burn::{
    tensor::Device,
    train::{
        ExecutionStrategy, Interrupter, Learner, SupervisedTraining,
        checkpoint::KeepLastNCheckpoints,
        metric::{AccuracyMetric, LearningRateMetric, LossMetric},
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    Error, classifier::Classifier, data::LabelledImages, experiment::EpochRecord, files,
    metric::FeatureNormMetric,
};

pub use loader::{ImageLoader, batch};
pub use optimizer::OptimizerConfig;
pub use progress::Display;
pub use schedule::{Schedule, Scheduler, Shape};

/// How a network is trained, whatever its loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images a step.
    pub batch_size: usize,
    /// How gradients change the weights.
    pub optimizer: OptimizerConfig,
    /// Learning rate over time.
    pub schedule: Schedule,
    /// Largest norm of all gradients together; `None` for no clipping.
    pub max_grad_norm: Option<f64>,
}

/// One training to be done.
pub struct Training<'a> {
    /// Loss, dimension and seed, for people.
    pub label: String,
    /// Folder of this run: `epochs.json` and `checkpoint/`.
    pub directory: &'a Path,
    /// Folder of the experiment, for messages.
    pub experiment: &'a Path,
    /// How to train.
    pub recipe: &'a Recipe,
    /// Seed of the order of the images.
    pub seed: u64,
    /// Images to learn from.
    pub train: Arc<LabelledImages>,
    /// Images to follow progress on; nothing is chosen by them.
    pub valid: Arc<LabelledImages>,
    /// Where to compute.
    pub device: &'a Device,
    /// What to show.
    pub display: Display,
    /// Stops the training when asked.
    pub interrupter: Interrupter,
}

impl Training<'_> {
    /// Trains, going on after the last whole checkpoint in the folder.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] when the interrupter was told to stop; [`Error::Training`] when a checkpoint could
    /// not be written; [`Error::Diverged`] when the loss stopped being a number; [`Error::Damaged`] when a file of an earlier session
    /// cannot be read.
    pub fn run(self, model: Classifier) -> Result<(Classifier, Vec<EpochRecord>), Error> {
        let checkpoints = self.directory.join("checkpoint");
        files::create_dir(&checkpoints)?;
        let curve_path = self.directory.join("epochs.json");
        let mut curve = epoch_log::read_curve(&curve_path, self.recipe.epochs)?;
        let (done, damaged) = checkpoint::last_readable_epoch(&checkpoints, curve.len());
        let done = done.unwrap_or(0);
        curve.truncate(done);
        let curve = epoch_log::LearningCurve::new(curve.into());

        let clock = progress::Clock::default();
        let bar = self.display.bar(self.train.len(), &self.label);
        let log = epoch_log::EpochLog {
            path: curve_path,
            label: self.label.clone(),
            epochs: self.recipe.epochs,
            train_images: self.train.len(),
            curve: curve.clone(),
            clock: clock.clone(),
            bar: bar.clone(),
            display: self.display,
            interrupter: self.interrupter.clone(),
            names: HashMap::new(),
            values: HashMap::new(),
        };
        let device = self.device;
        let batch_size = self.recipe.batch_size;
        let train = ImageLoader::new(self.train.clone(), batch_size, device).shuffled(self.seed, done);
        let valid = ImageLoader::new(self.valid.clone(), batch_size, device);
        let [model_file, optimizer_file, schedule_file] = checkpoint::AtomicCheckpointer::all(&checkpoints);
        let mut training = SupervisedTraining::new(self.directory, Arc::new(train), Arc::new(valid))
            .metrics((AccuracyMetric::new(), LossMetric::new(), FeatureNormMetric::new()))
            .metric_train_numeric(LearningRateMetric::new())
            .with_metric_logger(log)
            .with_progress_logger(progress::SplitProgress { bar: bar.clone(), clock })
            .with_custom_checkpointers(model_file, optimizer_file, schedule_file)
            .with_checkpointing_strategy(KeepLastNCheckpoints::new(2))
            .with_application_logger(None)
            .with_interrupter(self.interrupter.clone())
            .with_training_strategy(ExecutionStrategy::single(device.clone().autodiff()).into())
            .num_epochs(self.recipe.epochs);
        if self.display != Display::Dashboard {
            training = training.renderer(Box::new(progress::Silent));
        }
        for damaged in damaged {
            self.display.line(&bar, &format!("{}  passes over a damaged checkpoint: {damaged}", self.label));
        }
        if done > 0 {
            training = training.checkpoint(done);
            self.display.line(&bar, &format!("{}  goes on after epoch {done}", self.label));
        }

        let steps_per_epoch = self.train.len().div_ceil(batch_size);
        let scheduler = Scheduler::new(self.recipe.schedule.clone(), steps_per_epoch, self.recipe.epochs);
        let result = training.launch(Learner::new(model, self.recipe.optimizer.init(), scheduler));
        bar.finish_and_clear();

        let failed =
            |reason: String| Error::Training { run: self.name(), reason, path: self.experiment.to_owned() };
        if let Some(error) = result.error {
            return Err(failed(error.to_string()));
        }
        if result.interrupted.is_some() {
            return Err(Error::Interrupted { path: self.experiment.to_owned() });
        }
        let curve = curve.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for epoch in &curve {
            if let Some((what, value)) = epoch_log::not_finite(epoch) {
                let path = self.experiment.to_owned();
                return Err(Error::Diverged { run: self.name(), what, value, epoch: epoch.epoch, path });
            }
        }
        Ok((result.model, curve))
    }

    /// The label without the padding by which it stands in columns.
    fn name(&self) -> String {
        self.label.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
