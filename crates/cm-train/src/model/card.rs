//! What a model is, but for its weights.

use cm_data::InputSpec;
use cm_loss_core::HeadConfig;
use cm_models::BackboneConfig;
use serde::{Deserialize, Serialize};

use super::{NormQuantiles, QualityScale};
use crate::classifier::Parts;

/// Version of the layout of [`ModelCard`]; raised when a reader of an older card would misread it.
pub const CARD_FORMAT: u32 = 2;

/// What a model is, but for its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// Layout of the card, see [`CARD_FORMAT`].
    pub format: u32,
    /// Images to features.
    pub backbone: BackboneConfig,
    /// Dimensions of the feature.
    pub feature_dim: usize,
    /// Name of the loss, for people.
    pub loss: String,
    /// Features to classes.
    pub head: HeadConfig,
    /// Names of the classes, in the order of the logits.
    pub classes: Vec<String>,
    /// What is done to an image before the backbone sees it.
    pub input: InputSpec,
    /// Where the model comes from.
    pub provenance: Provenance,
    /// The norms of the images that it learned from. Format 1 had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub norms: Option<NormQuantiles>,
    /// From a norm to a quality, once that was calibrated. Format 1 had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<QualityScale>,
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Name of the data.
    pub data: String,
    /// Checksum of the data.
    pub checksum: String,
    /// Seed of the training.
    pub seed: u64,
    /// Name of the file whose weights it started from, if it did not start from random ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<String>,
    /// Epochs trained.
    pub epochs: usize,
    /// Accuracy on the validation images, from 0 to 1, if there were some.
    pub valid_accuracy: Option<f64>,
    /// Version of the program.
    pub version: String,
    /// Commit of the program; empty outside a checkout.
    pub commit: String,
}

impl ModelCard {
    /// Channels, height and width of the images that the backbone sees.
    pub fn image(&self) -> [usize; 3] {
        [self.input.channels, self.input.height, self.input.width]
    }

    /// The quality of an image with a feature of this norm, from 0 to 100: calibrated where that was done, otherwise the share of
    /// training images with a shorter norm. `None` for a model that knows neither, and for a norm that is not a number.
    pub fn quality_of(&self, norm: f64) -> Option<u8> {
        match (&self.quality, &self.norms) {
            (Some(scale), _) => scale.map.quality(norm),
            (None, Some(norms)) => norms.quality(norm),
            (None, None) => None,
        }
    }

    /// What the network is made of.
    pub fn parts(&self) -> Parts<'_> {
        Parts {
            backbone: &self.backbone,
            input: self.image(),
            feature_dim: self.feature_dim,
            head: &self.head,
            classes: self.classes.len(),
        }
    }
}
