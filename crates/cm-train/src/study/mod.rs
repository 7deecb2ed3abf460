//! Many trainings with one record: data in, networks trained, results out.
//!
//! A study is interrupted at any time and goes on with the results of one that was not: every finished run is recorded
//! at once, and a training goes on after its last checkpoint.

mod changes;
mod environment;
mod folder;
mod jobs;
mod norms;
mod run;

use std::sync::Arc;

use burn::train::Interrupter;
use cm_data::ImageSet;
use cm_record::{DataRecord, FeatureTable, Layout, Measurement, Pooled, Results, RunKey};
use serde_json::Value;

use crate::{
    Error,
    classifier::Classifier,
    device::Devices,
    evaluation::Predictor,
    model::ModelCard,
    training::{Display, Recipe},
};

pub use changes::refuse_changes;
pub use environment::{BURN_VERSION, Program};
pub use folder::{StudyFolder, to_value};
pub use run::run;

/// What a study needs besides its settings.
#[derive(Clone)]
pub struct Session {
    /// Where to compute; networks are trained on all of these devices together, and used on the first.
    pub devices: Devices,
    /// What to show.
    pub display: Display,
    /// Told to stop by Ctrl-C.
    pub interrupter: Interrupter,
    /// Networks that are trained at once, each on its share of the cores: small ones take less time together than one after the
    /// other on all cores.
    pub jobs: usize,
    /// Threads that decode and transform images; trainings at once share them.
    pub workers: usize,
    /// Train again what diverged in an earlier session.
    pub retry_diverged: bool,
    /// The program, for the record.
    pub program: Program,
    /// The command that goes on with the study after an interruption, for messages.
    pub resume: String,
}

/// Puts weights into a network before it is trained.
pub type Start = Arc<dyn Fn(Classifier) -> Result<Classifier, Error> + Send + Sync>;

/// One network to train and test.
pub struct Trial {
    /// Its name.
    pub key: RunKey,
    /// What the model is.
    pub card: ModelCard,
    /// How to train it.
    pub recipe: Recipe,
    /// Images to learn from.
    pub train: Arc<dyn ImageSet>,
    /// Images to follow progress on.
    pub valid: Option<Arc<dyn ImageSet>>,
    /// What the validation images are called on the terminal.
    pub validated: &'static str,
    /// Whether the model of the best validation accuracy is the result, or that of the last epoch.
    pub select_best: bool,
    /// Weights to start from.
    pub init: Option<Start>,
    /// Whether the model files go into the folder of the study, and not into the one of the run.
    pub models_on_top: bool,
}

/// What was measured on the test images.
pub struct Evaluated {
    /// The figures.
    pub measurements: Vec<Measurement>,
    /// The features, if they are to be kept.
    pub features: Option<FeatureTable>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// Networks to train on some data, and how to test them.
pub trait Study: Sync {
    /// Its name in records.
    fn application(&self) -> &'static str;

    /// Everything that was chosen, by [`to_value`].
    fn settings(&self) -> Result<Value, Error>;

    /// The data.
    fn data(&self) -> DataRecord;

    /// How tables and pictures arrange the figures.
    fn layout(&self) -> Layout;

    /// The networks, in the order of training. They are made when their turn comes.
    fn keys(&self) -> Vec<RunKey>;

    /// One of the networks.
    ///
    /// # Errors
    ///
    /// What keeps it from being made.
    fn trial(&self, key: &RunKey) -> Result<Trial, Error>;

    /// Test images that [`evaluate`](Self::evaluate) goes through, for the progress bar.
    fn test_images(&self) -> usize;

    /// Tests a network; `None` when told to stop.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] if an image cannot be read.
    fn evaluate(
        &self,
        network: &Classifier,
        trial: &Trial,
        predictor: &Predictor<'_>,
    ) -> Result<Option<Evaluated>, Error>;

    /// Figures of all finished runs together, where each is tested on another part of the data.
    ///
    /// # Errors
    ///
    /// [`Error::Record`] if the features of a run cannot be read.
    fn pooled(&self, _folder: &std::path::Path, _results: &Results) -> Result<Option<Pooled>, Error> {
        Ok(None)
    }

    /// Draws the report of what is recorded so far.
    ///
    /// # Errors
    ///
    /// What keeps it from being drawn.
    fn report(&self, folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}
