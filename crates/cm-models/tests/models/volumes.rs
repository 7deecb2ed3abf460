//! Networks of volumes: Burn's layers in three dimensions, whose gradients nobody else checks here.

use burn::{
    nn::{
        PaddingConfig3d,
        conv::{Conv3d, Conv3dConfig},
    },
    tensor::{Device, Distribution, Tensor, TensorData},
};

/// A convolution with random weights, and a volume of `[1, 2, 5, 6, 7]`.
fn layer(kernel: usize, stride: usize, device: &Device) -> (Conv3d, Tensor<5>) {
    device.seed(3);
    let pad = kernel / 2;
    let layer = Conv3dConfig::new([2, 3], [kernel; 3])
        .with_stride([stride; 3])
        .with_padding(PaddingConfig3d::Explicit(pad, pad, pad))
        .with_bias(false)
        .init(device);
    let x = Tensor::random([2, 2, 5, 6, 7], Distribution::Normal(0.0, 1.0), device);
    (layer, x)
}

/// A loss whose gradient differs from place to place.
fn loss(y: Tensor<5>) -> Tensor<1> {
    let count = y.shape().num_elements();
    let weights: Vec<f32> = (0..count).map(|i| (i * 7919 % 257) as f32 / 128.0 - 1.0).collect();
    let weights = Tensor::from_data(TensorData::new(weights, y.shape()), &y.device());
    (y * weights).sum()
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[test]
fn gradients_of_convolutions_in_three_dimensions_are_those_of_differences() {
    let device = Device::flex().autodiff();
    for (kernel, stride) in [(3, 1), (3, 2), (1, 2), (1, 1)] {
        let (layer, x) = layer(kernel, stride, &device);
        let x = x.require_grad();
        let gradients = loss(layer.forward(x.clone())).backward();
        let of_weight = numbers(layer.weight.grad(&gradients).unwrap());
        let of_input = numbers(x.grad(&gradients).unwrap());
        // The loss is linear in the weights and in the input: a step of any length will do.
        let weight = layer.weight.val();
        let at = |tensor: &Tensor<5>, index: usize, step: f32| -> Tensor<5> {
            let mut values = numbers(tensor.clone());
            values[index] += step;
            Tensor::from_data(TensorData::new(values, tensor.shape()), &device)
        };
        let value = |weight: Tensor<5>, x: Tensor<5>| {
            let layer = Conv3d { weight: burn::module::Param::from_tensor(weight), ..layer.clone() };
            loss(layer.forward(x)).into_scalar::<f32>()
        };
        for index in (0..of_weight.len()).step_by(5) {
            let [up, down] = [1.0, -1.0].map(|step| value(at(&weight, index, step), x.clone()));
            let expected = (up - down) / 2.0;
            let found = of_weight[index];
            assert!(
                (found - expected).abs() < 1e-2 * (1.0 + expected.abs()),
                "kernel {kernel}, stride {stride}, weight {index}: {found} and not {expected}"
            );
        }
        for index in (0..of_input.len()).step_by(17) {
            let [up, down] = [1.0, -1.0].map(|step| value(weight.clone(), at(&x, index, step)));
            let expected = (up - down) / 2.0;
            let found = of_input[index];
            assert!(
                (found - expected).abs() < 1e-2 * (1.0 + expected.abs()),
                "kernel {kernel}, stride {stride}, input {index}: {found} and not {expected}"
            );
        }
    }
}
