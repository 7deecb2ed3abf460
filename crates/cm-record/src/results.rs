//! The record of a study: from it every table and picture is made.

use std::{collections::BTreeMap, fs, io, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Comparison, Layout, Measurement, Pooled, RecordError, files, number};

/// Version of the layout of [`Results`]; raised when a reader of an older file would misread it.
pub const RESULTS_FORMAT: u32 = 2;

/// Name of the record in the folder of a study.
pub const RESULTS_FILE: &str = "results.json";

/// The content of `results.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Layout of this file, see [`RESULTS_FORMAT`].
    pub format: u32,
    /// The application, for example `digits`.
    pub application: String,
    /// When the study began, RFC 3339 in UTC.
    pub created: String,
    /// False while runs are missing: the study goes on, or was interrupted.
    pub complete: bool,
    /// What was trained and tested on.
    pub data: DataRecord,
    /// Everything that was chosen.
    pub config: Value,
    /// How tables and pictures arrange the measurements.
    pub layout: Layout,
    /// One entry for each network, in the order trained.
    pub runs: Vec<RunRecord>,
    /// Differences between losses over the seeds, with intervals.
    pub comparisons: Vec<Comparison>,
    /// Figures and tests of all folds together, where there are folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooled: Option<Pooled>,
    /// Seconds of training and testing, in each session up to the end of its last finished run.
    #[serde(with = "number")]
    pub wall_seconds: f64,
}

/// The data behind a result. They are named by checksums, never by paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataRecord {
    /// The name that every table and picture carries.
    pub name: String,
    /// Where they came from, as a person would say it, without a path.
    pub source: String,
    /// Checksums of the files, or of the generated pixels.
    pub checksums: BTreeMap<String, String>,
    /// The parts, for example `train` and `test`.
    pub splits: Vec<SplitRecord>,
    /// Files that could not be used and were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// What else a reader should know: a name and a value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<(String, String)>,
}

impl DataRecord {
    /// Whether both are the same images in the same parts, wherever they were found and whatever the folder is called
    /// now. Data without checksums have nothing but their name.
    pub fn is_same_data(&self, other: &Self) -> bool {
        (&self.checksums, &self.splits, &self.facts) == (&other.checksums, &other.splits, &other.facts)
            && (!self.checksums.is_empty() || self.name == other.name)
    }

    /// Images of a split; 0 if there is none of this name.
    pub fn images(&self, split: &str) -> usize {
        self.splits.iter().find(|found| found.name == split).map_or(0, |found| found.images)
    }
}

/// A part of the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitRecord {
    /// `train`, `val` or `test`.
    pub name: String,
    /// Images in it.
    pub images: usize,
    /// Checksum of what belongs to it, where the split was made by the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// A file that could not be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The file, relative to the data.
    pub file: String,
    /// Why.
    pub reason: String,
}

/// The machine and the versions behind a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Burn backend, for example `flex`.
    pub backend: String,
    /// Threads that the CPU backends may use.
    pub threads: usize,
    /// Operating system and processor architecture.
    pub platform: String,
    /// Version of this program.
    pub version: String,
    /// Version of Burn.
    pub burn: String,
    /// Commit that the program was built from, with `-dirty` if the source had changes; empty outside a checkout.
    pub commit: String,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Status {
    /// It was trained to its end, and tested.
    Finished,
    /// A number left the range of numbers.
    Diverged {
        /// Epoch, from 1.
        epoch: usize,
        /// Step in the epoch, from 1.
        step: usize,
        /// What, where and with which value, in words.
        reason: String,
    },
}

/// Which network a run is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RunKey {
    /// Name of the loss, for example `CM-CosFace`.
    pub loss: String,
    /// Dimensions of the feature.
    pub feature_dim: usize,
    /// Seed of the weights, the order and the augmentation.
    pub seed: u64,
    /// The fold that was tested on, where there are folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
}

impl RunKey {
    /// Name for files.
    pub fn slug(&self) -> String {
        let fold = self.fold.map(|fold| format!("-f{fold}")).unwrap_or_default();
        format!("{}-d{}-s{}{fold}", self.loss.to_lowercase(), self.feature_dim, self.seed)
    }

    /// Name for people.
    pub fn label(&self) -> String {
        let fold = self.fold.map(|fold| format!(" fold {fold}")).unwrap_or_default();
        format!("{} {}-d seed {}{fold}", self.loss, self.feature_dim, self.seed)
    }
}

/// One training and its evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Which network.
    #[serde(flatten)]
    pub key: RunKey,
    /// How it ended.
    #[serde(flatten)]
    pub status: Status,
    /// The machine and the versions.
    pub environment: Environment,
    /// Learning curve.
    pub epochs: Vec<EpochRecord>,
    /// Figures of the test images.
    pub measurements: Vec<Measurement>,
    /// Seconds spent training.
    #[serde(with = "number")]
    pub train_seconds: f64,
    /// Training images a second.
    #[serde(with = "number")]
    pub images_per_second: f64,
    /// File with the features of the test images, relative to the folder of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features_file: Option<String>,
    /// What a person should know of it, for example that the norm map was flat.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl RunRecord {
    /// Whether it was trained to its end.
    pub fn is_finished(&self) -> bool {
        self.status == Status::Finished
    }

    /// The figure of this metric and stratum, if it was measured and is a number.
    pub fn value(&self, metric: &str, stratum: &str) -> Option<f64> {
        self.measurement(metric, stratum)?.value
    }

    /// The measurement of this metric and stratum.
    pub fn measurement(&self, metric: &str, stratum: &str) -> Option<&Measurement> {
        self.measurements.iter().find(|found| found.metric == metric && found.stratum == stratum)
    }
}

/// One epoch of a learning curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean training loss.
    #[serde(with = "number")]
    pub train_loss: f64,
    /// Training accuracy, 0 to 1, measured while training.
    #[serde(with = "number")]
    pub train_accuracy: f64,
    /// Mean loss on the validation images, without margin and regularizer (in records of older builds with both); NaN without
    /// such images.
    #[serde(with = "number")]
    pub valid_loss: f64,
    /// Accuracy on the validation images, 0 to 1; NaN without such images.
    #[serde(with = "number")]
    pub valid_accuracy: f64,
    /// Mean feature norm over the training images.
    #[serde(with = "number")]
    pub norm_mean: f64,
    /// Learning rate at the end of the epoch.
    #[serde(with = "number")]
    pub learning_rate: f64,
    /// Seconds spent training, without the validation at the end of the epoch.
    #[serde(with = "number")]
    pub seconds: f64,
}

impl Results {
    /// Reads the record of a folder.
    ///
    /// # Errors
    ///
    /// [`RecordError`] when it is missing, damaged, or of another format.
    pub fn read(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(RESULTS_FILE);
        let text = read_text(&path)?;
        match format_of(&path, &text)? {
            found if found == u64::from(RESULTS_FORMAT) => parse(&path, &text),
            found => Err(RecordError::UnknownFormat { path, found }),
        }
    }

    /// Writes the record into a folder, which is made if need be.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; an older one is then still there.
    pub fn write(&self, folder: &Path) -> Result<(), RecordError> {
        files::write_json(&folder.join(RESULTS_FILE), self)
    }

    /// The run of a network.
    pub fn run(&self, key: &RunKey) -> Option<&RunRecord> {
        self.runs.iter().find(|run| run.key == *key)
    }
}

/// The text of a record; a missing one is named as such.
///
/// # Errors
///
/// [`RecordError::Missing`] and [`RecordError::Io`].
pub fn read_text(path: &Path) -> Result<String, RecordError> {
    fs::read_to_string(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => RecordError::Missing { path: path.to_owned() },
        _ => RecordError::Io { action: "read", path: path.to_owned(), source },
    })
}

/// The format number of a record of any format: a record of another one would fail later, and with a message about
/// some field.
///
/// # Errors
///
/// [`RecordError::Damaged`] if it has none.
pub fn format_of(path: &Path, text: &str) -> Result<u64, RecordError> {
    #[derive(Deserialize)]
    struct Format {
        format: u64,
    }
    parse::<Format>(path, text).map(|found| found.format)
}

/// A record from its text.
///
/// # Errors
///
/// [`RecordError::Damaged`], with line and column.
pub fn parse<T: serde::de::DeserializeOwned>(path: &Path, text: &str) -> Result<T, RecordError> {
    serde_json::from_str(text).map_err(|error| RecordError::Damaged {
        path: path.to_owned(),
        reason: format!("it is not a results record: {error}"),
        remedy: "restore the file, or run the study again with the same settings".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_format_is_refused_before_its_fields_are_read() {
        let folder = tempfile::tempdir().expect("temporary folder");
        fs::write(folder.path().join(RESULTS_FILE), r#"{"format": 99, "novel": true}"#).expect("file");
        let error = Results::read(folder.path()).expect_err("another format");
        assert!(matches!(error, RecordError::UnknownFormat { found: 99, .. }), "{error}");
    }

    #[test]
    fn a_figure_that_is_not_finite_is_written_and_read_again() {
        let epoch = EpochRecord {
            epoch: 1,
            train_loss: f64::NAN,
            train_accuracy: 0.5,
            valid_loss: f64::INFINITY,
            valid_accuracy: 0.25,
            norm_mean: 3.0,
            learning_rate: 0.1,
            seconds: 2.0,
        };
        let text = serde_json::to_string(&epoch).expect("it has a form in JSON");
        let read: EpochRecord = serde_json::from_str(&text).expect("it can be read");
        assert!(read.train_loss.is_nan() && read.valid_loss.is_nan());
        assert_eq!(read.valid_accuracy, 0.25);
    }

    #[test]
    fn where_data_were_found_does_not_make_them_other_data() {
        let data = DataRecord {
            name: "signs".to_owned(),
            source: "a folder".to_owned(),
            checksums: [("train".to_owned(), "sha256:12".to_owned())].into(),
            splits: vec![SplitRecord { name: "train".to_owned(), images: 3, checksum: None }],
            left_out: Vec::new(),
            facts: Vec::new(),
        };
        let elsewhere = DataRecord { source: "a zip".to_owned(), ..data.clone() };
        assert!(data.is_same_data(&elsewhere));
        let other = DataRecord { checksums: BTreeMap::new(), ..data.clone() };
        assert!(!data.is_same_data(&other));
    }
}
