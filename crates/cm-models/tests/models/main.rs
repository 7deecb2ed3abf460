//! Networks have the layers, the sizes and the initial weights of their papers, and their weights
//! survive files.
#![allow(missing_docs, clippy::unwrap_used)]

mod backbone;
mod centers;
mod cost;
mod damage;
mod faces;
mod foreign;
mod lenet_pp;
mod onnx;
mod pytorch;
mod shared;
mod volumes;
mod weights;
