//! The fast layers against Burn's own, in value and in every gradient.
#![allow(missing_docs, clippy::unwrap_used)]

mod batch_norm;
mod layers;
mod sgd;

use burn::{
    module::Param,
    nn::conv::Conv2d,
    tensor::{Device, Tensor, TensorData},
};

/// A backend without kernels of ours.
#[cfg(feature = "test-ndarray")]
#[allow(deprecated, reason = "it is tested while it exists")]
fn ndarray() -> Device {
    Device::ndarray().autodiff()
}

/// Values in (−1, 1), the same on every machine.
fn values(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1u64 << 23) as f32) - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn tensor<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values(shape.iter().product(), seed), shape), device)
}

fn list<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// Largest difference as a share of the largest magnitude.
fn error(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-30, |m: f64, v| m.max(v.abs()));
    let worst = found.iter().zip(expected).map(|(f, e)| (f - e).abs());
    worst.fold(0.0, |m: f64, d| if d.is_nan() { f64::INFINITY } else { m.max(d) }) / largest
}

/// Output, and gradients of the input and of what `gradients_of` gives, for a weighted sum of the output of `run`.
fn results(
    input: &Tensor<4>,
    run: impl Fn(Tensor<4>) -> Tensor<4>,
    gradients_of: impl Fn(&burn::tensor::Gradients) -> Vec<Vec<f64>>,
) -> Vec<Vec<f64>> {
    let x = input.clone().require_grad();
    let y = run(x.clone());
    let weights = tensor(y.dims(), 99, &y.device());
    let gradients = (y.clone() * weights).sum().backward();
    let mut found = vec![list(y), list(x.grad(&gradients).unwrap())];
    found.extend(gradients_of(&gradients));
    found
}

fn with_values(layer: Conv2d, device: &Device) -> Conv2d {
    let weight = tensor(layer.weight.dims(), 5, device);
    let bias = layer.bias.as_ref().map(|bias| Param::from_tensor(tensor(bias.dims(), 6, device)));
    Conv2d { weight: Param::from_tensor(weight), bias, ..layer }
}
