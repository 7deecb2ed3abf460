//! The learning curve, kept in a file that grows by an epoch at a time.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
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
use cm_record::{EpochRecord, files};
use indicatif::ProgressBar;

use super::progress::{Clock, Display};
use crate::{
    Error,
    metric::{FeatureNorms, Hits, Losses, Quantity},
};

/// Figures of an epoch come at once, or not at all.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Learning curve of a run, shared between the Learner, which fills it, and who reads it.
#[derive(Debug, Clone, Default)]
pub(super) struct LearningCurve(Arc<Mutex<Vec<EpochRecord>>>);

impl LearningCurve {
    pub fn new(epochs: Vec<EpochRecord>) -> Self {
        Self(Arc::new(Mutex::new(epochs)))
    }

    pub fn epochs(&self) -> Vec<EpochRecord> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The epochs, once `epoch` is among them. Burn hands figures to one thread and checkpoints to another, and either may come first.
    /// A training that is told to stop has no more figures: then, or after some seconds, the epochs there are.
    pub fn up_to(&self, epoch: usize, interrupter: &Interrupter) -> Vec<EpochRecord> {
        let start = Instant::now();
        loop {
            let epochs = self.epochs();
            let is_there = epochs.iter().any(|found| found.epoch == epoch);
            if is_there || interrupter.should_stop() || start.elapsed() > LONGEST_WAIT {
                return epochs;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn push(&self, epoch: EpochRecord) -> Vec<EpochRecord> {
        let mut epochs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        epochs.push(epoch);
        epochs.clone()
    }
}

/// The epoch with the highest validation accuracy, of those the one with the lowest loss, of those the first; the last
/// epoch where there were no validation images.
pub fn best_epoch(curve: &[EpochRecord]) -> Option<&EpochRecord> {
    let validated = curve.iter().filter(|epoch| epoch.valid_accuracy.is_finite());
    let better = |a: &EpochRecord, b: &EpochRecord| {
        let by_accuracy = a.valid_accuracy.total_cmp(&b.valid_accuracy);
        let by_loss = || b.valid_loss.total_cmp(&a.valid_loss);
        by_accuracy.then_with(by_loss).then_with(|| b.epoch.cmp(&a.epoch))
    };
    validated.max_by(|a, b| better(a, b)).or(curve.last())
}

/// Turns the metrics of an epoch into an [`EpochRecord`], a line on the terminal and an entry of `epochs.json`.
pub(super) struct EpochLog {
    pub(super) path: PathBuf,
    pub(super) label: String,
    pub(super) epochs: usize,
    pub(super) train_images: usize,
    pub(super) validated: &'static str,
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
            train_loss: self.epoch_value(Split::Train, Losses::NAME),
            train_accuracy: self.epoch_value(Split::Train, Hits::NAME),
            valid_loss: self.epoch_value(Split::Valid, Losses::NAME),
            valid_accuracy: self.epoch_value(Split::Valid, Hits::NAME),
            norm_mean: self.epoch_value(Split::Train, FeatureNorms::NAME),
            learning_rate: rate.map_or(f64::NAN, |value| value.0),
            seconds: self.clock.last().as_secs_f64(),
        }
    }

    fn line(&self, record: &EpochRecord) -> String {
        let validated = match record.valid_accuracy.is_finite() {
            true => format!(", {} {:5.2} %", self.validated, 100.0 * record.valid_accuracy),
            false => String::new(),
        };
        format!(
            "{}  epoch {:>2}/{}  loss {:.4}  accuracy {:5.2} %{validated}  norm {:.2}  {:.0} images/s",
            self.label,
            record.epoch,
            self.epochs,
            record.train_loss,
            100.0 * record.train_accuracy,
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
            if *split == Split::Train && name.as_str() == Losses::NAME {
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
        let curve = self.curve.push(record);
        match files::write_json(&self.path, &curve) {
            Ok(()) => self.display.line(&self.bar, &line),
            Err(error) => self.interrupter.fail(CheckpointerError::Unknown(error.to_string())),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: usize, valid_accuracy: f64, valid_loss: f64) -> EpochRecord {
        EpochRecord {
            epoch,
            train_loss: 1.0,
            train_accuracy: 0.5,
            valid_loss,
            valid_accuracy,
            norm_mean: 1.0,
            learning_rate: 0.1,
            seconds: 1.0,
        }
    }

    #[test]
    fn whoever_needs_the_figures_of_an_epoch_waits_for_them_unless_the_training_stops() {
        let (curve, interrupter) = (LearningCurve::default(), Interrupter::new());
        let late = {
            let curve = curve.clone();
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(60));
                curve.push(epoch(1, 0.5, 1.0));
            })
        };
        assert_eq!(curve.up_to(1, &interrupter).len(), 1);
        late.join().expect("it pushes");
        interrupter.stop(None);
        let start = Instant::now();
        assert_eq!(curve.up_to(2, &interrupter).len(), 1);
        assert!(start.elapsed() < LONGEST_WAIT);
    }

    #[test]
    fn the_best_epoch_has_the_highest_accuracy_then_the_lowest_loss_and_is_the_first_of_its_equals() {
        let best = |curve: &[EpochRecord]| best_epoch(curve).map(|epoch| epoch.epoch);
        assert_eq!(best(&[epoch(1, 0.8, 1.0), epoch(2, 0.9, 2.0), epoch(3, 0.85, 0.1)]), Some(2));
        assert_eq!(best(&[epoch(1, 0.9, 1.0), epoch(2, 0.9, 0.5), epoch(3, 0.9, 0.5)]), Some(2));
        assert_eq!(best(&[epoch(1, f64::NAN, f64::NAN), epoch(2, f64::NAN, f64::NAN)]), Some(2));
        assert_eq!(best(&[]), None);
    }
}
