//! A model as ONNX: from the pixels to the features, the logits and the quality.

mod head;
mod quality;

use cm_models::onnx::{Graph, OPSET};

use super::{Model, ModelCard};
use crate::Error;

/// What is stated in the file, by these names.
const CARD: &str = "cm_loss_card";
const PREPROCESSING: &str = "preprocessing";
const CLASSES: &str = "classes";
const QUALITY: &str = "quality";
const PIXELS: &str = "pixels";

/// Where a graph begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// At what the card's preprocessing makes of an image: (v / 255 − mean) / std.
    Normalized,
    /// At values from 0 to 255 of the right size; mean and deviation are in the graph.
    Raw,
}

impl Pixels {
    /// For programs that read the file.
    fn name(self) -> &'static str {
        match self {
            Self::Normalized => "normalized",
            Self::Raw => "raw",
        }
    }
}

/// The ONNX file of a model: `pixels` `[batch, channels, height, width]` go in, and `features`, `norm` `[batch, 1]`, `logits`,
/// `probabilities` and, where the model knows one, `quality` `[batch, 1]` (whole numbers from 0 to 100) come out.
///
/// The card, the classes and the preprocessing are in the metadata, and `pixels`: `normalized` or `raw`.
///
/// # Errors
///
/// [`Error::NotExportable`] for a norm map of somebody's own.
pub fn onnx(model: &Model, pixels: Pixels, version: &str) -> Result<Vec<u8>, Error> {
    let Model { card, network } = model;
    let [channels, height, width] = card.image();
    let mut graph = Graph::new(&card.loss);
    let input = graph.input("pixels", &[channels, height, width]);
    let images = match pixels {
        Pixels::Normalized => input,
        Pixels::Raw => {
            let of_channels =
                |values: &[f32]| -> Vec<f32> { values.iter().map(|value| 255.0 * value).collect() };
            let mean = graph.constant(&[channels, 1, 1], &of_channels(&card.input.mean));
            let std = graph.constant(&[channels, 1, 1], &of_channels(&card.input.std));
            let centered = graph.subtract(&input, &mean);
            graph.divide(&centered, &std)
        }
    };
    let features = network.backbone.export(&mut graph, &images);
    let norm = graph.length(&features);
    let logits = head::logits(&mut graph, &network.head, &features, &norm)?;
    let probabilities = graph.softmax(&logits);
    let classes = card.classes.len();
    graph.output(&features, "features", &[card.feature_dim]);
    graph.output(&norm, "norm", &[1]);
    graph.output(&logits, "logits", &[classes]);
    graph.output(&probabilities, "probabilities", &[classes]);
    if let Some(quality) = quality::of(&mut graph, card, &norm) {
        graph.output(&quality, "quality", &[1]);
    }
    let text = |value: serde_json::Result<String>| {
        value.map_err(|error| Error::NotExportable { reason: format!("its card: {error}") })
    };
    let metadata = [
        (CARD, text(serde_json::to_string(card))?),
        (CLASSES, text(serde_json::to_string(&card.classes))?),
        (PREPROCESSING, preprocessing(card, pixels)),
        (PIXELS, pixels.name().to_owned()),
        (QUALITY, quality::meaning(card)),
    ];
    Ok(graph.into_bytes(version, &metadata))
}

/// What must be done to an image before the graph, in words.
fn preprocessing(card: &ModelCard, pixels: Pixels) -> String {
    let input = &card.input;
    let color = if input.channels == 1 { "gray (ITU-R BT.601)" } else { "red, green, blue" };
    let region = input.region.map_or(String::new(), |[x, y, width, height]| {
        format!("cut out {width} x {height} pixels at ({x}, {y}); ")
    });
    let resize = serde_json::to_string(&input.resize).unwrap_or_default();
    let values = match pixels {
        Pixels::Raw => "values from 0 to 255".to_owned(),
        Pixels::Normalized => {
            format!("(v / 255 - mean) / std with mean {:?} and std {:?}", input.mean, input.std)
        }
    };
    format!(
        "{region}{color}; bring to {} x {} pixels ({}, bilinear with antialiasing); {values}; ONNX opset {OPSET}",
        input.width,
        input.height,
        resize.trim_matches('"')
    )
}
