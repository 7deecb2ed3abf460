//! Training, from the outside.
#![allow(missing_docs, clippy::unwrap_used)]

mod devices;
mod divergence;
mod gradients;
mod loader;
mod many_classes;
mod model;
mod optimizer;
#[cfg(feature = "__wgpu")]
mod parity;
#[cfg(feature = "remote")]
mod remote;
mod schedule;
mod shared;
mod study;
