//! A model is one file: safetensors with the weights under PyTorch's names, and a card that says everything else.
//!
//! Whoever has the file needs nothing more to predict: no list of classes, no mean and deviation, no flags.

mod card;
mod export;
mod file;
mod quality;

pub use card::{CARD_FORMAT, ModelCard, Provenance};
pub use export::{Pixels, onnx};
pub use file::{Model, load_weights, save};
pub use quality::{FittedOn, NormQuantiles, QualityMap, QualityScale};
