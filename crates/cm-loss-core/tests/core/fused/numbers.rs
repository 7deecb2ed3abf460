//! Numbers at the ends of their range, and sums of a million.

use burn::{
    module::Param,
    tensor::{DType, Device, Int, Tensor},
};
use cm_loss_core::{LossPath, Margin, MarginHeadConfig, NormMap, Preset, norm_map::Constant};
use proptest::prelude::*;

use super::{Batch, Shape, presets, step};
use crate::{
    cases::Values,
    devices,
    shared::{margin_config, relative_error, tensor, values},
};

#[cfg(not(feature = "test-wgpu"))]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn hostile_features_and_centers_give_finite_numbers(
        row in proptest::collection::vec(magnitudes(), 9),
        center in proptest::collection::vec(magnitudes(), 15),
        targets in [0i32..5, 0i32..5, 0i32..5],
    ) {
        for (preset, config) in presets() {
            // The gradient of a center is as large as the radius, which has no bound there, over the center's norm.
            let limit = match preset {
                Preset::Ring => 1e6,
                // Its penalty is as large as the norm.
                Preset::QcFace => 1e30,
                _ => f64::from(f32::MAX),
            };
            let row: Vec<f64> = row.iter().map(|v| f64::from(*v).clamp(-limit, limit)).collect();
            let center: Vec<f64> = center.iter().map(|v| f64::from(*v)).collect();
            for (backend, device) in devices() {
                let shape = Shape { batch: 3, dim: 3, classes: 5 };
                let mut head = shape.head(&config, LossPath::Fused { budget: 1000 }, &device);
                let centers: Vec<Vec<f64>> = (0..5 * config.sub_centers).map(|i| center[i % 5 * 3..][..3].to_vec()).collect();
                head.class_centers = Param::from_tensor(tensor(&centers, &device));
                let batch = Batch { features: row.chunks(3).map(<[f64]>::to_vec).collect(), targets: targets.to_vec() };
                for (name, found) in step(&head, &batch, &device) {
                    prop_assert!(found.iter().all(|v| v.is_finite()), "{backend}, {preset}, {name}: {found:?}");
                }
            }
        }
    }
}

/// Numbers of every magnitude, and 0.
fn magnitudes() -> impl Strategy<Value = f32> {
    prop_oneof![
        Just(0.0f32),
        -2.0f32..2.0,
        proptest::num::f32::NORMAL,
        proptest::num::f32::SUBNORMAL,
        Just(f32::MAX),
    ]
}

#[test]
fn features_of_16_bits_are_summed_in_32() {
    let shape = Shape { batch: 8, dim: 64, classes: 500 };
    for (backend, device) in devices() {
        let head =
            shape.head(&margin_config(Preset::CmCosFace), LossPath::Fused { budget: 1 << 20 }, &device);
        let plain = shape.head(&margin_config(Preset::CmCosFace), LossPath::Plain, &device);
        let batch = shape.batch(4, None);
        let targets = || Tensor::<1, Int>::from_data(&batch.targets[..], &device);
        for dtype in [DType::F16, DType::BF16] {
            if !device.supports_dtype(dtype) {
                continue;
            }
            let x = tensor(&batch.features, &device).cast(dtype);
            let found = values(head.loss(x.clone(), targets()).loss);
            let expected = values(plain.loss(x.clone(), targets()).loss);
            assert!(
                relative_error(&found, &expected) < 1e-5,
                "{backend}, {dtype:?}: {found:?}, not {expected:?}"
            );
        }
    }
}

#[test]
fn a_small_loss_keeps_its_digits() {
    // Of a feature on its center in a space of its own: log(1 + 3 exp(−64 · 1.0)) is 5e-28.
    let config = MarginHeadConfig::new(NormMap::Constant(Constant { scale: 64.0 }), Margin::None);
    for (backend, device) in devices() {
        let unit = |i: usize| (0..4).map(|k| f64::from(u8::from(i == k))).collect::<Vec<f64>>();
        let with_path = |path| {
            let mut head = config.clone().with_path(path).init(4, 4, &device).unwrap();
            head.class_centers = Param::from_tensor(tensor(&(0..4).map(unit).collect::<Vec<_>>(), &device));
            head
        };
        let fused = with_path(LossPath::Fused { budget: 1 << 20 });
        let plain = with_path(LossPath::Plain);
        let expected = (3.0 * (-64.0f64).exp()).ln_1p();
        let y = || Tensor::<1, Int>::from_data([2], &device);
        let x = tensor(&[unit(2)], &device).require_grad();
        for loss in [
            fused.loss(x.clone(), y()).loss,
            plain.loss(x.clone(), y()).loss,
            plain.forward(x.clone(), y()).loss,
        ] {
            let value = values(loss.clone())[0];
            assert!((value / expected - 1.0).abs() < 1e-5, "{backend}: {value:e}, not {expected:e}");
            // dL/dx_k = p_k s for the others, since x is a unit vector.
            let gradient = values(x.grad(&loss.backward()).unwrap());
            let wanted = 64.0 * (-64.0f64).exp();
            for k in [0, 1, 3] {
                assert!((gradient[k] / wanted - 1.0).abs() < 1e-4, "{backend}: {gradient:?}, not {wanted:e}");
            }
        }
    }
}

#[test]
fn the_loss_is_the_same_with_the_logits_and_without() {
    for (preset, config) in presets() {
        for (backend, device) in devices() {
            let shape = Shape { batch: 7, dim: 6, classes: 30 };
            let batch = shape.batch(3, None);
            let y = || Tensor::<1, Int>::from_data(&batch.targets[..], &device);
            let x = || tensor(&batch.features, &device);
            for path in [LossPath::Plain, LossPath::Fused { budget: 20_000 }] {
                let name = format!("{backend}, {preset}, {path:?}");
                let [with, without] = [(); 2].map(|()| shape.head(&config, path, &device));
                let (a, b) = (x().require_grad(), x().require_grad());
                let (output, expected) = (with.forward(a.clone(), y()), without.loss(b.clone(), y()));
                assert_eq!(values(output.loss.clone()), values(expected.loss.clone()), "{name}");
                let predictions = [output.predictions(), expected.predictions];
                let [found, wanted] = predictions.map(|predictions| values(predictions.float()));
                assert_eq!(found, wanted, "{name}");
                let gradients = [output.loss.sum().backward(), expected.loss.sum().backward()];
                let by_features =
                    [a.grad(&gradients[0]), b.grad(&gradients[1])].map(|gradient| values(gradient.unwrap()));
                assert!(relative_error(&by_features[0], &by_features[1]) < 1e-6, "{name}");
                let centers = [with.class_centers.val(), without.class_centers.val()];
                let by_centers = [0, 1].map(|i| values(centers[i].clone().grad(&gradients[i]).unwrap()));
                assert!(relative_error(&by_centers[0], &by_centers[1]) < 1e-6, "{name}");
            }
        }
    }
}

/// Loss, and gradients of features and centers, of CosFace in 64 bits.
fn cosface(features: &[Vec<f64>], centers: &[Vec<f64>], targets: &[i32], s: f64, m: f64) -> [Vec<f64>; 3] {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let unit = |row: &[f64]| -> (Vec<f64>, f64) {
        let norm = dot(row, row).sqrt();
        (row.iter().map(|v| v / norm).collect(), norm)
    };
    let dim = centers[0].len();
    let units: Vec<(Vec<f64>, f64)> = centers.iter().map(|row| unit(row)).collect();
    let (mut losses, mut by_features) = (Vec::new(), Vec::new());
    let mut by_centers = vec![0.0; centers.len() * dim];
    for (row, &target) in features.iter().zip(targets) {
        let (direction, norm) = unit(row);
        let cosines: Vec<f64> = units.iter().map(|(unit, _)| dot(unit, &direction)).collect();
        let logit = |j: usize| s * (cosines[j] - if j == target as usize { m } else { 0.0 });
        let total: f64 = (0..cosines.len()).map(|j| logit(j).exp()).sum();
        losses.push(total.ln() - logit(target as usize));
        let mut gradient = vec![0.0; dim];
        for (j, (unit, length)) in units.iter().enumerate() {
            let by_cosine = s * (logit(j).exp() / total - f64::from(u8::from(j == target as usize)));
            for k in 0..dim {
                gradient[k] += by_cosine * (unit[k] - cosines[j] * direction[k]) / norm;
                by_centers[j * dim + k] += by_cosine * (direction[k] - cosines[j] * unit[k]) / length;
            }
        }
        by_features.extend(gradient);
    }
    [losses, by_features, by_centers]
}

#[cfg(not(feature = "test-wgpu"))]
#[test]
fn sums_over_a_hundred_thousand_and_a_million_classes_keep_their_digits() {
    let device = Device::flex().autodiff();
    for classes in [100_000, 1_000_000] {
        let shape = Shape { batch: 3, dim: 16, classes };
        let head = shape.head(&margin_config(Preset::CosFace), LossPath::Auto, &device);
        let batch = shape.batch(1, None);
        let x = tensor(&batch.features, &device).require_grad();
        let output = head.loss(x.clone(), Tensor::from_data(&batch.targets[..], &device));
        let gradients = output.loss.clone().sum().backward();
        let centers = Values::new(17).matrix(classes, shape.dim);
        let expected = cosface(&batch.features, &centers, &batch.targets, 30.0, 0.4);
        let found = [
            values(output.loss),
            values(x.grad(&gradients).unwrap()),
            values(head.class_centers.val().grad(&gradients).unwrap()),
        ];
        for (found, expected) in found.iter().zip(&expected) {
            let error = relative_error(found, expected);
            assert!(error < 1e-5, "{classes}: {error:e}");
        }
        // The largest gradients are those of the targets; all others together tell whether their probabilities are right.
        let size = |gradient: &[f64]| {
            let rows = gradient.chunks(shape.dim).enumerate();
            let others = rows.filter(|(class, _)| !batch.targets.contains(&(*class as i32)));
            others.flat_map(|(_, row)| row).map(|v| v.abs()).sum::<f64>()
        };
        let ratio = size(&found[2]) / size(&expected[2]);
        assert!((ratio - 1.0).abs() < 1e-5, "{classes}: {ratio}");
    }
}

#[cfg(not(feature = "test-wgpu"))]
#[test]
fn a_center_that_is_no_number_makes_every_loss_none() {
    let shape = Shape { batch: 6, dim: 8, classes: 300 };
    for (backend, device) in devices() {
        let mut head =
            shape.head(&margin_config(Preset::CosFace), LossPath::Fused { budget: 100_000 }, &device);
        let mut centers = Values::new(17).matrix(300, 8);
        centers[150][3] = f64::NAN;
        head.class_centers = Param::from_tensor(tensor(&centers, &device));
        let batch = shape.batch(1, None);
        let loss =
            head.loss(tensor(&batch.features, &device), Tensor::from_data(&batch.targets[..], &device)).loss;
        assert!(values(loss).iter().all(|loss| loss.is_nan()), "{backend}");
    }
}
