//! Networks have the layers, the sizes and the initial weights of their papers.
#![allow(missing_docs, clippy::unwrap_used)]

mod faces;
mod lenet_pp;
