//! Training: a model with its card, one network by Burn's Learner, and studies of many networks.
//!
//! | what | where |
//! |---|---|
//! | a network, its head and everything needed to use them, in one file | [`model`] |
//! | one training, resumable to the bit | [`training`] |
//! | predictions, norms and confidences of images | [`evaluation`] |
//! | many trainings with one record | [`study`] |
//! | the backend | [`device`] |

pub mod classifier;
pub mod device;
mod error;
pub mod evaluation;
pub mod gradients;
pub mod metric;
pub mod model;
pub mod monitor;
mod stoppable;
pub mod study;
pub mod training;

pub use error::{Error, quoted};
