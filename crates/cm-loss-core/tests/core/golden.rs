//! Losses and gradients of every preset against PyTorch in 64-bit floats (`tools/golden.py`).

use burn::{
    module::Param,
    tensor::{Device, Tensor},
};
use cm_loss_core::{
    Head, HeadConfig, LossOptions, Margin, MarginHeadConfig, MarginPlace, NormGradient, NormMap, Preset,
    margin::{MarginForm, MarginGradient, RankedMargin},
    norm_map::{MeanPreserving, VonMisesFisher},
    regularizer::{CenterLoss, CenterSpread},
};
use serde::Deserialize;

use crate::{
    devices,
    shared::{gradient_of_centers, tensor, values, with_centers},
};

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    features: Vec<Vec<f64>>,
    centers: Vec<Vec<f64>>,
    targets: Vec<i32>,
}

#[derive(Deserialize)]
struct Entry {
    loss: Preset,
    case: String,
    option: Option<String>,
    value: Vec<f64>,
    mean: Option<f64>,
    by_features: Vec<Vec<f64>>,
    by_centers: Vec<Vec<f64>>,
    by_bias: Option<serde_json::Value>,
    by_radius: Option<f64>,
    centers: Option<Vec<Vec<f64>>>,
    loss_centers: Option<Vec<Vec<f64>>>,
    #[serde(default)]
    ignored: Vec<usize>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/heads.json")).unwrap()
}

/// The head of an entry.
fn head(entry: &Entry, case: &Case, device: &Device) -> Head {
    let classes = case.centers.len();
    let weights = || Some((0..classes).map(|j| 0.5 + 0.25 * j as f64).collect());
    let mut options = LossOptions::default();
    let option = entry.option.as_deref().unwrap_or_default();
    match option {
        "label-smoothing" => options.label_smoothing = 0.1,
        "focal" => options.focal_gamma = 2.0,
        "class-weights" => options.class_weights = weights(),
        "ignore" => options.ignore_index = Some(-100),
        "all" => {
            options = LossOptions {
                label_smoothing: 0.1,
                focal_gamma: 2.0,
                class_weights: weights(),
                ignore_index: None,
            };
        }
        _ => {}
    }
    let mut config = entry.loss.config().with_options(options).unwrap();
    if let HeadConfig::Margin(MarginHeadConfig { margin: Margin::Elastic(margin), .. }) = &mut config {
        // The file has the mean of the random margins.
        margin.deviation = 1e-9;
    }
    match (&mut config, option) {
        (HeadConfig::Margin(config), "detached") => config.margin_gradient = MarginGradient::Detached,
        (HeadConfig::SphereFace2(config), "detached") => config.margin_gradient = MarginGradient::Detached,
        (HeadConfig::Margin(config), "outside") => {
            config.margin_place = MarginPlace::Outside { scale: 30.0 };
        }
        (HeadConfig::Margin(config), "detached-norm") => config.norm_gradient = NormGradient::Detached,
        (HeadConfig::Margin(config), "compensated") => config.temperature_compensation = Some(30.0),
        (HeadConfig::Margin(config), "mean-preserving") => {
            config.norm_map = NormMap::MeanPreserving(MeanPreserving { scale: 30.0, momentum: 0.1 });
        }
        (HeadConfig::Margin(config), "vmf") => {
            config.norm_map = NormMap::VonMisesFisher(VonMisesFisher { scale: 30.0, dimension: None });
        }
        (HeadConfig::Margin(config), "ranked" | "ranked-back") => {
            let difference = if option == "ranked" { 1.0 } else { -1.0 };
            let form = MarginForm::Cosine;
            config.margin = Margin::Ranked(RankedMargin { margin: 0.4, difference, form });
        }
        (HeadConfig::Margin(config), "filtered") => config.filter_above = Some(0.4),
        (HeadConfig::Margin(config), "center-loss") => {
            config.center_loss = Some(CenterLoss { weight: 0.003, rate: 0.5 });
        }
        (HeadConfig::Margin(config), "center-spread") => {
            config.center_spread = Some(CenterSpread { weight: 0.5, sharpness: 2.0 });
        }
        _ => {}
    }
    let head = config.init(case.centers[0].len(), classes, device).unwrap();
    with_centers(head, entry.centers.as_ref().unwrap_or(&case.centers), device)
}

/// Largest difference as a share of the largest expected magnitude of the row, or of `floor` where that is more.
fn error(found: &[f64], expected: &[f64], floor: f64) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(floor, |m: f64, v| m.max(v.abs()));
    let worst = found.iter().zip(expected).map(|(f, e)| (f - e).abs());
    worst.fold(0.0, |m: f64, d| if d.is_nan() { f64::INFINITY } else { m.max(d) }) / largest
}

/// Errors of one entry on one device: of the loss, of the gradients.
struct Errors {
    value: f64,
    gradient: f64,
}

fn errors(entry: &Entry, case: &Case, device: &Device) -> Errors {
    let head = head(entry, case, device);
    let x = tensor(&case.features, device).require_grad();
    let mut targets = case.targets.clone();
    entry.ignored.iter().for_each(|&row| targets[row] = -100);
    if let Some(centers) = &entry.loss_centers {
        move_feature_centers(&head, centers, device);
    }
    let output = head.forward(x.clone(), Tensor::from_data(&targets[..], device));
    // A loss is a difference of logits, whose rounding it inherits: 1e-5 of a logit of 1, or of the largest penalty.
    let largest = entry.value.iter().fold(1.0, |m: f64, v| m.max(v.abs()));
    let found = values(output.loss.clone());
    let by_row = found.iter().zip(&entry.value);
    let mut value = by_row.map(|(f, e)| error(&[*f], &[*e], largest.min(64.0))).fold(0.0, f64::max);
    if let Some(mean) = entry.mean {
        value = value.max(error(&values(output.mean_loss()), &[mean], 1.0));
    }
    let gradients = output.loss.sum().backward();
    let dim = case.features[0].len();
    let by_features = values(x.grad(&gradients).unwrap());
    let mut gradient: f64 = 0.0;
    for (i, expected) in entry.by_features.iter().enumerate() {
        let norm = case.features[i].iter().map(|v| v * v).sum::<f64>().sqrt();
        // A gradient that is small beside scale / norm is a difference of such numbers.
        let floor = if norm > 0.0 { 1.0 / norm } else { 1.0 };
        gradient = gradient.max(error(&by_features[i * dim..(i + 1) * dim], expected, floor));
    }
    let expected = entry.by_centers.concat();
    gradient = gradient.max(error(&gradient_of_centers(&head, &gradients), &expected, 1.0));
    let learned = |param: &Param<Tensor<1>>| values(param.val().grad(&gradients).unwrap());
    if let Some(expected) = &entry.by_bias {
        let expected: Vec<f64> = match expected.as_array() {
            Some(numbers) => numbers.iter().map(|v| v.as_f64().unwrap()).collect(),
            None => vec![expected.as_f64().unwrap()],
        };
        let found = match &head {
            Head::Linear(head) => learned(head.linear.bias.as_ref().unwrap()),
            Head::SphereFace2(head) => learned(&head.bias),
            _ => panic!("it has no bias"),
        };
        gradient = gradient.max(error(&found, &expected, 1.0));
    }
    if let (Some(expected), Head::Margin(head)) = (entry.by_radius, &head) {
        gradient = gradient.max(error(&learned(head.learned_radius.as_ref().unwrap()), &[expected], 1.0));
    }
    Errors { value, gradient }
}

/// Moves the centers of the center loss, which begin at 0, to where they are wanted: a batch of one sample a class
/// moves them a quarter of the way to it.
fn move_feature_centers(head: &Head, centers: &[Vec<f64>], device: &Device) {
    let at: Vec<Vec<f64>> = centers.iter().map(|row| row.iter().map(|v| v * 4.0).collect()).collect();
    let targets: Vec<i32> = (0..centers.len() as i32).collect();
    head.forward(tensor(&at, device), Tensor::from_data(&targets[..], device));
}

#[test]
fn every_preset_agrees_with_pytorch_in_64_bits() {
    let golden = golden();
    let mut wrong = Vec::new();
    let mut worst: Vec<(Preset, f64, f64)> = Preset::ALL.iter().map(|&p| (p, 0.0, 0.0)).collect();
    let mut seen = std::collections::HashSet::new();
    for (backend, device) in devices() {
        for entry in &golden.entries {
            let case = golden.cases.iter().find(|case| case.name == entry.case).unwrap();
            let Errors { value, gradient } = errors(entry, case, &device);
            seen.insert(entry.loss);
            let row = worst.iter_mut().find(|row| row.0 == entry.loss).unwrap();
            (row.1, row.2) = (row.1.max(value), row.2.max(gradient));
            if value > 1e-5 || gradient > 1e-5 {
                let option = entry.option.as_deref().unwrap_or("plain");
                wrong.push(format!(
                    "{backend}, {}, {option}, {}: value {value:.1e}, gradient {gradient:.1e}",
                    entry.loss, case.name
                ));
            }
        }
    }
    for (preset, value, gradient) in worst {
        println!("| {preset} | {value:.1e} | {gradient:.1e} |");
    }
    assert_eq!(seen.len(), Preset::ALL.len(), "every preset is in the file");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
