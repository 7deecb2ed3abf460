//! Data, training, reports and the program, from the outside.
#![allow(missing_docs, clippy::unwrap_used)]

mod data;
mod gradients;
mod program;
mod report;
mod training;
