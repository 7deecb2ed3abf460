//! Weights to start from.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use burn::module::Module;
use cm_models::weights::{self, ChannelOrder};
use cm_train::{
    Error,
    classifier::Classifier,
    model::{Model, ModelCard},
    study as studies,
    training::Display,
};

use crate::{commands::import, error::CliError};

/// Where the weights come from.
pub struct Start {
    apply: studies::Start,
}

impl Start {
    /// Looks at a file: a model of ours, of which backbone and, with the same classes, head are taken; or a PyTorch state
    /// dict of the backbone.
    ///
    /// # Errors
    ///
    /// A file that holds neither, or another backbone.
    pub fn read(path: &Path, is_bgr: bool, card: &ModelCard, display: Display) -> Result<Self, CliError> {
        let path = path.to_owned();
        let ours = Model::find_card(&path)?;
        if is_bgr && ours.is_some() {
            return Err(CliError::Said(format!(
                "{} is a model of this program, which takes red first: --init-bgr is for weights of other programs",
                path.display()
            )));
        }
        let order = if is_bgr { ChannelOrder::Bgr } else { ChannelOrder::Rgb };
        if let Some(found) = &ours
            && (&found.backbone, found.feature_dim, found.image())
                != (&card.backbone, card.feature_dim, card.image())
        {
            return Err(CliError::Said(format!(
                "{} holds a {} with {} features for {:?}, and the model to train is a {} with {} features for {:?}; \
                 choose the same by --backbone, --stem, --width, --feature-dim, --size and --channels",
                path.display(),
                found.backbone.name(),
                found.feature_dim,
                found.image(),
                card.backbone.name(),
                card.feature_dim,
                card.image()
            )));
        }
        let head = |card: &ModelCard| card.head.clone().with_seed(0).ok();
        let same_head =
            ours.as_ref().is_some_and(|found| head(found) == head(card) && found.classes == card.classes);
        let is_ours = ours.is_some();
        let said = AtomicBool::new(display == Display::Quiet);
        let apply: studies::Start = Arc::new(move |mut network: Classifier| {
            let device = network.devices()[0].clone();
            if is_ours {
                let start = Model::read(&path, &device)?.network;
                network.backbone = start.backbone.fork(&device);
                if same_head {
                    network.head = start.head.fork(&device);
                }
                return Ok(network);
            }
            let failed = |source| Error::Weights { path: path.clone(), source };
            let (backbone, report) =
                weights::load_foreign(network.backbone.clone(), &path, order).map_err(failed)?;
            report.require_blocks(&backbone).map_err(failed)?;
            if !said.swap(true, Ordering::Relaxed) {
                import::say(&path, &report);
            }
            network.backbone = backbone;
            Ok(network)
        });
        Ok(Self { apply })
    }

    /// Puts the weights into a network.
    pub fn apply(&self) -> studies::Start {
        self.apply.clone()
    }
}
