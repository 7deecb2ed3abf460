//! Value and gradient of every head.

use burn::{
    module::Param,
    nn::Linear,
    tensor::{Device, Int, Tensor, TensorData},
};
use cm_loss_core::{
    Head, HeadConfig, LinearHead, Margin, MarginHead, MarginHeadConfig, NormMap, Preset, Regularizer,
    margin::{AngularMargin, AngularOverflow, CosineMargin},
    norm_map::{Constant, SigmoidContraction},
};

use crate::{
    cases::{self, Case},
    devices,
    reference::{self, Phi, T},
};

fn tensor(rows: &[Vec<f64>], device: &Device) -> Tensor<2> {
    let flat: Vec<f32> = rows.iter().flatten().map(|&v| v as f32).collect();
    Tensor::from_data(TensorData::new(flat, [rows.len(), rows[0].len()]), device)
}

fn targets(targets: &[usize], device: &Device) -> Tensor<1, Int> {
    let targets: Vec<i32> = targets.iter().map(|&t| t as i32).collect();
    Tensor::from_data(TensorData::new(targets.clone(), [targets.len()]), device)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

fn margin_head(phi: Phi, t: T, centres: &[Vec<f64>], device: &Device) -> MarginHead {
    let norm_map = match phi {
        Phi::Identity => NormMap::Identity,
        Phi::Constant(scale) => NormMap::Constant(Constant { scale }),
        Phi::Sigmoid(scale) => NormMap::Sigmoid(SigmoidContraction { scale }),
    };
    let angular = |margin, overflow| Margin::Angular(AngularMargin { margin, overflow });
    let margin = match t {
        T::None => Margin::None,
        T::Cosine(margin) => Margin::Cosine(CosineMargin { margin }),
        T::AngularMonotone(m) => angular(m, AngularOverflow::MonotoneTail),
        T::AngularEasy(m) => angular(m, AngularOverflow::Easy),
        T::AngularPlain(m) => angular(m, AngularOverflow::Plain),
    };
    let config = MarginHeadConfig { norm_map, margin, regularizer: Regularizer::None };
    let mut head = config.init(centres[0].len(), centres.len(), device).unwrap();
    head.class_centres = Param::from_tensor(tensor(centres, device));
    head
}

/// Largest difference, as a share of the largest expected magnitude.
fn relative_error(actual: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(actual.len(), expected.len());
    let largest = expected.iter().fold(1e-30, |m: f64, v| m.max(v.abs()));
    let differ = actual.iter().zip(expected).map(|(a, e)| (a - e).abs());
    differ.fold(0.0, |m: f64, d| if d.is_nan() { f64::INFINITY } else { m.max(d) }) / largest
}

const PHIS: [Phi; 3] = [Phi::Identity, Phi::Constant(30.0), Phi::Sigmoid(30.0)];
const MARGINS: [T; 5] =
    [T::None, T::Cosine(0.4), T::AngularMonotone(0.5), T::AngularEasy(0.5), T::AngularPlain(0.5)];

fn for_every_head(check: impl Fn(&str, Phi, T, &Case, &Device)) {
    for (backend, device) in devices() {
        for case in cases::all() {
            for phi in PHIS {
                for margin in MARGINS {
                    let name = format!("{backend}, {phi:?} x {margin:?}, {}", case.name);
                    check(&name, phi, margin, &case, &device);
                }
            }
        }
    }
}

#[test]
fn losses_and_training_logits_agree_with_the_scalar_reference() {
    for_every_head(|name, phi, margin, case, device| {
        let head = margin_head(phi, margin, &case.centres, device);
        let x = tensor(&case.features, device);
        let y = targets(&case.targets, device);
        let rows = case.features.iter().zip(&case.targets);
        let expected_logits: Vec<f64> = rows
            .clone()
            .flat_map(|(x, &y)| reference::training_logits(phi, margin, x, &case.centres, y))
            .collect();
        let expected: Vec<f64> =
            rows.map(|(x, &y)| reference::loss(phi, margin, x, &case.centres, y)).collect();

        let logits = values(head.training_logits(x.clone(), y.clone()));
        // Where sin θ is rounding noise, cos(θ + m) inherits its root: about sqrt(f32 epsilon).
        let angular = !matches!(margin, T::None | T::Cosine(_)) && case.name.contains("parallel");
        let tolerance = if angular { 5e-4 } else { 2e-6 };
        let error = relative_error(&logits, &expected_logits);
        assert!(error < tolerance, "{name}: logits are off by {error:e}");

        // A loss of nearly 0 is a difference of large logits, so that its error is measured against those.
        let scale = expected_logits.iter().fold(1.0, |m: f64, v| m.max(v.abs()));
        let loss = values(head.forward_no_reduction(x, y));
        for (actual, expected) in loss.iter().zip(&expected) {
            assert!((actual - expected).abs() < tolerance * scale, "{name}: loss {actual}, not {expected}");
        }
    });
}

#[test]
fn gradients_agree_with_finite_differences_of_the_reference() {
    for_every_head(|name, phi, margin, case, device| {
        let head = margin_head(phi, margin, &case.centres, device);
        let x = tensor(&case.features, device).require_grad();
        let gradients = head.forward_no_reduction(x.clone(), targets(&case.targets, device)).sum().backward();
        let by_features = values(x.grad(&gradients).unwrap());
        let by_centres = values(head.class_centres.val().grad(&gradients).unwrap());
        assert!(by_features.iter().chain(&by_centres).all(|g| g.is_finite()), "{name}: not finite");

        let dim = case.features[0].len();
        for (i, row) in by_features.chunks(dim).enumerate() {
            if reference::length(&case.features[i]) == 0.0 {
                assert!(row.iter().all(|&g| g == 0.0), "{name}: a zero feature has gradient {row:?}");
                continue;
            }
            // Rows have gradients of very different size, so each is held to its own. What rounding of the
            // cosines (1e-7, times the radius, over the norm) leaves is the floor.
            let norm = reference::length(&case.features[i]);
            let expected = reference::gradient(&case.features[i..=i], |x| {
                reference::loss(phi, margin, &x[0], &case.centres, case.targets[i])
            });
            let expected = &expected[0];
            let floor = reference::phi(phi, norm) * 1e-6 / norm;
            let largest = expected.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            for (actual, expected) in row.iter().zip(expected) {
                let error = (actual - expected).abs();
                let allowed = 1e-4 * largest + floor * sharpness(margin, case, i);
                assert!(error < allowed, "{name}: gradient of feature {i} is {actual}, not {expected}");
            }
        }

        let expected = reference::gradient(&case.centres, |centres| {
            let rows = case.features.iter().zip(&case.targets);
            rows.map(|(x, &y)| reference::loss(phi, margin, x, centres, y)).sum()
        });
        let expected: Vec<f64> = expected.into_iter().flatten().collect();
        let radius = case.features.iter().map(|x| reference::phi(phi, reference::length(x)));
        let floor = radius.fold(0.0, f64::max) * 2e-6 * sharpness(margin, case, 0);
        let largest = expected.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        for (actual, expected) in by_centres.iter().zip(&expected) {
            let error = (actual - expected).abs();
            assert!(
                error < 1e-4 * largest + floor,
                "{name}: gradient of centres is {actual}, not {expected}"
            );
        }
    });
}

/// The derivative of an angular margin, 1 / sin θ, is about 1 / sqrt(f32 epsilon) for parallel vectors.
fn sharpness(margin: T, case: &Case, _row: usize) -> f64 {
    let angular = !matches!(margin, T::None | T::Cosine(_));
    if angular && case.name.contains("parallel") { 3e3 } else { 1.0 }
}

#[test]
fn cm_cosface_is_the_formula_of_its_authors() {
    // z_j = sigmoid(||x||) * s * (cos(theta_j) - m * [j = y]), s = 30, m = 0.4
    for (backend, device) in devices() {
        let case = &cases::all()[0];
        let Head::Margin(mut head) = Preset::CmCosFace.config().init(16, 10, &device).unwrap() else {
            panic!("CM-CosFace has class centres")
        };
        head.class_centres = Param::from_tensor(tensor(&case.centres, &device));
        let logits = head.training_logits(tensor(&case.features, &device), targets(&case.targets, &device));
        let mut expected = Vec::new();
        for (x, &y) in case.features.iter().zip(&case.targets) {
            let r = reference::length(x);
            for (j, w) in case.centres.iter().enumerate() {
                let cosine = x.iter().zip(w).map(|(a, b)| a * b).sum::<f64>() / r / reference::length(w);
                let margin = if j == y { 0.4 } else { 0.0 };
                expected.push(1.0 / (1.0 + (-r).exp()) * 30.0 * (cosine - margin));
            }
        }
        let error = relative_error(&values(logits), &expected);
        assert!(error < 1e-6, "{backend}: off by {error:e}");
    }
}

#[test]
fn linear_softmax_agrees_with_the_reference_in_value_and_gradient() {
    for (backend, device) in devices() {
        for case in cases::all() {
            let (dim, classes) = (case.centres[0].len(), case.centres.len());
            let bias: Vec<f64> = (0..classes).map(|j| 0.25 * j as f64 - 0.5).collect();
            let weight = tensor(&case.centres, &device).transpose();
            let head = LinearHead {
                linear: Linear {
                    weight: Param::from_tensor(weight),
                    bias: Some(Param::from_tensor(
                        tensor(std::slice::from_ref(&bias), &device).squeeze_dim(0),
                    )),
                },
            };
            assert_eq!(head.linear.weight.dims(), [dim, classes]);
            let x = tensor(&case.features, &device).require_grad();
            let output = head.forward(x.clone(), targets(&case.targets, &device));
            let logits = |x: &[f64]| -> Vec<f64> {
                let dot = |w: &Vec<f64>| x.iter().zip(w).map(|(a, b)| a * b).sum::<f64>();
                case.centres.iter().zip(&bias).map(|(w, b)| dot(w) + b).collect()
            };
            let expected: Vec<f64> = case.features.iter().flat_map(|x| logits(x)).collect();
            let error = relative_error(&values(output.logits), &expected);
            assert!(error < 1e-6, "{backend}, {}: logits are off by {error:e}", case.name);
            let expected: Vec<f64> = case.features.iter().map(|x| reference::length(x)).collect();
            let error = relative_error(&values(output.norms), &expected);
            assert!(error < 1e-6, "{backend}, {}: norms are off by {error:e}", case.name);

            let gradients = output.loss.sum().backward();
            let actual = values(x.grad(&gradients).unwrap());
            let by_row = |i: usize| {
                let y = case.targets[i];
                reference::gradient(&case.features[i..=i], |x| reference::cross_entropy(&logits(&x[0]), y))
            };
            let expected = (0..case.features.len()).flat_map(by_row).flatten();
            for (actual, expected) in actual.iter().zip(expected) {
                let allowed = 1e-4 * expected.abs() + 1e-5;
                assert!(
                    (actual - expected).abs() < allowed,
                    "{backend}, {}: {actual}, not {expected}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn inference_logits_have_no_margin_and_agree_with_the_forward_pass() {
    for (backend, device) in devices() {
        for case in cases::all() {
            for preset in Preset::ALL {
                let head = preset.config().init(case.centres[0].len(), case.centres.len(), &device).unwrap();
                let x = tensor(&case.features, &device);
                let output = head.forward(x.clone(), targets(&case.targets, &device));
                let (logits, norms) = head.logits(x);
                assert_eq!(
                    values(output.logits),
                    values(logits.clone()),
                    "{backend}, {preset}, {}",
                    case.name
                );
                assert_eq!(values(output.norms), values(norms));
                if let (Head::Margin(head), HeadConfig::Margin(config)) = (&head, preset.config()) {
                    let bare = MarginHeadConfig { margin: Margin::None, ..config };
                    let mut bare = bare.init(case.centres[0].len(), case.centres.len(), &device).unwrap();
                    bare.class_centres = head.class_centres.clone();
                    let x = tensor(&case.features, &device);
                    let expected = values(bare.training_logits(x, targets(&case.targets, &device)));
                    assert!(relative_error(&values(logits), &expected) < 1e-6);
                }
            }
        }
    }
}
