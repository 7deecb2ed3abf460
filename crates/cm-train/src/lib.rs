//! Training and honest evaluation of norm-aware losses: data of known quality, Burn's Learner, reports.
//!
//! The `cm` program is a thin shell over this library: [`experiment::run`] trains and tests, [`report`] turns what
//! it left behind into tables and pictures.

pub mod classifier;
pub mod data;
pub mod device;
mod error;
pub mod experiment;
mod files;
pub mod gradients;
pub mod metric;
pub mod report;
pub mod training;

pub use error::Error;
