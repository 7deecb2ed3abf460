//! The `cm` program, as a shell sees it.
#![allow(missing_docs, clippy::unwrap_used)]

mod data_check;
mod diagnose;
mod look;
mod older;
mod program;
mod shared;
mod shell;
mod signs;
mod study;
mod train;
mod wrong_input;
