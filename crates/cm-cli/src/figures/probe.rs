//! Heads with known centers, asked for numbers through their public functions.

use burn::{
    module::Param,
    tensor::{Device, Int, Tensor, TensorData},
};
use cm_loss_core::{Error, HeadConfig, MarginHead, MarginHeadConfig, Preset};

/// The parts that a preset is made of; every preset drawn here has a margin head.
pub fn parts(preset: Preset) -> MarginHeadConfig {
    match preset.config() {
        HeadConfig::Margin(config) => config,
        _ => unreachable!("{preset} has no margin head"),
    }
}

/// A head with these class centers.
pub fn head(config: &MarginHeadConfig, centers: &[Vec<f64>], device: &Device) -> Result<MarginHead, Error> {
    let mut head = config.init(centers[0].len(), centers.len(), device)?;
    head.class_centers = Param::from_tensor(rows(centers, device));
    Ok(head)
}

/// Centers of so many classes, each along an axis of its own; one axis is left over.
pub fn axes(classes: usize) -> Vec<Vec<f64>> {
    (0..classes).map(|class| (0..=classes).map(|axis| f64::from(u8::from(axis == class))).collect()).collect()
}

/// A feature at an angle, in degrees, from the first of the [`axes`] and at right angles to the others.
pub fn feature(classes: usize, degrees: f64, norm: f64) -> Vec<f64> {
    let angle = degrees.to_radians();
    let mut feature = vec![0.0; classes + 1];
    feature[0] = norm * angle.cos();
    feature[classes] = norm * angle.sin();
    feature
}

pub fn rows(rows: &[Vec<f64>], device: &Device) -> Tensor<2> {
    let values: Vec<f32> = rows.iter().flatten().map(|&value| value as f32).collect();
    Tensor::from_data(TensorData::new(values, [rows.len(), rows[0].len()]), device)
}

/// The same class for every sample.
pub fn targets(class: i32, samples: usize, device: &Device) -> Tensor<1, Int> {
    Tensor::full([samples], class, device)
}

/// What the target's logit becomes while training, divided by the radius 1, for features of a norm at angles from the
/// center.
pub fn margin_curve(head: &MarginHead, degrees: &[f64], norm: f64, device: &Device) -> Vec<(f64, f64)> {
    let features: Vec<Vec<f64>> = degrees.iter().map(|&degrees| feature(1, degrees, norm)).collect();
    let logits = head.training_logits(rows(&features, device), targets(0, features.len(), device));
    pairs(degrees, numbers(logits))
}

/// Radius, and its derivative by the norm, for features that lie along their center.
pub fn radii(head: &MarginHead, norms: &[f64], device: &Device) -> (Vec<f64>, Vec<f64>) {
    let points: Vec<(f64, f64)> = norms.iter().map(|&norm| (0.0, norm)).collect();
    let features = features(1, &points, device);
    let (logits, _) = head.logits(features.clone());
    (numbers(logits.clone()), radial_gradients(&features, logits.sum(), &points, 1))
}

/// The derivative of the loss by the norm, for features at angles (degrees) from the target's center.
pub fn loss_by_norm(head: &MarginHead, degrees: &[f64], norm: f64, device: &Device) -> Vec<(f64, f64)> {
    let classes = head.classes();
    let points: Vec<(f64, f64)> = degrees.iter().map(|&degrees| (degrees, norm)).collect();
    let features = features(classes, &points, device);
    let output = head.forward(features.clone(), targets(0, points.len(), device));
    pairs(degrees, radial_gradients(&features, output.loss.sum(), &points, classes))
}

/// Features at `(degrees, norm)` for which gradients are kept.
fn features(classes: usize, points: &[(f64, f64)], device: &Device) -> Tensor<2> {
    let features: Vec<Vec<f64>> =
        points.iter().map(|&(degrees, norm)| feature(classes, degrees, norm)).collect();
    rows(&features, device).require_grad()
}

/// The part of each feature's gradient that lies along it.
fn radial_gradients(
    features: &Tensor<2>,
    value: Tensor<1>,
    points: &[(f64, f64)],
    classes: usize,
) -> Vec<f64> {
    let gradients = value.backward();
    let Some(gradient) = features.grad(&gradients) else { return vec![0.0; points.len()] };
    let gradient = numbers(gradient);
    let along = |(&(degrees, _), row): (&(f64, f64), &[f64])| {
        feature(classes, degrees, 1.0).iter().zip(row).map(|(unit, slope)| unit * slope).sum()
    };
    points.iter().zip(gradient.chunks(classes + 1)).map(along).collect()
}

pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

pub fn pairs(x: &[f64], y: Vec<f64>) -> Vec<(f64, f64)> {
    x.iter().copied().zip(y).collect()
}

/// Numbers from `from` to `to`, both included, at equal distances.
pub fn steps(from: f64, to: f64, intervals: usize) -> Vec<f64> {
    (0..=intervals).map(|i| from + (to - from) * i as f64 / intervals as f64).collect()
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;

    #[test]
    fn derivatives_by_the_norm_are_those_of_the_formulas() {
        let device = Device::flex().autodiff();
        let close =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-4, "{found}, {expected}");
        let sigmoid = |r: f64| 1.0 / (1.0 + (-r).exp());

        let cm_softmax = head(&parts(Preset::CmSoftmax), &axes(1), &device).expect("a head");
        let (radii, slopes) = radii(&cm_softmax, &[0.5, 3.0], &device);
        for (i, r) in [0.5, 3.0].into_iter().enumerate() {
            close(radii[i], 30.0 * sigmoid(r));
            close(slopes[i], 30.0 * sigmoid(r) * (1.0 - sigmoid(r)));
        }

        // With the others' cosines at 0, dL/dr = −phi' (1 − p) c, c = cos θ − m.
        let cm_cosface = head(&parts(Preset::CmCosFace), &axes(4), &device).expect("a head");
        let (degrees, r) = ([20.0, 70.0, 160.0], 1.5);
        for (angle, found) in loss_by_norm(&cm_cosface, &degrees, r, &device) {
            let c = angle.to_radians().cos() - 0.4;
            let target = (30.0 * sigmoid(r) * c).exp();
            let slope = 30.0 * sigmoid(r) * (1.0 - sigmoid(r));
            close(found, -slope * (3.0 / (3.0 + target)) * c);
        }
    }
}
