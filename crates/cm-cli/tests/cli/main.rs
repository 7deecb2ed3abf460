//! The `cm` program, as a shell sees it.
#![allow(missing_docs, clippy::unwrap_used)]

mod ctrl_c;
mod data_check;
mod diagnose;
mod escape;
mod faces;
mod identify;
mod import;
mod look;
mod medmnist;
mod nodules;
mod obstacles;
mod older;
mod program;
mod rehearse;
mod shared;
mod shell;
mod signs;
mod study;
mod train;
mod verify;
#[cfg(feature = "wgpu")]
mod wgpu;
mod wrong_input;
