//! Batch normalization against its formulas in 64 bits. Burn's own layer is no measure of it: where two values stand for a
//! channel the gradient of the input all but cancels, and both are as far from it as their rounding.

use burn::{
    module::{Module, Param},
    nn::{BatchNorm, BatchNormConfig},
    tensor::{Device, Gradients},
};
use cm_kernels::Fast;
use proptest::prelude::*;

use super::{list, results, tensor};

/// One channel: what is right, and the size of the numbers that each is the sum of.
struct Channel {
    mean: f64,
    variance: f64,
    output: Vec<f64>,
    input: Vec<f64>,
    gamma: f64,
    beta: f64,
    output_size: f64,
    input_size: f64,
    gamma_size: f64,
    beta_size: f64,
}

impl Channel {
    /// y = γ x̂ + β with x̂ = (x − mean) / σ, σ = sqrt(variance + ε), for the gradient `g` of y:
    /// dx = γ / σ (g − mean(g) − x̂ mean(g x̂)), dγ = Σ g x̂, dβ = Σ g.
    fn exact(x: &[f64], g: &[f64], gamma: f64, beta: f64, epsilon: f64) -> Self {
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let sigma = (variance + epsilon).sqrt();
        let unit: Vec<f64> = x.iter().map(|x| (x - mean) / sigma).collect();
        let of_beta: f64 = g.iter().sum();
        let of_gamma: f64 = g.iter().zip(&unit).map(|(g, u)| g * u).sum();
        let input = g.iter().zip(&unit).map(|(g, u)| gamma / sigma * (g - of_beta / n - u * of_gamma / n));
        let largest = |values: &[f64]| values.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        // The mean of numbers far from 0 has the rounding of their size.
        let rounding = 1.0 + largest(x) / sigma;
        let terms: f64 = g.iter().map(|g| g.abs()).sum();
        let unit_size = largest(&unit).max(1.0) * rounding;
        Self {
            mean,
            variance,
            output: unit.iter().map(|u| gamma * u + beta).collect(),
            input: input.collect(),
            gamma: of_gamma,
            beta: of_beta,
            output_size: gamma.abs() * unit_size + beta.abs(),
            input_size: gamma.abs() / sigma * largest(g) * unit_size * unit_size,
            gamma_size: terms * unit_size,
            beta_size: terms,
        }
    }
}

/// The values of one channel of images of which each is `[channels, pixels]`.
fn of_channel(values: &[f64], channel: usize, [batch, channels, pixels]: [usize; 3]) -> Vec<f64> {
    let of_image = |image: usize| {
        let start = (image * channels + channel) * pixels;
        values[start..start + pixels].iter().copied()
    };
    (0..batch).flat_map(of_image).collect()
}

fn close(found: &[f64], expected: &[f64], size: f64) -> bool {
    found.len() == expected.len() && found.iter().zip(expected).all(|(f, e)| (f - e).abs() <= 1e-6 * size)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn batch_normalization_agrees_with_its_formulas_in_64_bits_and_keeps_burns_statistics(
        shape in [2usize..6, 1usize..9, 1usize..12, 1usize..12],
        offset in -50.0f64..50.0,
    ) {
        let device = Device::flex().autodiff();
        let channels = shape[1];
        let layer = BatchNormConfig::new(channels).init(&device);
        let gamma = Param::from_tensor(tensor([channels], 8, &device));
        let layer = BatchNorm { gamma, beta: Param::from_tensor(tensor([channels], 9, &device)), ..layer };
        let x = tensor(shape, 3, &device).add_scalar(offset);
        let gradients_of = |gradients: &Gradients| {
            [&layer.gamma, &layer.beta].map(|p| list(p.val().grad(gradients).unwrap())).to_vec()
        };
        let found = results(&x, |x| layer.fast(x), gradients_of);

        let shape3 = [shape[0], channels, shape[2] * shape[3]];
        let g = list(tensor(shape, 99, &device));
        let (gamma, beta) = (list(layer.gamma.val()), list(layer.beta.val()));
        let (running_mean, running_var) = (list(layer.running_mean.value_sync()), list(layer.running_var.value_sync()));
        let values = list(x.clone());
        for c in 0..channels {
            let (x, g) = (of_channel(&values, c, shape3), of_channel(&g, c, shape3));
            let exact = Channel::exact(&x, &g, gamma[c], beta[c], layer.epsilon);
            let output = of_channel(&found[0], c, shape3);
            prop_assert!(close(&output, &exact.output, exact.output_size), "{output:?}, not {:?}", exact.output);
            let input = of_channel(&found[1], c, shape3);
            prop_assert!(close(&input, &exact.input, exact.input_size), "{input:?}, not {:?}", exact.input);
            prop_assert!(close(&found[2][c..=c], &[exact.gamma], exact.gamma_size), "γ: {}", found[2][c]);
            prop_assert!(close(&found[3][c..=c], &[exact.beta], exact.beta_size), "β: {}", found[3][c]);

            // Burn keeps the biased variance; PyTorch the one over n − 1.
            let momentum = layer.momentum;
            let mean = momentum * exact.mean;
            let var = (1.0 - momentum) + momentum * exact.variance;
            let size = 1.0 + offset.abs();
            prop_assert!(close(&[running_mean[c]], &[mean], size), "{} not {mean}", running_mean[c]);
            prop_assert!(close(&[running_var[c]], &[var], size), "{} not {var}", running_var[c]);
        }
    }

    /// Outside training both are the same operation.
    #[test]
    fn with_the_running_statistics_it_is_burns_bit_for_bit(
        shape in [2usize..6, 1usize..9, 1usize..12, 1usize..12],
        offset in -50.0f64..50.0,
    ) {
        let device = Device::flex().autodiff();
        let layer = BatchNormConfig::new(shape[1]).init(&device);
        let x = tensor(shape, 3, &device).add_scalar(offset);
        let _ = layer.fast(x.clone());
        let (layer, x) = (layer.valid(), x.inner());
        prop_assert_eq!(list(layer.fast(x.clone())), list(layer.forward(x)));
    }
}

/// The squares are of differences from a number among the others, which must not be the one that is far from them.
#[test]
fn a_first_pixel_far_from_all_others_does_not_cost_the_variance_its_digits() {
    let device = Device::flex().autodiff();
    let layer = BatchNormConfig::new(1).init(&device);
    let mut values: Vec<f32> =
        list(tensor([4, 1, 60, 60], 3, &device)).iter().map(|&v| v as f32 * 0.01).collect();
    values[0] = 1000.0;
    let x = burn::tensor::Tensor::<4>::from_data(
        burn::tensor::TensorData::new(values.clone(), [4, 1, 60, 60]),
        &device,
    );
    let _ = layer.fast(x);
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    let found = (list(layer.running_var.value_sync())[0] - 0.9) / layer.momentum;
    assert!((found / variance - 1.0).abs() < 1e-5, "{found}, not {variance}");
}
