//! The loss that goes class by class against that with the matrix of logits: every part, every option, awkward shapes.

mod numbers;

use std::sync::Arc;

use burn::{
    module::Param,
    tensor::{Device, Int, Tensor},
};
use cm_loss_core::{
    ClassSampling, Custom, CustomNormMap, HeadConfig, LossOptions, LossPath, Margin, MarginHead,
    MarginHeadConfig, MarginPlace, NormGradient, NormMap, Parameters, Preset, Regularizer,
    margin::MarginGradient,
    regularizer::{CenterLoss, CenterSpread},
};
use proptest::prelude::*;

use crate::{
    cases::Values,
    devices,
    shared::{margin_config, relative_error, tensor, values},
};

/// The heads with class centers.
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
    /// Features of very different lengths, some near their centers; targets in the first, the last and other classes.
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
        let rows = self.classes * config.sub_centers;
        head.class_centers = Param::from_tensor(tensor(&Values::new(17).matrix(rows, self.dim), device));
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
        ("gradient of the centers", values(head.class_centers.val().grad(&gradients).unwrap())),
        ("norms", values(output.norms)),
        ("predictions", output.predictions.into_data().iter::<f64>().collect()),
    ];
    found.extend(output.weights.map(|weights| ("weights", values(weights))));
    let radius = head.learned_radius.as_ref().and_then(|radius| radius.val().grad(&gradients));
    found.extend(radius.map(|radius| ("gradient of the radius", values(radius))));
    let (logits, _) = head.logits(tensor(&Values::new(3).matrix(2, head.class_centers.dims()[1]), device));
    found.push(("logits afterwards", values(logits)));
    found
}

/// Largest error of three steps, by the two paths, after each other; statistics move in between.
fn compare(
    shape: Shape,
    config: &MarginHeadConfig,
    device: &Device,
    budget: usize,
    least: f64,
) -> Vec<(String, f64)> {
    let plain = shape.head(config, LossPath::Plain, device);
    let fused = shape.head(config, LossPath::Fused { budget }, device);
    let mut errors = Vec::new();
    for seed in 1..4 {
        let batch = shape.batch(seed, config.options.ignore_index.map(|index| index as i32));
        let (expected, found) = (step(&plain, &batch, device), step(&fused, &batch, device));
        assert_eq!(found.len(), expected.len());
        for ((name, found), (_, expected)) in found.iter().zip(&expected) {
            if *name == "predictions" {
                // Where two classes are as near as each other within rounding, either may be the prediction.
                let logits = values(plain.logits(tensor(&batch.features, device)).0);
                let of = |row: usize, class: f64| logits[row * shape.classes + class as usize];
                for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
                    let difference = (of(row, *found) - of(row, *expected)).abs();
                    assert!(
                        difference <= 1e-5 * of(row, *expected).abs(),
                        "{shape:?}, {row}: {found}, not {expected}"
                    );
                }
            } else {
                let largest = expected.iter().fold(1e-30, |largest: f64, v| largest.max(v.abs()));
                let error = relative_error(found, expected) * largest / largest.max(least);
                errors.push((format!("{name}, step {seed}"), error));
            }
        }
    }
    errors
}

/// Bytes for a block: a class at a time, which takes long on a GPU that is a program on the CPU, and several.
const BUDGETS: &[usize] = if cfg!(feature = "test-wgpu") { &[40_000] } else { &[1, 20_000] };

fn check(name: &str, shape: Shape, config: &MarginHeadConfig) {
    check_to(1e-5, 0.0, name, shape, config);
}

/// Errors relative to the largest number of a kind, or to `least` where all are smaller.
fn check_to(tolerance: f64, least: f64, name: &str, shape: Shape, config: &MarginHeadConfig) {
    for (backend, device) in devices() {
        for &budget in BUDGETS {
            for (what, error) in compare(shape, config, &device, budget, least) {
                assert!(error < tolerance, "{backend}, {name}, {shape:?}, {what}: {error:e}");
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
        LossOptions { focal_gamma: 2.0, label_smoothing: 0.05, ..LossOptions::default() },
        LossOptions { ignore_index: Some(-7), ..LossOptions::default() },
        LossOptions {
            class_weights: Some((0..40).map(|j| f64::from(j % 3)).collect()),
            ignore_index: Some(-7),
            label_smoothing: 0.2,
            focal_gamma: 0.5,
        },
    ];
    // On a GPU that is a program on the CPU, one of each kind.
    let few = [Preset::CmCosFace, Preset::CurricularFace, Preset::SubCenterArcFace];
    for (preset, config) in
        presets().filter(|(preset, _)| cfg!(not(feature = "test-wgpu")) || few.contains(preset))
    {
        for options in &options {
            check(preset.name(), shape, &config.clone().with_options(options.clone()));
        }
    }
}

#[test]
fn parts_beside_the_margin_are_the_same_class_by_class() {
    let shape = Shape { batch: 10, dim: 6, classes: 50 };
    let few = [Preset::CmCosFace, Preset::CurricularFace, Preset::SubCenterArcFace];
    for (preset, config) in
        presets().filter(|(preset, _)| cfg!(not(feature = "test-wgpu")) || few.contains(preset))
    {
        let sampling = ClassSampling { fraction: 0.3, seed: 5 };
        check(preset.name(), shape, &config.clone().with_sampling(sampling));
        let weighs_others = matches!(config.margin, Margin::Curricular(_) | Margin::Circle(_));
        check(preset.name(), shape, &config.clone().with_margin_gradient(MarginGradient::Detached));
        if !matches!(config.norm_map, NormMap::Constant(_)) {
            check(preset.name(), shape, &config.clone().with_norm_gradient(NormGradient::Detached));
        }
        let compensated = config.clone().with_temperature_compensation(30.0).with_learned_scale();
        check(preset.name(), shape, &compensated);
        if config.regularizer != Regularizer::None {
            check(preset.name(), shape, &config.clone().with_regularizer_from(1));
        }
        if !config.margin.is_none() {
            let warming = config.clone().with_margin_warm_up(2);
            check(preset.name(), shape, &warming);
            let outside = warming.with_margin_place(MarginPlace::Outside { scale: 30.0 });
            // Of a constant norm map nothing is outside, unless its scale is learned.
            let outside = match config.norm_map {
                NormMap::Constant(_) => outside.with_learned_scale(),
                _ => outside,
            };
            if !weighs_others {
                check(preset.name(), shape, &outside);
            }
        }
        if !weighs_others {
            check(preset.name(), shape, &config.clone().with_filter_above(0.2));
        }
        check(preset.name(), shape, &config.clone().with_center_loss(CenterLoss { weight: 0.01, rate: 0.5 }));
        if config.sub_centers == 1 {
            let spread = CenterSpread { weight: 0.1, sharpness: 2.0 };
            check(preset.name(), shape, &config.with_center_spread(spread));
        }
    }
}

#[derive(Debug)]
struct Turned;

impl CustomNormMap for Turned {
    fn name(&self) -> &str {
        "turned"
    }

    fn parameters(&self) -> Parameters {
        Parameters::new()
    }

    fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        norms.zeros_like().sub_scalar(60.0)
    }
}

#[test]
fn with_a_negative_radius_the_largest_logit_is_that_of_the_least_cosine() {
    let turned = NormMap::Custom(Custom(Arc::new(Turned)));
    let config = MarginHeadConfig::new(turned, margin_config(Preset::CosFace).margin);
    check("turned", Shape { batch: 6, dim: 3, classes: 40 }, &config);
}

#[cfg(not(feature = "test-wgpu"))]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn awkward_shapes_are_the_same_class_by_class(
        batch in prop_oneof![1usize..4, 31usize..34, 60usize..70],
        dim in prop_oneof![1usize..6, 15usize..18, 31usize..34, Just(130)],
        classes in prop_oneof![1usize..4, 13usize..16, 60usize..70, Just(700)],
        preset in prop_oneof![
            Just(Preset::CmCosFace), Just(Preset::ArcFace), Just(Preset::CurricularFace), Just(Preset::SubCenterArcFace)
        ],
        sampled in proptest::option::of(0.01f64..1.0),
        smoothing in prop_oneof![Just(0.0), Just(0.1)],
    ) {
        let mut config = margin_config(preset);
        config.options.label_smoothing = smoothing;
        config.sampling = sampled.map(|fraction| ClassSampling { fraction, seed: 1 });
        // In one dimension no cosine is the largest. In few, a feature lies near its center, where an angular margin is steep.
        prop_assume!(dim >= if preset == Preset::CmCosFace { 2 } else { 15 });
        // A logit of 64 is rounded to 4e-6, a probability to as much of itself; of few numbers each counts.
        check_to(2e-5, 0.0, preset.name(), Shape { batch, dim, classes }, &config);
    }
}

#[test]
fn a_batch_of_ignored_samples_moves_nothing() {
    let options = LossOptions { ignore_index: Some(-1), ..LossOptions::default() };
    let config = margin_config(Preset::CmCosFace).with_options(options);
    let shape = Shape { batch: 4, dim: 6, classes: 300 };
    for (backend, device) in devices() {
        let head = shape.head(&config, LossPath::Auto, &device);
        let batch = Batch { targets: vec![-1; 4], ..shape.batch(1, None) };
        for (name, found) in &step(&head, &batch, &device)[..3] {
            assert!(found.iter().all(|v| *v == 0.0), "{backend}, {name}: {found:?}");
        }
    }
}

#[test]
fn the_same_bits_come_out_every_time() {
    let shape = Shape { batch: 40, dim: 48, classes: 3000 };
    let device = Device::flex().autodiff();
    let head = shape.head(&margin_config(Preset::CmCosFace), LossPath::Auto, &device);
    let batch = shape.batch(9, None);
    assert_eq!(step(&head, &batch, &device), step(&head, &batch, &device));
}

#[cfg(not(feature = "test-wgpu"))]
#[test]
fn the_path_is_chosen_by_the_number_of_classes() {
    let device = Device::flex().autodiff();
    let config = margin_config(Preset::CmCosFace);
    let of = |classes: usize, path: LossPath| {
        let shape = Shape { batch: 33, dim: 20, classes };
        step(&shape.head(&config, path, &device), &shape.batch(2, None), &device)
    };
    let fused = LossPath::Fused { budget: LossPath::BUDGET };
    let many = LossPath::LEAST_CLASSES;
    assert_eq!(of(many, LossPath::Auto), of(many, fused));
    assert_eq!(of(many - 1, LossPath::Auto), of(many - 1, LossPath::Plain));
    assert_ne!(of(many, fused), of(many, LossPath::Plain), "rounding is another");
}

#[test]
fn gradients_are_the_same_with_checkpointing() {
    let shape = Shape { batch: 12, dim: 10, classes: 400 };
    let config = margin_config(Preset::CurricularFace);
    for (backend, device) in devices() {
        let results = [device.clone(), device.gradient_checkpointing()].map(|device| {
            let head = shape.head(&config, LossPath::Fused { budget: 1 << 20 }, &device);
            step(&head, &shape.batch(5, None), &device)
        });
        for ((name, with), (_, without)) in results[1].iter().zip(&results[0]) {
            assert!(relative_error(with, without) < 1e-6, "{backend}, {name}");
        }
    }
}
