//! Training of one network with Burn's Learner.

mod checkpoint;
mod epoch_log;
mod interruption;
mod keeper;
mod loader;
mod optimizer;
mod progress;
mod recipe;
mod schedule;
mod stopping;

use std::{collections::HashMap, fs, path::Path, sync::Arc};

use burn::{
    module::Module,
    tensor::Device,
    train::{
        ExecutionStrategy, Interrupter, Learner, MultiDeviceOptim, SupervisedTraining,
        checkpoint::KeepLastNCheckpoints, metric::LearningRateMetric,
    },
};
use cm_data::{ImageSet, LoaderConfig, MemorySet};
use cm_record::EpochRecord;

use crate::{
    Error,
    classifier::Classifier,
    metric::{FeatureNorms, Hits, Losses, MeanMetric},
    model::{self, ModelCard},
    monitor::{Divergence, Monitor},
};

pub use epoch_log::best_epoch;
pub use keeper::{BEST, LAST};
pub(crate) use loader::check_devices;
pub use loader::{ImageLoader, to_device};
pub use optimizer::OptimizerConfig;
pub use progress::Display;
pub use recipe::{Recipe, at_least_one, check};
pub use schedule::{Schedule, Scheduler, Shape};
pub use stopping::has_stopped_improving;

/// Checkpoints that are kept.
const CHECKPOINTS: usize = 2;

/// Whether a training whose files are in this folder can go on from one of its checkpoints.
pub fn has_checkpoint(directory: &Path) -> bool {
    let curve = epoch_log::read_curve(&directory.join("epochs.json"), usize::MAX);
    let readable = |done| checkpoint::last_readable_epoch(&directory.join("checkpoint"), done).0;
    curve.is_ok_and(|epochs| readable(epochs.len()).is_some())
}

/// One training to be done.
pub struct Training<'a> {
    /// Loss, dimension and seed, for people.
    pub label: String,
    /// Folder of this run: `epochs.json` and `checkpoint/`.
    pub directory: &'a Path,
    /// Folder of the model files.
    pub models: &'a Path,
    /// The command that goes on after an interruption, for messages.
    pub resume: &'a str,
    /// How to train.
    pub recipe: &'a Recipe,
    /// What the model is; its input is what the images are brought to.
    pub card: &'a ModelCard,
    /// Seed of the order of the images and of the augmentation.
    pub seed: u64,
    /// Images to learn from.
    pub train: Arc<dyn ImageSet>,
    /// Images to follow progress on.
    pub valid: Option<Arc<dyn ImageSet>>,
    /// What the validation images are called on the terminal.
    pub validated: &'static str,
    /// Whether the model of the best validation accuracy is the result, or that of the last epoch.
    pub select_best: bool,
    /// Threads that decode and transform images.
    pub workers: usize,
    /// Where to compute. Several devices share every batch; the first keeps the network and the optimizer.
    pub devices: &'a [Device],
    /// What to show.
    pub display: Display,
    /// Stops the training when asked.
    pub interrupter: Interrupter,
}

/// How a training ended.
pub enum Outcome {
    /// At its end, with the model that counts.
    Trained(Box<Classifier>),
    /// Where a number left the range of numbers.
    Diverged(Divergence),
}

impl Training<'_> {
    /// Trains, going on after the last whole checkpoint in the folder.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] when the interrupter was told to stop; [`Error::Training`] when images could not be had
    /// or a checkpoint could not be written; [`Error::Record`] when a file of an earlier session cannot be read.
    pub fn run(self, network: Classifier) -> Result<(Outcome, Vec<EpochRecord>), Error> {
        let checkpoints = self.directory.join("checkpoint");
        fs::create_dir_all(&checkpoints).map_err(Error::io("create the folder", &checkpoints))?;
        let curve_path = self.directory.join("epochs.json");
        let mut epochs = epoch_log::read_curve(&curve_path, self.recipe.epochs)?;
        let (done, damaged) = checkpoint::last_readable_epoch(&checkpoints, epochs.len());
        let done = done.unwrap_or(0);
        epochs.truncate(done);
        let stopped = has_stopped_improving(&epochs, self.recipe.early_stopping);
        let curve = epoch_log::LearningCurve::new(epochs);

        // A training has an interrupter of its own, so that its divergence does not stop the next.
        let own = Interrupter::new();
        let monitor = Monitor::new(own.clone());
        let network = network.watched(monitor.clone(), self.recipe.max_grad_norm);
        let network = if self.recipe.freeze_backbone { network.with_frozen_backbone() } else { network };

        let clock = progress::Clock::default();
        let bar = self.display.bar(self.train.len(), &self.label);
        let log = epoch_log::EpochLog {
            path: curve_path,
            label: self.label.clone(),
            epochs: self.recipe.epochs,
            train_images: self.train.len(),
            validated: self.validated,
            curve: curve.clone(),
            clock: clock.clone(),
            bar: bar.clone(),
            display: self.display,
            interrupter: own.clone(),
            names: HashMap::new(),
            values: HashMap::new(),
        };
        let [exact, optimizer_file, schedule_file] = checkpoint::AtomicCheckpointer::all(&checkpoints);
        let keeper = keeper::ModelKeeper {
            exact: exact.clone(),
            // With a state of its own: clones share theirs, and this one is filled while the training goes on.
            template: network.valid(),
            card: self.card.clone(),
            folder: self.models.to_owned(),
            curve: curve.clone(),
            interrupter: own.clone(),
            select_best: self.select_best,
        };
        let (train, valid) = self.loaders(done)?;
        let mut training = SupervisedTraining::new(self.directory, Arc::new(train), Arc::new(valid))
            .metrics((
                MeanMetric::<Hits>::new(),
                MeanMetric::<Losses>::new(),
                MeanMetric::<FeatureNorms>::new(),
            ))
            .metric_train_numeric(LearningRateMetric::new())
            .with_metric_logger(log)
            .with_progress_logger(progress::SplitProgress { bar: bar.clone(), clock })
            .with_custom_checkpointers(keeper, optimizer_file, schedule_file)
            .with_checkpointing_strategy(KeepLastNCheckpoints::new(CHECKPOINTS))
            .with_application_logger(None)
            .with_interrupter(own.clone())
            .with_training_strategy(self.strategy().into())
            .num_epochs(if stopped { done } else { self.recipe.epochs });
        if let Some(patience) = self.recipe.early_stopping {
            training = training.early_stopping(stopping::Patience {
                curve: curve.clone(),
                patience,
                interrupter: own.clone(),
            });
        }
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
        let forwarded = interruption::Forwarded::start(&self.interrupter, &own);
        let steps_per_epoch = self.train.len().div_ceil(self.recipe.batch_size);
        let scheduler = Scheduler::new(self.recipe.schedule.clone(), steps_per_epoch, self.recipe.epochs);
        let template = network.clone();
        let result = training.launch(Learner::new(network, self.recipe.optimizer.init(), scheduler));
        drop(forwarded);
        bar.finish_and_clear();

        if let Some(error) = result.error {
            let (run, resume) = (self.name(), self.resume.to_owned());
            return Err(Error::Training { run, reason: error.to_string(), resume });
        }
        let epochs = curve.epochs();
        if let Some(divergence) = monitor.divergence() {
            return Ok((Outcome::Diverged(divergence), epochs));
        }
        if self.interrupter.should_stop() {
            return Err(Error::Interrupted { resume: self.resume.to_owned() });
        }
        let last = epochs.last().map(|epoch| epoch.epoch);
        let best = best_epoch(&epochs).map(|epoch| epoch.epoch);
        let network = match self.select_best && best != last {
            true => model::load_weights(&self.models.join(BEST), template, self.device())?,
            false => result.model,
        };
        Ok((Outcome::Trained(Box::new(network)), epochs))
    }

    /// The loaders of training and validation images.
    fn loaders(&self, done: usize) -> Result<(ImageLoader, ImageLoader), Error> {
        let base = LoaderConfig {
            batch_size: self.recipe.batch_size,
            workers: self.workers,
            ..LoaderConfig::default()
        };
        let shuffled = LoaderConfig {
            shuffle: Some(self.seed),
            sampling: self.recipe.sampling,
            augmentation: self.recipe.augmentation.clone(),
            augmentation_seed: self.seed,
            ..base.clone()
        };
        let input = &self.card.input;
        let nothing = || -> Arc<dyn ImageSet> { Arc::new(MemorySet::default()) };
        let valid = self.valid.clone().unwrap_or_else(nothing);
        let train = ImageLoader::new(self.train.clone(), input.clone(), shuffled, done, self.device())?;
        let class_weights = self.card.head.options().class_weights.as_deref();
        Ok((
            train.for_devices(self.devices.len(), class_weights)?,
            ImageLoader::new(valid, input.clone(), base, 0, self.device())?,
        ))
    }

    /// The device that keeps the network.
    fn device(&self) -> &Device {
        &self.devices[0]
    }

    /// Burn's way to train on one device or several. With several, the gradients of all are added up on the first.
    fn strategy(&self) -> ExecutionStrategy {
        let mut devices: Vec<Device> = self.devices.iter().map(|device| device.clone().autodiff()).collect();
        match devices.len() {
            1 => ExecutionStrategy::single(devices.remove(0)),
            _ => ExecutionStrategy::MultiDevice(devices, MultiDeviceOptim::OptimMainDevice),
        }
    }

    /// The label without the padding by which it stands in columns.
    fn name(&self) -> String {
        self.label.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
