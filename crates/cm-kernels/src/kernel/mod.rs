//! The arithmetic, on slices.

pub mod activation;
mod columns;
pub mod convolution;
mod gemm;
pub mod pooling;
pub mod shape;
mod workspace;
