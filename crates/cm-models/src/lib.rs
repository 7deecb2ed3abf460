//! Backbones for [Burn](https://burn.dev): images in, features out.
//!
//! A backbone knows no loss. Each has a config with `init(&device)` and a `forward(images)` that returns features
//! `[batch, feature_dim]`, and names the paper it is from.

mod lenet_pp;
mod resnet18;
mod sphereface20;

pub use lenet_pp::{LeNetPp, LeNetPpConfig};
pub use resnet18::{ResNet18, ResNet18Config};
pub use sphereface20::{SphereFace20, SphereFace20Config};
