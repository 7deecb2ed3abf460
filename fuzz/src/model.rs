//! Model files.

use std::{fs, path::Path, sync::OnceLock};

use burn::tensor::Device;
use cm_loss_core::Preset;
use cm_models::{BackboneConfig, weights};
use cm_train::{
    classifier::Classifier,
    model::{CARD_FORMAT, Model, ModelCard, Provenance, save},
};

use crate::{
    memory::{Limit, within},
    place::Place,
};

/// A weight of one byte is a number of four, which is drawn, replaced, and held with its gradient's name. A byte of the card
/// may be a number of eight in a list that grows.
const PER_BYTE: usize = 64;

/// The bytes as a model file: the card, its classes and its quality, and the network. A model that was read and is written is
/// read as the same.
pub fn model(bytes: &[u8]) {
    let place = Place::new();
    let path = place.file("model.safetensors", bytes);
    let limit = Limit::per_byte(PER_BYTE, bytes.len());
    let card = within("reading the card", limit, || Model::read_card(&path));
    let found = within("looking for a card", limit, || Model::find_card(&path));
    if let Ok(card) = &card {
        assert_eq!(text(&found.expect("it was read")), text(&Some(card.clone())));
        for norm in [f64::NEG_INFINITY, -1.0, 0.0, 0.5, 3.0, 1e300, f64::INFINITY, f64::NAN] {
            assert!(card.quality_of(norm).is_none_or(|quality| quality <= 100), "the quality of {norm}");
        }
    }
    let read = within("reading", limit, || Model::read(&path, &Device::flex()));
    let Ok(read) = read else { return };
    assert_eq!(text(&read.card), text(&card.expect("the model was read")));
    let again = written(&place, &read);
    let second = Model::read(Path::new(&place.path().join("again.safetensors")), &Device::flex());
    assert_eq!(written(&place, &second.expect("it was written so")), again);
}

/// The bytes as the card of a model whose weights are right for the smallest network.
pub fn card(bytes: &[u8]) {
    if let Ok(card) = std::str::from_utf8(bytes) {
        model(&with_card(card));
    }
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("it was read from JSON")
}

fn written(place: &Place, model: &Model) -> Vec<u8> {
    let path = place.path().join("again.safetensors");
    save(&path, &model.card, &model.network).expect("a temporary file can be written");
    fs::read(path).expect("it was written")
}

/// A card of the smallest network: two classes, and images of 8 x 8 pixels.
pub(crate) fn smallest(loss: Preset) -> ModelCard {
    let input = r#"{"width":8,"height":8,"channels":1,"resize":"none","mean":[0.5],"std":[0.25]}"#;
    ModelCard {
        format: CARD_FORMAT,
        backbone: BackboneConfig::lenet_pp(1),
        feature_dim: 2,
        loss: loss.name().to_owned(),
        head: loss.config(),
        classes: ["a", "b"].map(str::to_owned).to_vec(),
        input: serde_json::from_str(input).expect("it is an input"),
        provenance: Provenance::default(),
        norms: None,
        quality: None,
    }
}

fn network(card: &ModelCard) -> Classifier {
    Classifier::new(card.parts(), 0, &Device::flex()).expect("the smallest network can be made")
}

/// The file of a network with random weights.
pub(crate) fn file(card: &ModelCard) -> Vec<u8> {
    let place = Place::new();
    let path = place.path().join("model.safetensors");
    save(&path, card, &network(card)).expect("a temporary file can be written");
    fs::read(path).expect("it was written")
}

/// The smallest model with another text in the place of its card.
fn with_card(card: &str) -> Vec<u8> {
    static PARTS: OnceLock<(String, Vec<u8>)> = OnceLock::new();
    let (tensors, data) = PARTS.get_or_init(|| {
        let network = network(&smallest(Preset::CosFace));
        let file = weights::save(&network, &Default::default()).expect("weights can be read back");
        let (length, rest) = file.split_first_chunk::<8>().expect("a file has a header");
        let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
        let tensors = String::from_utf8_lossy(&header[1..]).into_owned();
        (tensors, data.to_vec())
    });
    let header = format!(r#"{{"__metadata__":{{"cm_loss_card":{}}},{tensors}"#, text(&card));
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}
