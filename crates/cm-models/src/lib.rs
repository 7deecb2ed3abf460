//! Backbones for [Burn](https://burn.dev): images in, features out.
//!
//! A backbone knows no loss. [`BackboneConfig`] tells which one it is, as data; its `init` gives a
//! [`Backbone`], whose `forward(images)` returns features `[batch, feature_dim]`. Each network
//! names the paper it is from. [`weights`] writes and reads the numbers of a trained network, under
//! the names that PyTorch has for them, and [`onnx`] its operations.

mod backbone;
mod cifar_resnet;
mod error;
mod lenet_pp;
pub mod onnx;
mod residual;
mod resnet18;
mod resnet3d;
mod sphereface20;
pub mod weights;

pub use backbone::{Backbone, BackboneConfig};
pub use cifar_resnet::{CifarResNet, CifarResNetConfig, Pooling};
pub use error::BackboneError;
pub use lenet_pp::{LeNetPp, LeNetPpConfig};
pub use resnet3d::{ResNet3d, ResNet3dConfig};
pub use resnet18::{ResNet18, ResNet18Config, Stem};
pub use sphereface20::{SphereFace20, SphereFace20Config};
pub use weights::WeightsError;
