//! What several test files need.

use burn::{
    module::Param,
    tensor::{Device, Int, Tensor, TensorData},
};
use cm_loss_core::{Head, HeadConfig, MarginHead, MarginHeadConfig, Preset};

pub fn tensor(rows: &[Vec<f64>], device: &Device) -> Tensor<2> {
    let flat: Vec<f32> = rows.iter().flatten().map(|&v| v as f32).collect();
    Tensor::from_data(TensorData::new(flat, [rows.len(), rows[0].len()]), device)
}

pub fn targets(targets: &[usize], device: &Device) -> Tensor<1, Int> {
    let targets: Vec<i32> = targets.iter().map(|&t| t as i32).collect();
    Tensor::from_data(TensorData::new(targets.clone(), [targets.len()]), device)
}

pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// Largest difference, as a share of the largest expected magnitude.
pub fn relative_error(actual: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(actual.len(), expected.len());
    let largest = expected.iter().fold(1e-30, |m: f64, v| m.max(v.abs()));
    let differ = actual.iter().zip(expected).map(|(a, e)| (a - e).abs());
    differ.fold(0.0, |m: f64, d| if d.is_nan() { f64::INFINITY } else { m.max(d) }) / largest
}

/// The same head with these class centers, `classes x feature_dim`, which are the weights of a linear head.
pub fn with_centers(head: Head, centers: &[Vec<f64>], device: &Device) -> Head {
    let centers = tensor(centers, device);
    match head {
        Head::Linear(mut head) => {
            head.linear.weight = Param::from_tensor(centers.transpose());
            let bias: Vec<f32> = (0..head.classes()).map(|j| 0.25 * j as f32 - 0.5).collect();
            head.linear.bias = Some(Param::from_tensor(Tensor::from_data(&bias[..], device)));
            Head::Linear(head)
        }
        Head::Margin(mut head) => {
            head.class_centers = Param::from_tensor(centers);
            Head::Margin(head)
        }
        Head::SphereFace2(mut head) => {
            head.class_centers = Param::from_tensor(centers);
            Head::SphereFace2(head)
        }
        Head::Proxy(mut head) => {
            head.class_centers = Param::from_tensor(centers);
            Head::Proxy(head)
        }
        _ => panic!("a new head"),
    }
}

/// Gradients of the class centers, `[rows, feature_dim]`.
pub fn gradient_of_centers(head: &Head, gradients: &burn::tensor::Gradients) -> Vec<f64> {
    let gradient = match head {
        Head::Linear(head) => head.linear.weight.val().grad(gradients).unwrap().transpose(),
        Head::Margin(head) => head.class_centers.val().grad(gradients).unwrap(),
        Head::SphereFace2(head) => head.class_centers.val().grad(gradients).unwrap(),
        Head::Proxy(head) => head.class_centers.val().grad(gradients).unwrap(),
        _ => panic!("a new head"),
    };
    values(gradient)
}

/// A head with three known centers: random ones would depend on what other tests draw at the same time.
pub fn known_head(config: &MarginHeadConfig, device: &Device) -> MarginHead {
    let mut head = config.init(2, 3, device).unwrap();
    let centers = Tensor::<2>::from_data([[0.9, 0.4], [-0.3, 0.7], [0.2, -0.8]], device);
    head.class_centers = Param::from_tensor(centers);
    head
}

pub fn margin_config(preset: Preset) -> MarginHeadConfig {
    let HeadConfig::Margin(config) = preset.config() else { panic!("{preset} has class centers") };
    config
}

/// Features of the given norms, in different directions.
pub fn features(norms: &[f32], device: &Device) -> Tensor<2> {
    let rows = norms.iter().enumerate().flat_map(|(i, r)| [r * (i as f32).cos(), r * (i as f32).sin()]);
    Tensor::from_data(TensorData::new(rows.collect::<Vec<f32>>(), [norms.len(), 2]), device)
}

/// Every sample in the first class.
pub fn first_class(count: usize, device: &Device) -> Tensor<1, Int> {
    Tensor::zeros([count], device)
}
