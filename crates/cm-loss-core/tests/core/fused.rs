//! The loss that goes class by class against that with the matrix of logits: every part, every option, awkward shapes.

use burn::{
    module::Param,
    tensor::{Device, Int, Tensor},
};
use cm_loss_core::{
    ClassSampling, HeadConfig, LossOptions, LossPath, MarginHead, MarginHeadConfig, Preset,
    margin::MarginGradient,
    regularizer::{CentreLoss, CentreSpread},
};

use crate::{
    cases::Values,
    devices,
    shared::{relative_error, tensor, values},
};

/// The heads with class centres.
fn presets() -> impl Iterator<Item = (Preset, MarginHeadConfig)> {
    Preset::ALL.iter().filter_map(|preset| match preset.config() {
        HeadConfig::Margin(config) => Some((*preset, config)),
        _ => None,
    })
}

#[derive(Debug, Clone, Copy)]
struct Shape {
    batch: usize,
    dim: usize,
    classes: usize,
}

struct Batch {
    features: Vec<Vec<f64>>,
    targets: Vec<i32>,
}

impl Shape {
    /// Features of very different lengths, some near their centres; targets in the first, the last and other classes.
    fn batch(&self, seed: u64, ignored: Option<i32>) -> Batch {
        let mut random = Values::new(seed);
        let mut features = random.matrix(self.batch, self.dim);
        for (i, row) in features.iter_mut().enumerate() {
            let factor = [0.5, 8.0, 30.0, 0.0][if i == 3 { 3 } else { i % 3 }];
            row.iter_mut().for_each(|value| *value = f64::from((*value * factor) as f32));
        }
        let of = |i: usize| match i % 4 {
            _ if ignored.is_some() && i % 5 == 2 => ignored.unwrap(),
            0 => (self.classes - 1) as i32,
            1 => 0,
            _ => ((i * 7919 + seed as usize) % self.classes) as i32,
        };
        Batch { features, targets: (0..self.batch).map(of).collect() }
    }

    fn head(&self, config: &MarginHeadConfig, path: LossPath, device: &Device) -> MarginHead {
        let mut head = config.clone().with_path(path).init(self.dim, self.classes, device).unwrap();
        let rows = self.classes * config.sub_centres;
        head.class_centres = Param::from_tensor(tensor(&Values::new(17).matrix(rows, self.dim), device));
        head
    }
}

/// Everything that a step gives, with its name.
fn step(head: &MarginHead, batch: &Batch, device: &Device) -> Vec<(&'static str, Vec<f64>)> {
    let x = tensor(&batch.features, device).require_grad();
    let output = head.loss(x.clone(), Tensor::<1, Int>::from_data(&batch.targets[..], device));
    // Samples of different weight, so that no row stands for another.
    let weights: Vec<f32> = (0..batch.targets.len()).map(|i| 0.3 + 0.1 * (i % 7) as f32).collect();
    let total = (output.loss.clone() * Tensor::<1>::from_data(&weights[..], device)).sum();
    let gradients = total.backward();
    let mut found = vec![
        ("loss", values(output.loss)),
        ("gradient of the features", values(x.grad(&gradients).unwrap())),
        ("gradient of the centres", values(head.class_centres.val().grad(&gradients).unwrap())),
        ("norms", values(output.norms)),
        ("predictions", output.predictions.into_data().iter::<f64>().collect()),
    ];
    found.extend(output.weights.map(|weights| ("weights", values(weights))));
    let radius = head.learned_radius.as_ref().and_then(|radius| radius.val().grad(&gradients));
    found.extend(radius.map(|radius| ("gradient of the radius", values(radius))));
    let (logits, _) = head.logits(tensor(&Values::new(3).matrix(2, head.class_centres.dims()[1]), device));
    found.push(("logits afterwards", values(logits)));
    found
}

/// Largest error of three steps, by the two paths, after each other; statistics move in between.
fn compare(shape: Shape, config: &MarginHeadConfig, device: &Device, budget: usize) -> Vec<(String, f64)> {
    let plain = shape.head(config, LossPath::Plain, device);
    let fused = shape.head(config, LossPath::Fused { budget }, device);
    let mut errors = Vec::new();
    for seed in 1..4 {
        let batch = shape.batch(seed, config.options.ignore_index.map(|index| index as i32));
        let (expected, found) = (step(&plain, &batch, device), step(&fused, &batch, device));
        assert_eq!(found.len(), expected.len());
        for ((name, found), (_, expected)) in found.iter().zip(&expected) {
            if *name == "predictions" {
                let same = found.iter().zip(expected).filter(|(a, b)| a == b).count();
                // Of a zero feature all cosines are 0, and the first class is the prediction of either.
                assert_eq!(same, found.len(), "{shape:?}: {found:?}, not {expected:?}");
            } else {
                errors.push((format!("{name}, step {seed}"), relative_error(found, expected)));
            }
        }
    }
    errors
}

fn check(name: &str, shape: Shape, config: &MarginHeadConfig) {
    for (backend, device) in devices() {
        for budget in [1, 20_000] {
            for (what, error) in compare(shape, config, &device, budget) {
                assert!(error < 1e-5, "{backend}, {name}, {shape:?}, {what}: {error:e}");
            }
        }
    }
}

#[test]
fn every_preset_is_the_same_class_by_class() {
    for (preset, config) in presets() {
        check(preset.name(), Shape { batch: 9, dim: 6, classes: 77 }, &config);
    }
}

#[test]
fn every_option_is_the_same_class_by_class() {
    let shape = Shape { batch: 12, dim: 5, classes: 40 };
    let options = [
        LossOptions { label_smoothing: 0.1, ..LossOptions::default() },
        LossOptions { focus: 2.0, label_smoothing: 0.05, ..LossOptions::default() },
        LossOptions { ignore_index: Some(-7), ..LossOptions::default() },
        LossOptions {
            class_weights: Some((0..40).map(|j| f64::from(j % 3)).collect()),
            ignore_index: Some(-7),
            label_smoothing: 0.2,
            focus: 0.5,
        },
    ];
    for (preset, config) in presets() {
        for options in &options {
            check(preset.name(), shape, &config.clone().with_options(options.clone()));
        }
    }
}

#[test]
fn parts_beside_the_margin_are_the_same_class_by_class() {
    let shape = Shape { batch: 10, dim: 6, classes: 50 };
    for (preset, config) in presets() {
        let sampling = ClassSampling { fraction: 0.3, seed: 5 };
        check(preset.name(), shape, &config.clone().with_sampling(sampling));
        check(preset.name(), shape, &config.clone().with_margin_gradient(MarginGradient::Detached));
        check(preset.name(), shape, &config.clone().with_centre_loss(CentreLoss { weight: 0.01, rate: 0.5 }));
        if config.sub_centres == 1 {
            let spread = CentreSpread { weight: 0.1, sharpness: 2.0 };
            check(preset.name(), shape, &config.with_centre_spread(spread));
        }
    }
}
