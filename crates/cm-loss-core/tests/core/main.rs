//! The formulas against an independent scalar reference, on every CPU backend.
#![allow(missing_docs, clippy::unwrap_used)]

mod cases;
mod errors;
mod golden;
mod heads;
mod laws;
mod options;
mod parts;
mod presets;
mod quality_golden;
mod reference;
mod shared;
mod state;

use burn::tensor::Device;

/// The CPU backends, each with gradients.
fn devices() -> Vec<(&'static str, Device)> {
    #[allow(deprecated, reason = "ndarray is a second, independent implementation of every operation")]
    let ndarray = Device::ndarray();
    vec![("flex", Device::flex().autodiff()), ("ndarray", ndarray.autodiff())]
}
