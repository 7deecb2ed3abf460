//! The model files beside the checkpoints: the best and the last.

use std::path::PathBuf;

use burn::{
    module::Module,
    store::ModuleRecord,
    train::{
        Interrupter,
        checkpoint::{Checkpoint, Checkpointer, CheckpointerError},
    },
};

use super::{
    checkpoint::AtomicCheckpointer,
    epoch_log::{LearningCurve, best_epoch},
};
use crate::{
    classifier::Classifier,
    model::{self, ModelCard},
};

/// Name of the model of the best epoch.
pub const BEST: &str = "model.safetensors";
/// Name of the model of the last epoch.
pub const LAST: &str = "last.safetensors";

/// Saves the exact checkpoint of each epoch, then the model files.
pub(super) struct ModelKeeper {
    pub(super) exact: AtomicCheckpointer,
    pub(super) template: Classifier,
    pub(super) card: ModelCard,
    pub(super) folder: PathBuf,
    pub(super) curve: LearningCurve,
    /// Told when the training stops.
    pub(super) interrupter: Interrupter,
    /// Whether the best epoch counts, or the last.
    pub(super) select_best: bool,
}

impl Checkpointer<ModuleRecord> for ModelKeeper {
    fn save(&self, epoch: usize, record: ModuleRecord) -> Result<(), CheckpointerError> {
        self.exact.save(epoch, record)?;
        let record = Checkpoint::load(self.exact.path(epoch))?;
        let network = self.template.clone().load_record(record);
        let curve = self.curve.up_to(epoch, &self.interrupter);
        let mut card = self.card.clone();
        let of_epoch = curve.iter().find(|found| found.epoch == epoch);
        card.provenance.epochs = epoch;
        card.provenance.valid_accuracy =
            of_epoch.map(|found| found.valid_accuracy).filter(|accuracy| accuracy.is_finite());
        let write = |name: &str| {
            let path = self.folder.join(name);
            model::save(&path, &card, &network).map_err(|error| CheckpointerError::Unknown(error.to_string()))
        };
        if !self.select_best || best_epoch(&curve).is_none_or(|best| best.epoch == epoch) {
            write(BEST)?;
        }
        write(LAST)
    }

    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        Checkpointer::<ModuleRecord>::delete(&self.exact, epoch)
    }

    fn restore(&self, epoch: usize) -> Result<ModuleRecord, CheckpointerError> {
        self.exact.restore(epoch)
    }
}
