//! The learning curve, kept in a file that grows by an epoch at a time.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use burn::train::{
    Interrupter,
    checkpoint::CheckpointerError,
    logger::MetricLogger,
    metric::{
        MetricDefinition, MetricId, NumericEntry,
        store::{EpochSummary, MetricsUpdate, Split},
    },
};
use indicatif::ProgressBar;

use super::progress::{Clock, Display};
use crate::{Error, experiment::EpochRecord, files, metric::FeatureNormMetric};

/// Learning curve of a run, shared between the Learner, which fills it, and who reads it afterwards.
pub(super) type LearningCurve = Arc<Mutex<Vec<EpochRecord>>>;

/// Turns the metrics of an epoch into an [`EpochRecord`], a line on the terminal and an entry of `epochs.json`.
pub(super) struct EpochLog {
    pub(super) path: PathBuf,
    pub(super) label: String,
    pub(super) epochs: usize,
    pub(super) train_images: usize,
    pub(super) curve: LearningCurve,
    pub(super) clock: Clock,
    pub(super) bar: ProgressBar,
    pub(super) display: Display,
    pub(super) interrupter: Interrupter,
    pub(super) names: HashMap<MetricId, Arc<String>>,
    /// By split and metric: the last batch's value, and the epoch's.
    pub(super) values: HashMap<(Split, Arc<String>), (f64, f64)>,
}

impl EpochLog {
    fn epoch_value(&self, split: Split, name: &str) -> f64 {
        self.values.get(&(split, Arc::new(name.to_owned()))).map_or(f64::NAN, |value| value.1)
    }

    fn record(&self, epoch: usize) -> EpochRecord {
        let rate = self.values.get(&(Split::Train, Arc::new("Learning Rate".to_owned())));
        EpochRecord {
            epoch,
            train_loss: self.epoch_value(Split::Train, "Loss"),
            train_accuracy: self.epoch_value(Split::Train, "Accuracy") / 100.0,
            valid_loss: self.epoch_value(Split::Valid, "Loss"),
            valid_accuracy: self.epoch_value(Split::Valid, "Accuracy") / 100.0,
            norm_mean: self.epoch_value(Split::Train, FeatureNormMetric::NAME),
            learning_rate: rate.map_or(f64::NAN, |value| value.0),
            seconds: self.clock.last().as_secs_f64(),
        }
    }

    fn line(&self, record: &EpochRecord) -> String {
        format!(
            "{}  epoch {:>2}/{}  loss {:.4}  accuracy {:5.2} %, clean test {:5.2} %  norm {:.2}  {:.0} images/s",
            self.label,
            record.epoch,
            self.epochs,
            record.train_loss,
            100.0 * record.train_accuracy,
            100.0 * record.valid_accuracy,
            record.norm_mean,
            self.train_images as f64 / record.seconds
        )
    }
}

impl MetricLogger for EpochLog {
    fn log(&mut self, update: MetricsUpdate, _epoch: usize, split: &Split) {
        for metric in update.entries_numeric {
            let Some(name) = self.names.get(&metric.entry.metric_id) else { continue };
            let value = self.values.entry((split.clone(), name.clone())).or_insert((f64::NAN, f64::NAN));
            match metric.numeric_entry {
                Some(NumericEntry::Final(of_epoch)) => value.1 = of_epoch,
                Some(of_batch) => value.0 = of_batch.current(),
                None => {}
            }
            if *split == Split::Train && name.as_str() == "Loss" {
                self.bar.set_message(format!("loss {:.4}", value.0));
            }
        }
    }

    fn read_numeric(
        &mut self,
        name: &str,
        _epoch: usize,
        split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        Ok(vec![NumericEntry::Value(self.epoch_value(split.clone(), name))])
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        self.names.insert(definition.metric_id, definition.name);
    }

    fn log_epoch_summary(&mut self, summary: EpochSummary) {
        if summary.split != Split::Valid || self.interrupter.should_stop() {
            return;
        }
        let record = self.record(summary.epoch_number);
        let line = self.line(&record);
        let mut curve = self.curve.lock().unwrap_or_else(PoisonError::into_inner);
        let was_finite = curve.iter().all(|epoch| not_finite(epoch).is_none());
        let is_finite = not_finite(&record).is_none();
        curve.push(record);
        if !was_finite || !is_finite {
            // JSON has no such number, and nobody would go on from there.
            self.display.line(&self.bar, &line);
            return;
        }
        match files::write_json(&self.path, &*curve) {
            Ok(()) => self.display.line(&self.bar, &line),
            Err(error) => self.interrupter.fail(CheckpointerError::Unknown(error.to_string())),
        }
    }
}

/// The first number of an epoch that is none, and its name.
pub(super) fn not_finite(epoch: &EpochRecord) -> Option<(&'static str, f64)> {
    let numbers = [
        ("training loss", epoch.train_loss),
        ("loss on test images", epoch.valid_loss),
        ("mean feature norm", epoch.norm_mean),
    ];
    numbers.into_iter().find(|(_, value)| !value.is_finite())
}

/// The learning curve that an earlier session left, up to `epochs`.
pub(super) fn read_curve(path: &Path, epochs: usize) -> Result<Vec<EpochRecord>, Error> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let mut curve: Vec<EpochRecord> =
        files::read_json(path, "delete it to train this run from its beginning")?;
    curve.truncate(epochs);
    Ok(curve)
}
