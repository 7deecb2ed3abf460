//! Value and gradient of every head.

use burn::{module::Param, nn::Linear};
use cm_loss_core::{
    Head, HeadConfig, Margin, MarginHeadConfig, NormMap, Preset, norm_map::SigmoidContraction,
};

use crate::{
    cases::{self, Case},
    devices,
    pairs::{Pair, for_every_head, margin_head, margins},
    reference::{self, Phi, T},
    shared::{relative_error, targets, tensor, values},
};

#[test]
fn losses_and_training_logits_agree_with_the_scalar_reference() {
    for_every_head(|name, phi, margin, case, head, device| {
        let x = tensor(&case.features, device);
        let y = targets(&case.targets, device);
        let rows = case.features.iter().zip(&case.targets);
        let expected_logits: Vec<f64> = rows
            .clone()
            .flat_map(|(x, &y)| reference::training_logits(phi, margin, x, &case.centers, y))
            .collect();
        let expected: Vec<f64> =
            rows.map(|(x, &y)| reference::loss(phi, margin, x, &case.centers, y)).collect();

        // Training first: the statistics of the training logits are those after the batch.
        let loss = values(head.forward_no_reduction(x.clone(), y.clone()));
        let annealed = matches!(margin, T::Annealed(..));
        let logits = match annealed {
            // This one has moved on to its second step.
            true => expected_logits.clone(),
            false => values(head.training_logits(x, y)),
        };
        // Where sin θ is rounding noise, cos(θ + m) inherits its root: about sqrt(f32 epsilon).
        let tolerance = if margin.is_steep() && case.name.contains("parallel") { 5e-4 } else { 2e-6 };
        let error = relative_error(&logits, &expected_logits);
        assert!(error < tolerance, "{name}: logits are off by {error:e}");

        // A loss of nearly 0 is a difference of large logits, so that its error is measured against those.
        let scale = expected_logits.iter().fold(1.0, |m: f64, v| m.max(v.abs()));
        for (actual, expected) in loss.iter().zip(&expected) {
            assert!((actual - expected).abs() < tolerance * scale, "{name}: loss {actual}, not {expected}");
        }
    });
}

#[test]
fn gradients_agree_with_finite_differences_of_the_reference() {
    for_every_head(|name, phi, margin, case, head, device| {
        let x = tensor(&case.features, device).require_grad();
        let gradients = head.forward_no_reduction(x.clone(), targets(&case.targets, device)).sum().backward();
        let by_features = values(x.grad(&gradients).unwrap());
        let by_centers = values(head.class_centers.val().grad(&gradients).unwrap());
        assert!(by_features.iter().chain(&by_centers).all(|g| g.is_finite()), "{name}: not finite");

        let dim = case.features[0].len();
        for (i, row) in by_features.chunks(dim).enumerate() {
            if reference::length(&case.features[i]) == 0.0 {
                assert!(row.iter().all(|&g| g == 0.0), "{name}: a zero feature has gradient {row:?}");
                continue;
            }
            // Rows have gradients of very different size, so each is held to its own. What rounding of the
            // cosines (1e-7, times the radius, over the norm) leaves is the floor.
            let norm = reference::length(&case.features[i]);
            let fixed = margin.fixed_at(norm);
            let expected = reference::gradient(&case.features[i..=i], |x| {
                reference::loss(phi, fixed, &x[0], &case.centers, case.targets[i])
            });
            let expected = &expected[0];
            if norm == 0.0 {
                assert!(row.iter().all(|g| *g == 0.0), "{name}: gradient of feature {i} is {row:?}, not 0");
                continue;
            }
            let floor = reference::phi(phi, norm) * 1e-6 / norm;
            let largest = expected.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            for (actual, expected) in row.iter().zip(expected) {
                let error = (actual - expected).abs();
                let allowed = 1e-4 * largest + floor * sharpness(margin, case);
                assert!(error < allowed, "{name}: gradient of feature {i} is {actual}, not {expected}");
            }
        }

        let expected = reference::gradient(&case.centers, |centers| {
            let rows = case.features.iter().zip(&case.targets);
            rows.map(|(x, &y)| reference::loss(phi, margin, x, centers, y)).sum()
        });
        let expected: Vec<f64> = expected.into_iter().flatten().collect();
        let radius = case.features.iter().map(|x| reference::phi(phi, reference::length(x)));
        // The last term is the rounding of the differences themselves.
        let floor = radius.fold(0.0, f64::max) * 2e-6 * sharpness(margin, case) + 1e-9;
        let largest = expected.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        for (actual, expected) in by_centers.iter().zip(&expected) {
            let error = (actual - expected).abs();
            assert!(
                error < 1e-4 * largest + floor,
                "{name}: gradient of centers is {actual}, not {expected}"
            );
        }
    });
}

#[test]
fn ten_thousand_classes_agree_with_the_reference() {
    let case = cases::many_classes();
    // The targets, the first, the last and one between.
    let rows = [case.targets[0], case.targets[1], 0, 4321, 9999];
    let (dim, phi) = (case.centers[0].len(), Phi::Sigmoid(30.0));
    let map = NormMap::Sigmoid(SigmoidContraction { scale: 30.0 });
    for (backend, device) in devices() {
        for Pair { reference: t, part } in margins(&case) {
            let name = format!("{backend}, {t:?}");
            let head = margin_head(&map, &part, &case.centers, &device);
            let x = tensor(&case.features, &device).require_grad();
            let loss = head.forward_no_reduction(x.clone(), targets(&case.targets, &device));
            let found = values(loss.clone());
            let gradients = loss.sum().backward();
            let by_features = values(x.grad(&gradients).unwrap());
            let by_centers = values(head.class_centers.val().grad(&gradients).unwrap());
            let mut expected_by_centers = vec![0.0; rows.len() * dim];
            for (i, (x, &y)) in case.features.iter().zip(&case.targets).enumerate() {
                let fixed = t.fixed_at(reference::length(x));
                let expected = reference::loss(phi, t, x, &case.centers, y);
                assert!(
                    (found[i] / expected - 1.0).abs() < 1e-5,
                    "{name}: loss {}, not {expected}",
                    found[i]
                );
                let by_feature = reference::gradient(&case.features[i..=i], |x| {
                    reference::loss(phi, fixed, &x[0], &case.centers, y)
                });
                let error = relative_error(&by_features[i * dim..(i + 1) * dim], &by_feature[0]);
                assert!(error < 1e-4, "{name}: gradient of feature {i} is off by {error:e}");
                let chosen: Vec<Vec<f64>> = rows.iter().map(|&row| case.centers[row].clone()).collect();
                let by_chosen = reference::gradient(&chosen, |chosen| {
                    let mut centers = case.centers.clone();
                    rows.iter().zip(chosen).for_each(|(&row, center)| centers[row] = center.clone());
                    reference::loss(phi, fixed, x, &centers, y)
                });
                let sum = expected_by_centers.iter_mut().zip(by_chosen.concat());
                sum.for_each(|(total, gradient)| *total += gradient);
            }
            let found: Vec<f64> =
                rows.iter().flat_map(|row| by_centers[row * dim..(row + 1) * dim].to_vec()).collect();
            let error = relative_error(&found, &expected_by_centers);
            assert!(error < 1e-4, "{name}: gradient of centers is off by {error:e}");
        }
    }
}

/// The derivative of an angular margin, 1 / sin θ, is about 1 / sqrt(f32 epsilon) for parallel vectors.
fn sharpness(margin: T, case: &Case) -> f64 {
    if margin.is_steep() && case.name.contains("parallel") { 3e3 } else { 1.0 }
}

#[test]
fn cm_cosface_is_the_formula_of_its_authors() {
    // z_j = sigmoid(||x||) * s * (cos(theta_j) - m * [j = y]), s = 30, m = 0.4
    for (backend, device) in devices() {
        let case = &cases::all()[0];
        let Head::Margin(mut head) = Preset::CmCosFace.config().init(16, 10, &device).unwrap() else {
            panic!("CM-CosFace has class centers")
        };
        head.class_centers = Param::from_tensor(tensor(&case.centers, &device));
        let logits = head.training_logits(tensor(&case.features, &device), targets(&case.targets, &device));
        let mut expected = Vec::new();
        for (x, &y) in case.features.iter().zip(&case.targets) {
            let r = reference::length(x);
            for (j, w) in case.centers.iter().enumerate() {
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
            let (dim, classes) = (case.centers[0].len(), case.centers.len());
            let bias: Vec<f64> = (0..classes).map(|j| 0.25 * j as f64 - 0.5).collect();
            let weight = tensor(&case.centers, &device).transpose();
            let Head::Linear(mut head) = Preset::Softmax.config().init(dim, classes, &device).unwrap() else {
                panic!("Softmax is a linear head")
            };
            let bias_tensor = tensor(std::slice::from_ref(&bias), &device).squeeze_dim(0);
            head.linear =
                Linear { weight: Param::from_tensor(weight), bias: Some(Param::from_tensor(bias_tensor)) };
            assert_eq!(head.linear.weight.dims(), [dim, classes]);
            let x = tensor(&case.features, &device).require_grad();
            let output = head.forward(x.clone(), targets(&case.targets, &device));
            let logits = |x: &[f64]| -> Vec<f64> {
                let dot = |w: &Vec<f64>| x.iter().zip(w).map(|(a, b)| a * b).sum::<f64>();
                case.centers.iter().zip(&bias).map(|(w, b)| dot(w) + b).collect()
            };
            let expected: Vec<f64> = case.features.iter().flat_map(|x| logits(x)).collect();
            let error = relative_error(&values(output.logits()), &expected);
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
            let by_features: Vec<f64> = (0..case.features.len()).flat_map(by_row).flatten().collect();

            // Weights and bias together, a row a class with its bias at the end.
            let layer: Vec<Vec<f64>> =
                case.centers.iter().zip(&bias).map(|(w, b)| [w.as_slice(), &[*b]].concat()).collect();
            let expected = reference::gradient(&layer, |layer| {
                let logit = |x: &[f64], row: &[f64]| -> f64 {
                    x.iter().zip(row).map(|(a, b)| a * b).sum::<f64>() + row[dim]
                };
                let rows = case.features.iter().zip(&case.targets);
                rows.map(|(x, &y)| {
                    let logits: Vec<f64> = layer.iter().map(|row| logit(x, row)).collect();
                    reference::cross_entropy(&logits, y)
                })
                .sum()
            });
            let weight = head.linear.weight.val().grad(&gradients).unwrap().transpose();
            let gradient_of_bias = values(head.linear.bias.as_ref().unwrap().val().grad(&gradients).unwrap());
            let by_weight: Vec<f64> = expected.iter().flat_map(|row| row[..dim].to_vec()).collect();
            let by_bias: Vec<f64> = expected.iter().map(|row| row[dim]).collect();
            let pairs = [
                ("features", actual, by_features),
                ("weight", values(weight), by_weight),
                ("bias", gradient_of_bias, by_bias),
            ];
            for (what, actual, expected) in pairs {
                let largest = expected.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
                for (actual, expected) in actual.iter().zip(expected) {
                    let allowed = 1e-4 * largest + 1e-5;
                    assert!(
                        (actual - expected).abs() < allowed,
                        "{backend}, {}: gradient of {what} is {actual}, not {expected}",
                        case.name
                    );
                }
            }
        }
    }
}

#[test]
fn inference_logits_have_no_margin_and_agree_with_the_forward_pass() {
    for (backend, device) in devices() {
        for case in cases::all() {
            for &preset in Preset::ALL {
                let head = preset.config().init(case.centers[0].len(), case.centers.len(), &device).unwrap();
                let x = tensor(&case.features, &device);
                let output = head.forward(x.clone(), targets(&case.targets, &device));
                let (logits, norms) = head.logits(x);
                assert_eq!(
                    values(output.logits()),
                    values(logits.clone()),
                    "{backend}, {preset}, {}",
                    case.name
                );
                assert_eq!(values(output.norms), values(norms));
                if let (Head::Margin(head), HeadConfig::Margin(config)) = (&head, preset.config()) {
                    let bare = MarginHeadConfig { margin: Margin::None, ..config };
                    let mut bare = bare.init(case.centers[0].len(), case.centers.len(), &device).unwrap();
                    bare.class_centers = head.class_centers.clone();
                    let (x, y) = (tensor(&case.features, &device), targets(&case.targets, &device));
                    // Its statistics, if it keeps any, take in the same batch.
                    bare.forward(x.clone(), y.clone());
                    let expected = values(bare.training_logits(x, y));
                    assert!(relative_error(&values(logits), &expected) < 1e-6);
                }
            }
        }
    }
}
