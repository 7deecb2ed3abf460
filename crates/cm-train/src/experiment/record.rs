//! What an experiment leaves behind: one serializable record from which every table and picture is made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ExperimentConfig;

/// Version of the layout of [`Results`]; raised when a reader of an older file would misread it.
pub const RESULTS_FORMAT: u32 = 1;

/// The content of `results.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Layout of this file, see [`RESULTS_FORMAT`].
    pub format: u32,
    /// When the experiment began, RFC 3339 in UTC.
    pub created: String,
    /// False while runs are missing: the experiment goes on, or was interrupted.
    pub complete: bool,
    /// What was trained and tested on.
    pub data: DataRecord,
    /// Everything that was chosen.
    pub config: ExperimentConfig,
    /// The machine and the versions.
    pub environment: Environment,
    /// One entry for each loss, feature dimension and seed, in the order trained.
    pub runs: Vec<RunRecord>,
    /// Seconds of training and testing, in each session up to the end of its last finished run.
    pub wall_seconds: f64,
}

/// The data behind a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataRecord {
    /// `MNIST` or `synthetic digits`: the name that every table and picture carries.
    pub name: String,
    /// Where it came from, as a person would say it.
    pub source: String,
    /// Checksum of each uncompressed file, or of the generated pixels.
    pub checksums: BTreeMap<String, String>,
    /// Images trained on.
    pub train_images: usize,
    /// Images tested on, at every severity.
    pub test_images: usize,
    /// How many training images have severity 0, 1, 2, 3 and 4.
    pub train_severities: Vec<usize>,
}

/// The machine and the versions behind a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Burn backend, for example `flex`.
    pub backend: String,
    /// Threads that the CPU backends may use.
    pub threads: usize,
    /// Operating system and processor architecture.
    pub platform: String,
    /// Version of this program.
    pub cm_train: String,
    /// Version of Burn.
    pub burn: String,
    /// Commit of the source tree when the experiment began, with `-dirty` if it had changes; empty outside a checkout.
    pub commit: String,
}

/// One training run and its evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Name of the loss, for example `CM-CosFace`.
    pub loss: String,
    /// Dimensions of the feature.
    pub feature_dim: usize,
    /// Seed of the weights, the shuffling and the batches.
    pub seed: u64,
    /// Learning curve.
    pub epochs: Vec<EpochRecord>,
    /// Accuracy and feature norm at each severity of the test set, from 0 upwards.
    pub severities: Vec<SeverityRecord>,
    /// Spearman correlation of feature norm with quality (4 - severity) over the test images at all severities.
    /// `None` where a norm or a rank does not vary.
    pub norm_quality_spearman: Option<f64>,
    /// Seconds spent training.
    pub train_seconds: f64,
    /// Training images a second.
    pub images_per_second: f64,
    /// File with the features of the test images, relative to the folder of `results.json`.
    pub features_file: String,
}

/// One epoch of a learning curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean training loss.
    pub train_loss: f64,
    /// Training accuracy, 0 to 1, measured while training.
    pub train_accuracy: f64,
    /// Mean loss on the clean test images, margin and regulariser included.
    pub valid_loss: f64,
    /// Accuracy on the clean test images, 0 to 1.
    pub valid_accuracy: f64,
    /// Mean feature norm over the training images.
    pub norm_mean: f64,
    /// Learning rate at the end of the epoch.
    pub learning_rate: f64,
    /// Seconds spent training, without the test at the end of the epoch.
    pub seconds: f64,
}

/// Test images of one severity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeverityRecord {
    /// 0 (untouched) to 4.
    pub severity: u8,
    /// Images evaluated.
    pub images: usize,
    /// Accuracy, 0 to 1.
    pub accuracy: f64,
    /// Mean feature norm.
    pub norm_mean: f64,
    /// Standard deviation of the feature norm (over n, not n - 1).
    pub norm_std: f64,
    /// Minimum, quartiles and maximum of the feature norm.
    pub norm_quantiles: [f64; 5],
}

impl RunRecord {
    /// Mean accuracy over the severities 1 to 4.
    pub fn low_quality_accuracy(&self) -> f64 {
        let low: Vec<f64> = self.severities.iter().filter(|s| s.severity > 0).map(|s| s.accuracy).collect();
        low.iter().sum::<f64>() / low.len() as f64
    }
}

/// Row of a features file: the feature of one test image at one severity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FeatureRow {
    /// Index of the image in the test set.
    pub index: usize,
    /// Class of the image.
    pub label: u8,
    /// Class predicted.
    pub predicted: u8,
    /// Severity of the degradation, 0 to 4.
    pub severity: u8,
    /// Length of the feature.
    pub norm: f32,
    /// First coordinate of a two-dimensional feature, 0 otherwise.
    pub x: f32,
    /// Second coordinate of a two-dimensional feature, 0 otherwise.
    pub y: f32,
}
