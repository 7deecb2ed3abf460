//! What the options of the loss do, for every preset.

use burn::{
    nn::loss::Reduction,
    tensor::{Device, Tensor},
};
use cm_loss_core::{Head, LossOptions, Preset};

use crate::{
    cases::Values,
    devices,
    shared::{gradient_of_centers, relative_error, tensor, values, with_centers},
};

const CLASSES: usize = 5;
const DIM: usize = 4;

fn head(preset: Preset, options: &LossOptions, device: &Device) -> Head {
    let head = preset.config().with_options(options.clone()).unwrap().init(DIM, CLASSES, device).unwrap();
    let [rows, _] = head.class_centers().dims();
    with_centers(head, &Values::new(11).matrix(rows, DIM), device)
}

/// Mean loss, loss of each sample, gradients of features and centers, and the logits of other features afterwards, which
/// show what the head remembers.
struct Step {
    mean: f64,
    loss: Vec<f64>,
    by_features: Vec<f64>,
    by_centers: Vec<f64>,
    logits_after: Vec<f64>,
}

fn step(head: &Head, features: &[Vec<f64>], targets: &[i32], device: &Device) -> Step {
    let x = tensor(features, device).require_grad();
    let output = head.forward(x.clone(), Tensor::from_data(targets, device));
    let mean = output.mean_loss();
    let gradients = mean.clone().backward();
    let others = tensor(&Values::new(3).matrix(3, DIM), device);
    Step {
        mean: values(mean)[0],
        loss: values(output.loss),
        by_features: values(x.grad(&gradients).unwrap()),
        by_centers: gradient_of_centers(head, &gradients),
        logits_after: values(head.logits(others).0),
    }
}

fn features() -> Vec<Vec<f64>> {
    Values::new(5).matrix(6, DIM).iter().map(|row| row.iter().map(|v| 8.0 * v).collect()).collect()
}

#[test]
fn ignored_samples_cost_nothing_and_count_nowhere() {
    let ignoring = LossOptions { ignore_index: Some(-1), ..LossOptions::default() };
    for (backend, device) in devices() {
        for &preset in Preset::ALL {
            let name = format!("{backend}, {preset}");
            let (whole, part) = (head(preset, &ignoring, &device), head(preset, &ignoring, &device));
            for _ in 0..2 {
                let with = step(&whole, &features(), &[1, 0, 4, 4, -1, -1], &device);
                let without = step(&part, &features()[..4], &[1, 0, 4, 4], &device);
                assert!(
                    with.loss[4..] == [0.0, 0.0] && with.by_features[4 * DIM..] == [0.0; 2 * DIM],
                    "{name}"
                );
                let pairs = [
                    (&with.loss[..4], &without.loss[..]),
                    (&with.by_features[..4 * DIM], &without.by_features[..]),
                    (&with.by_centers[..], &without.by_centers[..]),
                    (&with.logits_after[..], &without.logits_after[..]),
                ];
                for (i, (found, expected)) in pairs.into_iter().enumerate() {
                    let error = relative_error(found, expected);
                    assert!(error < 1e-5, "{name}, {i}: {error:e}");
                }
                assert!((with.mean / without.mean - 1.0).abs() < 1e-5, "{name}");
            }
        }
    }
}

#[test]
fn a_batch_of_ignored_samples_has_no_loss_and_leaves_no_trace() {
    let ignoring = LossOptions { ignore_index: Some(255), ..LossOptions::default() };
    for (backend, device) in devices() {
        for &preset in Preset::ALL {
            let head = head(preset, &ignoring, &device);
            let others = || tensor(&Values::new(3).matrix(3, DIM), &device);
            let before = values(head.logits(others()).0);
            let step = step(&head, &features(), &[255; 6], &device);
            assert_eq!((step.mean, step.loss), (0.0, vec![0.0; 6]), "{backend}, {preset}");
            assert!(
                step.by_features.iter().chain(&step.by_centers).all(|g| *g == 0.0),
                "{backend}, {preset}"
            );
            assert_eq!(step.logits_after, before, "{backend}, {preset}");
        }
    }
}

#[test]
fn a_sample_of_weight_two_counts_as_two() {
    let mut class_weights = vec![1.0; CLASSES];
    class_weights[4] = 2.0;
    class_weights[2] = 0.0;
    let weighted = LossOptions { class_weights: Some(class_weights), ..LossOptions::default() };
    for (backend, device) in devices() {
        // Parts with statistics or random margins see another batch when a sample is there twice.
        for preset in [Preset::Softmax, Preset::CmCosFace, Preset::MagFace, Preset::Ring, Preset::SphereFace2]
        {
            let rows = features();
            let doubled = [rows[0].clone(), rows[1].clone(), rows[1].clone(), rows[3].clone()];
            let found = step(&head(preset, &weighted, &device), &rows[..4], &[1, 4, 2, 0], &device);
            let plain = head(preset, &LossOptions::default(), &device);
            let expected = step(&plain, &doubled, &[1, 4, 4, 0], &device);
            assert!((found.mean / expected.mean - 1.0).abs() < 1e-5, "{backend}, {preset}");
            assert!(relative_error(&found.by_centers, &expected.by_centers) < 1e-5, "{backend}, {preset}");
        }
    }
}

#[test]
fn reductions_divide_by_weight_by_batch_or_not_at_all() {
    let (_, device) = devices().remove(0);
    let column = |values: [f32; 4]| Tensor::<1>::from_data(values, &device);
    let head = head(Preset::CosFace, &LossOptions::default(), &device);
    let output = |weights: Option<[f32; 4]>| {
        let mut output =
            head.loss(tensor(&features()[..4], &device), Tensor::from_data([0, 1, 2, 3], &device));
        output.loss = column([1.0, 0.0, 6.0, 3.0]);
        output.weights = weights.map(column);
        output
    };
    let reduced = |weights, reduction| values(output(weights).reduce(reduction))[0];
    let weights = Some([1.0, 0.0, 3.0, 1.0]);
    assert_eq!(reduced(weights, Reduction::Mean), 2.0);
    assert_eq!(reduced(weights, Reduction::Auto), 2.0);
    assert_eq!(reduced(weights, Reduction::BatchMean), 2.5);
    assert_eq!(reduced(weights, Reduction::Sum), 10.0);
    assert_eq!(reduced(None, Reduction::Mean), 2.5);
}

#[test]
fn probabilities_and_predictions_are_those_of_the_inference_logits() {
    for (backend, device) in devices() {
        for &preset in Preset::ALL {
            let head = head(preset, &LossOptions::default(), &device);
            let x = tensor(&features(), &device);
            let logits = values(head.logits(x.clone()).0);
            let probabilities = values(head.probabilities(x.clone()));
            let predictions = values(head.predictions(x).float());
            for (i, (z, p)) in logits.chunks(CLASSES).zip(probabilities.chunks(CLASSES)).enumerate() {
                let best = (0..CLASSES).fold(0, |best, j| if z[j] > z[best] { j } else { best });
                assert_eq!(predictions[i], best as f64, "{backend}, {preset}");
                let total: f64 = z.iter().map(|other| (other - z[best]).exp()).sum();
                for j in 0..CLASSES {
                    let expected = match preset {
                        Preset::SphereFace2 | Preset::UniTsFace => 1.0 / (1.0 + (-z[j]).exp()),
                        _ => (z[j] - z[best]).exp() / total,
                    };
                    assert!((p[j] - expected).abs() < 1e-6, "{backend}, {preset}: {} {expected}", p[j]);
                }
            }
        }
    }
}
