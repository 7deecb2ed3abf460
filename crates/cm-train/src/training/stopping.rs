//! Ending a training that has stopped improving.

use burn::train::{EarlyStoppingStrategy, Interrupter, metric::store::EventStoreClient};
use cm_record::EpochRecord;

use super::epoch_log::{LearningCurve, best_epoch};

/// Whether the best epoch lies at least `patience` epochs back.
pub fn has_stopped_improving(curve: &[EpochRecord], patience: Option<usize>) -> bool {
    let Some(patience) = patience else { return false };
    let Some(best) = best_epoch(curve) else { return false };
    curve.last().is_some_and(|last| last.epoch - best.epoch >= patience)
}

/// [`has_stopped_improving`] as Burn's Learner asks for it.
#[derive(Clone)]
pub(super) struct Patience {
    pub(super) curve: LearningCurve,
    pub(super) patience: usize,
    /// Told when the training stops.
    pub(super) interrupter: Interrupter,
}

impl EarlyStoppingStrategy for Patience {
    fn should_stop(&mut self, epoch: usize, _store: &EventStoreClient) -> bool {
        has_stopped_improving(&self.curve.up_to(epoch, &self.interrupter), Some(self.patience))
    }
}
