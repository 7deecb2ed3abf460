//! Reading and writing model files.

use std::{collections::BTreeMap, fs, io, path::Path};

use burn::tensor::Device;
use cm_loss_core::HeadConfig;
use cm_models::weights;
use cm_record::files;
use serde::Deserialize;

use super::{CARD_FORMAT, ModelCard};
use crate::{Error, classifier::Classifier};

/// Name of the card among the metadata of the file.
const CARD: &str = "cm_loss_card";

/// A network with its card, as read from a file.
#[derive(Debug)]
pub struct Model {
    /// What it is.
    pub card: ModelCard,
    /// The network, ready to predict.
    pub network: Classifier,
}

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] if the file is no model of ours, of a newer version, or damaged; [`Error::Weights`] if the
    /// weights are not those that the card tells of.
    pub fn read(path: &Path, device: &Device) -> Result<Self, Error> {
        let bytes = bytes_of(path)?;
        let card = card_of(path, &bytes)?;
        may_have(path, &card, bytes.len())?;
        let network = Classifier::weighted(card.parts(), 0, device, |network| filled(path, &bytes, network))?;
        Ok(Self { card, network })
    }

    /// The card of a model file.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), but for the weights.
    pub fn read_card(path: &Path) -> Result<ModelCard, Error> {
        let bytes = bytes_of(path)?;
        card_of(path, &bytes)
    }

    /// The card of a file that may be a model or hold weights of another origin, which have none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read; [`Error::Model`] if its card is damaged or of a newer version.
    pub fn find_card(path: &Path) -> Result<Option<ModelCard>, Error> {
        let bytes = bytes_of(path)?;
        match weights::metadata(&bytes) {
            Ok(metadata) if metadata.contains_key(CARD) => card_of(path, &bytes).map(Some),
            _ => Ok(None),
        }
    }
}

/// The bytes of a model file.
fn bytes_of(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => {
                "there is no such file; training writes its model as model.safetensors"
            }
            io::ErrorKind::IsADirectory => {
                "this is a folder; give the model in it, as a rule model.safetensors"
            }
            _ => return Error::io("read", path)(error),
        };
        Error::Model { path: path.to_owned(), reason: reason.to_owned() }
    })
}

/// Writes a model file, whole or not at all.
///
/// # Errors
///
/// [`Error::Weights`] or [`Error::Io`]; an older file is then still there.
pub fn save(path: &Path, card: &ModelCard, network: &Classifier) -> Result<(), Error> {
    let model = |reason: String| Error::Model { path: path.to_owned(), reason };
    let text = serde_json::to_string(card).map_err(|error| model(format!("the card: {error}")))?;
    let metadata = BTreeMap::from([(CARD.to_owned(), text)]);
    let failed = |source| Error::Weights { path: path.to_owned(), source };
    let bytes = weights::save(network, &metadata).map_err(failed)?;
    files::write_atomically(path, &bytes).map_err(Error::io("write", path))
}

/// A network of the same parts with the weights of a file.
///
/// # Errors
///
/// As [`Model::read`].
pub fn load_weights(path: &Path, network: Classifier, device: &Device) -> Result<Classifier, Error> {
    use burn::module::Module;
    let bytes = bytes_of(path)?;
    filled(path, &bytes, network.fork(device).valid())
}

/// Whether a file of this many bytes can have the weights of a network with such numbers. What a network holds beside its
/// weights is made with it, before the file is compared with it.
fn may_have(path: &Path, card: &ModelCard, bytes: usize) -> Result<(), Error> {
    let width = card.backbone.width();
    let centers = match &card.head {
        HeadConfig::Margin(head) => card.classes.len().saturating_mul(head.sub_centers),
        _ => card.classes.len(),
    };
    let most = width.saturating_mul(width).max(card.feature_dim.saturating_mul(centers));
    if most <= bytes {
        return Ok(());
    }
    let reason = format!(
        "its card tells of a width of {width}, {} feature dimensions and {centers} class centers, which are more weights \
         than its {bytes} bytes hold",
        card.feature_dim,
    );
    Err(Error::Model { path: path.to_owned(), reason })
}

fn filled(path: &Path, bytes: &[u8], network: Classifier) -> Result<Classifier, Error> {
    weights::load(network, bytes).map_err(|source| Error::Weights { path: path.to_owned(), source })
}

fn card_of(path: &Path, bytes: &[u8]) -> Result<ModelCard, Error> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let model = |reason: String| Error::Model { path: path.to_owned(), reason };
    let metadata =
        weights::metadata(bytes).map_err(|source| Error::Weights { path: path.to_owned(), source })?;
    let Some(text) = metadata.get(CARD) else {
        return Err(model(
            "it is a safetensors file without the card of a model; `cm train` writes such files, and `--init` takes \
             weights without a card"
                .to_owned(),
        ));
    };
    let damaged = |error: serde_json::Error| model(format!("its card is damaged: {error}"));
    let Format { format } = serde_json::from_str(text).map_err(damaged)?;
    if format > CARD_FORMAT {
        return Err(model(format!(
            "its card has format {format}, and this program reads up to format {CARD_FORMAT}: use a newer version"
        )));
    }
    serde_json::from_str(text).map_err(damaged)
}
