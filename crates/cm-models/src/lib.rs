//! Backbones for [Burn](https://burn.dev): images in, features out.
//!
//! A backbone knows no loss. Each has a config with `init(&device)` and a `forward(images)` that returns features
//! `[batch, feature_dim]`, and names the paper it is from.

mod lenet_pp;

pub use lenet_pp::{LeNetPp, LeNetPpConfig};
