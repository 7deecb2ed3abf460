//! Parts that look at more than their own sample, against the scalar reference: whole batches, with the gradient through what
//! samples share; and margins whose gradient is not that of their value.

use burn::{module::Param, tensor::Device};
use cm_loss_core::{
    Margin, MarginHeadConfig, NormMap,
    margin::{CircleMargin, FunFaceMargin, MarginForm, PerClassMargin, RankedMargin},
    norm_map::{Constant, MeanPreserving, SigmoidContraction},
};

use crate::{
    cases::{self, Case},
    devices,
    reference::{self, Phi, T, cosine, length},
    shared::{relative_error, targets, tensor, values},
};

const SCALE: f64 = 30.0;

/// Cases in which no gradient is a difference of numbers that are far larger.
fn all() -> Vec<Case> {
    let smooth =
        ["random", "two-dimensional", "norm 1e-4", "norm 1e4", "one sample", "zero feature among others"];
    let cases: Vec<Case> = cases::all().into_iter().filter(|case| smooth.contains(&case.name)).collect();
    assert_eq!(cases.len(), smooth.len());
    cases
}

/// Losses of a batch `[batch]`, with their gradients by features and by centers.
struct Step {
    losses: Vec<f64>,
    by_features: Vec<f64>,
    by_centers: Vec<f64>,
}

fn step(config: &MarginHeadConfig, case: &Case, device: &Device) -> Step {
    let mut head = config.init(case.centers[0].len(), case.centers.len(), device).unwrap();
    head.class_centers = Param::from_tensor(tensor(&case.centers, device));
    let x = tensor(&case.features, device).require_grad();
    let losses = head.forward_no_reduction(x.clone(), targets(&case.targets, device));
    let gradients = losses.clone().sum().backward();
    Step {
        losses: values(losses),
        by_features: values(x.grad(&gradients).unwrap()),
        by_centers: values(head.class_centers.val().grad(&gradients).unwrap()),
    }
}

/// Losses from the radius and the margin of each sample.
fn losses(radii: &[f64], margins: &[T], x: &[Vec<f64>], centers: &[Vec<f64>], y: &[usize]) -> Vec<f64> {
    let of = |i: usize| reference::loss(Phi::Constant(radii[i]), margins[i], &x[i], centers, y[i]);
    (0..x.len()).map(of).collect()
}

/// Compares a step with the losses that `radii` and `margins` give, and with finite differences of their sum: the margins are
/// constants there, the radii are not.
fn check(
    name: &str,
    config: &MarginHeadConfig,
    case: &Case,
    device: &Device,
    radii: impl Fn(&[Vec<f64>]) -> Vec<f64>,
    margins: &[T],
) {
    let name = format!("{name}, {}", case.name);
    let found = step(config, case, device);
    let of = |x: &[Vec<f64>], centers: &[Vec<f64>]| losses(&radii(x), margins, x, centers, &case.targets);
    let expected = of(&case.features, &case.centers);
    for (found, expected) in found.losses.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-5 * expected.max(1.0), "{name}: loss {found}, not {expected}");
    }
    let by_features = reference::gradient(&case.features, |x| of(x, &case.centers).iter().sum());
    let dim = case.features[0].len();
    for (i, expected) in by_features.iter().enumerate() {
        let row = &found.by_features[i * dim..(i + 1) * dim];
        if length(&case.features[i]) == 0.0 {
            assert!(row.iter().all(|g| *g == 0.0), "{name}: a zero feature has gradient {row:?}");
            continue;
        }
        let error = relative_error(row, expected);
        assert!(error < 3e-4, "{name}: the gradient of feature {i} is off by {error:e}");
    }
    let by_centers = reference::gradient(&case.centers, |centers| of(&case.features, centers).iter().sum());
    let error = relative_error(&found.by_centers, &by_centers.concat());
    assert!(error < 3e-4, "{name}: the gradient of the centers is off by {error:e}");
}

fn constant(margin: Margin) -> MarginHeadConfig {
    MarginHeadConfig::new(NormMap::Constant(Constant { scale: SCALE }), margin)
}

fn norms(x: &[Vec<f64>]) -> Vec<f64> {
    x.iter().map(|row| length(row)).collect()
}

#[test]
fn the_mean_preserving_map_and_its_gradient_through_the_mean_agree_with_the_reference() {
    let map = NormMap::MeanPreserving(MeanPreserving { scale: SCALE, momentum: 0.1 });
    let config = MarginHeadConfig::new(map, Margin::Cosine(Default::default()));
    let cosine_margin = cm_loss_core::margin::CosineMargin::default().margin;
    let radii = |x: &[Vec<f64>]| {
        let sigmoids: Vec<f64> = norms(x).iter().map(|r| 1.0 / (1.0 + (-r).exp())).collect();
        let mean = sigmoids.iter().sum::<f64>() / sigmoids.len() as f64;
        sigmoids.iter().map(|sigmoid| SCALE * sigmoid / mean).collect()
    };
    for (backend, device) in devices() {
        for case in all() {
            let margins = vec![T::Cosine(cosine_margin); case.features.len()];
            check(&format!("{backend}, mean-preserving"), &config, &case, &device, radii, &margins);
        }
    }
}

#[test]
fn ranked_margins_of_both_forms_and_directions_agree_with_the_reference() {
    let mut compared = Vec::new();
    for (backend, device) in devices() {
        for case in all() {
            let found = norms(&case.features);
            let last = (found.len() - 1).max(1) as f64;
            for form in [MarginForm::Angular, MarginForm::Cosine] {
                for difference in [1.0, -0.5] {
                    let margins: Vec<T> = (0..found.len())
                        .map(|i| {
                            let shorter = (0..i).filter(|&j| found[j] <= found[i]).count()
                                + (i + 1..found.len()).filter(|&j| found[j] < found[i]).count();
                            let rank = if found.len() == 1 { 0.5 } else { shorter as f64 / last };
                            let margin = 0.4 * (1.0 + difference * (0.5 - rank));
                            match form {
                                MarginForm::Angular => T::AngularMonotone(margin),
                                _ => T::Cosine(margin),
                            }
                        })
                        .collect();
                    // Norms that differ by rounding alone have no order to speak of.
                    let mut sorted = found.clone();
                    sorted.sort_by(f64::total_cmp);
                    if sorted.windows(2).any(|pair| pair[1] - pair[0] < 1e-5 * pair[1]) {
                        continue;
                    }
                    let config = constant(Margin::Ranked(RankedMargin { margin: 0.4, difference, form }));
                    compared.push(case.name);
                    let name = format!("{backend}, ranked {form:?} {difference}");
                    check(&name, &config, &case, &device, |x| vec![SCALE; x.len()], &margins);
                }
            }
        }
    }
    for name in ["random", "one sample", "zero feature among others"] {
        assert!(compared.contains(&name), "{name}: {compared:?}");
    }
}

#[test]
fn margins_a_class_of_both_forms_agree_with_the_reference() {
    for (backend, device) in devices() {
        for case in all() {
            let of_classes: Vec<f64> = (0..case.centers.len()).map(|j| 0.1 + 0.1 * j as f64).collect();
            for form in [MarginForm::Angular, MarginForm::Cosine] {
                let of = |&y: &usize| match form {
                    MarginForm::Angular => T::AngularMonotone(of_classes[y]),
                    _ => T::Cosine(of_classes[y]),
                };
                let margins: Vec<T> = case.targets.iter().map(of).collect();
                let config = constant(Margin::PerClass(PerClassMargin { margins: of_classes.clone(), form }));
                let name = format!("{backend}, a margin a class, {form:?}");
                check(&name, &config, &case, &device, |x| vec![SCALE; x.len()], &margins);
            }
        }
    }
}

#[test]
fn funface_with_statistics_of_norm_and_certainty_agrees_with_the_reference() {
    let (m, h, a, momentum) = (0.4, 0.333, 0.3, 0.5);
    let margin = FunFaceMargin { margin: m, concentration: h, mixing: a, momentum };
    // Contracted, so that the gradient by the norm is in it too.
    let map = NormMap::Sigmoid(SigmoidContraction { scale: SCALE });
    let config = MarginHeadConfig::new(map, Margin::FunFace(margin));
    let radii = |x: &[Vec<f64>]| norms(x).iter().map(|r| SCALE / (1.0 + (-r).exp())).collect();
    for (backend, device) in devices() {
        for case in all() {
            let held: Vec<f64> = norms(&case.features).iter().map(|r| r.clamp(1e-3, 100.0)).collect();
            let certainty: Vec<f64> = case
                .features
                .iter()
                .zip(&case.targets)
                .map(|(x, &y)| {
                    let of = |j: usize| cosine(x, &case.centers[j]);
                    let others = (0..case.centers.len()).filter(|&j| j != y).map(of);
                    let largest = others.fold(f64::NEG_INFINITY, f64::max);
                    of(y).clamp(0.0, 1.0) / (largest.clamp(0.0, 1.0) + 1e-5)
                })
                .collect();
            let standardized = |values: &[f64], (mean, std): (f64, f64)| -> Vec<f64> {
                let (found_mean, found_std) = reference::statistics(values.iter().copied());
                let mean = mean + momentum * (found_mean - mean);
                let std = if values.len() == 1 { std } else { std + momentum * (found_std - std) };
                values.iter().map(|v| (h * (v - mean) / (std + 1e-5)).clamp(-1.0, 1.0)).collect()
            };
            let of_norms = standardized(&held, (20.0, 100.0));
            let of_certainty = standardized(&certainty, (2.0, 10.0));
            let margins: Vec<T> = of_norms
                .iter()
                .zip(&of_certainty)
                .map(|(r, c)| T::Held(m, (1.0 - a) * r + a * c, 1e-5))
                .collect();
            check(&format!("{backend}, FunFace"), &config, &case, &device, radii, &margins);
        }
    }
}

/// The weights of circle loss count as constants: `dL/d cos θ_j = γ α_j (p_j − [j = y])`.
#[test]
fn circle_loss_and_its_gradient_with_constant_weights_agree_with_the_reference() {
    let m = 0.25;
    let config = constant(Margin::Circle(CircleMargin { margin: m }));
    for (backend, device) in devices() {
        for case in all() {
            let name = format!("{backend}, circle loss, {}", case.name);
            let found = step(&config, &case, &device);
            // Of each sample, by the cosine with each class.
            let mut by_cosines = Vec::new();
            for (i, (x, &y)) in case.features.iter().zip(&case.targets).enumerate() {
                let part = |j: usize| {
                    let c = cosine(x, &case.centers[j]);
                    match j == y {
                        true => ((1.0 + m - c).max(0.0), c - (1.0 - m)),
                        false => ((c + m).max(0.0), c - m),
                    }
                };
                let parts: Vec<(f64, f64)> = (0..case.centers.len()).map(part).collect();
                let logits: Vec<f64> = parts.iter().map(|(weight, by)| SCALE * weight * by).collect();
                let expected = reference::cross_entropy(&logits, y);
                let off = (found.losses[i] - expected).abs();
                assert!(off < 1e-5 * expected.max(1.0), "{name}: loss {}, not {expected}", found.losses[i]);
                let by_cosine = |j: usize| {
                    let p = (-reference::cross_entropy(&logits, j)).exp();
                    SCALE * parts[j].0 * (p - f64::from(u8::from(j == y)))
                };
                by_cosines.push((0..case.centers.len()).map(by_cosine).collect::<Vec<f64>>());
            }
            let along = |x: &[Vec<f64>], centers: &[Vec<f64>]| -> f64 {
                let of = |(x, by): (&Vec<f64>, &Vec<f64>)| -> f64 {
                    by.iter().zip(centers).map(|(by, center)| by * cosine(x, center)).sum()
                };
                x.iter().zip(&by_cosines).map(of).sum()
            };
            let by_features = reference::gradient(&case.features, |x| along(x, &case.centers));
            let dim = case.features[0].len();
            for (i, expected) in by_features.iter().enumerate() {
                if length(&case.features[i]) > 0.0 {
                    let error = relative_error(&found.by_features[i * dim..(i + 1) * dim], expected);
                    assert!(error < 3e-4, "{name}: the gradient of feature {i} is off by {error:e}");
                }
            }
            let by_centers = reference::gradient(&case.centers, |centers| along(&case.features, centers));
            let error = relative_error(&found.by_centers, &by_centers.concat());
            assert!(error < 3e-4, "{name}: the gradient of the centers is off by {error:e}");
        }
    }
}
