//! The formulas against an independent scalar reference, on flex, with the feature `test-ndarray` also on ndarray, or on wgpu.
#![allow(missing_docs, clippy::unwrap_used)]

mod batchwise;
mod builders;
mod cases;
mod centers;
mod errors;
mod formats;
mod fused;
mod golden;
mod heads;
mod interface;
mod laws;
mod memory;
mod norm_maps;
mod options;
mod pairs;
mod partial;
mod parts;
mod presets;
mod reference;
mod refusals;
mod schedules;
mod shared;
mod state;

use burn::tensor::Device;

/// The backends to test, each with gradients.
#[cfg(not(feature = "test-wgpu"))]
fn devices() -> Vec<(&'static str, Device)> {
    vec![
        ("flex", Device::flex().autodiff()),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated, reason = "ndarray is a second, independent implementation of every operation")]
        ("ndarray", Device::ndarray().autodiff()),
    ]
}

/// The GPU, which may be a program on the CPU.
#[cfg(feature = "test-wgpu")]
fn devices() -> Vec<(&'static str, Device)> {
    vec![("wgpu", Device::wgpu(burn::tensor::DeviceKind::DefaultDevice).autodiff())]
}
