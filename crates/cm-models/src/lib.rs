//! Backbones for [Burn](https://burn.dev): images in, features out.
//!
//! A backbone knows no loss. [`BackboneConfig`] tells which one it is, as data; its `init` gives a
//! [`Backbone`], whose `forward(images)` returns features `[batch, feature_dim]`. Each network
//! names the paper it is from. [`weights`] writes and reads the numbers of a trained network, under
//! the names that PyTorch has for them, and [`onnx`] its operations.

mod backbone;
mod cifar_resnet;
mod error;
mod iresnet;
mod lenet_pp;
mod mobilefacenet;
pub mod onnx;
mod residual;
mod resnet;
mod resnet3d;
mod sphereface20;
pub mod weights;

pub use backbone::{Backbone, BackboneConfig};
pub use cifar_resnet::{CifarResNet, CifarResNetConfig, Pooling};
pub use error::BackboneError;
pub use iresnet::{IResNet, IResNet18Config, IResNet34Config, IResNet50Config, IResNet100Config};
pub use lenet_pp::{LeNetPp, LeNetPpConfig};
pub use mobilefacenet::{MobileFaceNet, MobileFaceNetConfig};
pub use resnet::{ResNet, ResNet18Config, ResNet50Config, Stem};
pub use resnet3d::{ResNet3d, ResNet3dConfig};
pub use sphereface20::{SphereFace20, SphereFace20Config};
pub use weights::WeightsError;
