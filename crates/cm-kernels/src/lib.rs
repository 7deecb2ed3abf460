//! Layers that run faster on Burn's CPU backend flex, and are Burn's own everywhere else.
//!
//! The layers are Burn's: [`Conv2d`](burn::nn::conv::Conv2d), [`PRelu`](burn::nn::PRelu) and
//! [`MaxPool2d`](burn::nn::pool::MaxPool2d), with their configs, weights and records. [`Fast`] gives them a second way to
//! run:
//!
//! ```
//! use burn::{nn::conv::Conv2dConfig, tensor::{Device, Distribution, Tensor}};
//! use cm_kernels::Fast;
//!
//! let device = Device::flex();
//! let convolution = Conv2dConfig::new([3, 8], [5, 5]).init(&device);
//! let images = Tensor::<4>::random([2, 3, 28, 28], Distribution::Default, &device);
//! let difference = convolution.fast(images.clone()) - convolution.forward(images);
//! assert!(difference.abs().max().into_scalar::<f32>() < 1e-5);
//! ```
//!
//! With the Cargo feature `flex`, on flex and in 32-bit floats, `fast` runs the kernels of this crate, with
//! gradients of their own. In every other case it *is* `forward`. Values and gradients agree within rounding; for a fixed
//! number of threads they are the same in every run.

#[cfg(feature = "flex")]
mod autodiff;
#[cfg(feature = "flex")]
mod extension;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "flex")]
mod kernel;
mod layers;
mod sgd;

pub use layers::Fast;
pub use sgd::{Sgd, Velocity};
