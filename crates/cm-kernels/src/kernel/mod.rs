//! The arithmetic, on slices.

pub mod activation;
pub mod batch_norm;
pub mod convolution;
pub mod descent;
pub mod grouped;
mod padded;
pub mod parameters;
pub mod pooling;
pub mod shape;
pub mod workspace;
