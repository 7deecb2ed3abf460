//! The logits of each kind of head.

use burn::tensor::Tensor;
use cm_loss_core::{Custom, Head, HeadState, MarginHead, NormMap, ProxyLoss, SubCenterPooling};
use cm_models::onnx::{Graph, Value};

use crate::Error;

/// Least deviation that a calibrated map divides by.
const LEAST_SPREAD: f64 = 1e-3;
/// A shorter feature has no direction.
const LEAST_NORM: f64 = 1e-30;

/// Inference logits `[batch, classes]`, from features `[batch, feature_dim]` and their norms `[batch, 1]`.
pub(super) fn logits(graph: &mut Graph, head: &Head, features: &Value, norm: &Value) -> Result<Value, Error> {
    let state = head.state();
    Ok(match head {
        Head::Linear(head) => graph.linear(&head.linear, features),
        Head::Margin(head) => {
            let cosines = cosines(graph, head.class_centers(), features, norm);
            let cosines = over_sub_centers(graph, head, cosines);
            let mut radius = radius(graph, &head.config().norm_map, &state, norm, head.feature_dim())?;
            if let Some(log_scale) = &head.log_scale {
                let factor = graph.scalar(f64::from(log_scale.val().exp().into_scalar::<f32>()));
                radius = graph.multiply(&radius, &factor);
            }
            graph.multiply(&cosines, &radius)
        }
        Head::SphereFace2(head) => {
            let cosines = cosines(graph, head.class_centers(), features, norm);
            let [one, two, zero] = [1.0, 2.0, 0.0].map(|value| graph.scalar(value));
            let exponent = graph.scalar(head.config().exponent);
            let raised = graph.add(&cosines, &one);
            let half = graph.divide(&raised, &two);
            let half = graph.larger(&half, &zero);
            let power = graph.power(&half, &exponent);
            let doubled = graph.multiply(&power, &two);
            let stretched = graph.subtract(&doubled, &one);
            let radius = radius(graph, &head.config().norm_map, &state, norm, head.feature_dim())?;
            let product = graph.multiply(&stretched, &radius);
            let bias = graph.scalar(f64::from(head.bias.val().into_scalar::<f32>()));
            graph.add(&product, &bias)
        }
        Head::Proxy(head) => {
            let cosines = cosines(graph, head.class_centers(), features, norm);
            match head.config().loss {
                ProxyLoss::ProxyAnchor { scale, .. } => {
                    let scale = graph.scalar(scale);
                    graph.multiply(&cosines, &scale)
                }
                _ => cosines,
            }
        }
        _ => {
            return Err(Error::NotExportable {
                reason: "its head is of a kind that is not known here".to_owned(),
            });
        }
    })
}

/// With every center.
fn cosines(graph: &mut Graph, centers: Tensor<2>, features: &Value, norm: &Value) -> Value {
    let units = cm_loss_core::norm_and_unit(centers).1.transpose();
    let shape = units.dims();
    let units = graph.constant(&shape, &units.into_data().iter::<f32>().collect::<Vec<f32>>());
    let least = graph.scalar(LEAST_NORM);
    let divisor = graph.larger(norm, &least);
    let directions = graph.divide(features, &divisor);
    graph.product(&directions, &units)
}

/// The cosine of each class from those with its centers.
fn over_sub_centers(graph: &mut Graph, head: &MarginHead, cosines: Value) -> Value {
    let count = head.config().sub_centers;
    if count == 1 {
        return cosines;
    }
    let apart = graph.reshape(&cosines, &[head.classes(), count]);
    match head.config().sub_center_pooling {
        SubCenterPooling::Soft { gamma } => {
            let gamma = graph.scalar(gamma);
            let divided = graph.divide(&apart, &gamma);
            let weights = graph.softmax(&divided);
            let weighed = graph.multiply(&apart, &weights);
            graph.sum_of_last(&weighed)
        }
        _ => graph.largest_of_last(&apart),
    }
}

/// `phi` of the norms, `[batch, 1]`, with what the head remembers.
fn radius(
    graph: &mut Graph,
    map: &NormMap,
    state: &HeadState,
    norm: &Value,
    feature_dim: usize,
) -> Result<Value, Error> {
    let moments = || {
        let missing = || Error::NotExportable { reason: "its norm map remembers nothing".to_owned() };
        state.norm_map.ok_or_else(missing)
    };
    Ok(match map {
        NormMap::Identity => norm.clone(),
        NormMap::Constant(map) => graph.scalar(map.scale),
        NormMap::Sigmoid(map) => {
            let contracted = graph.sigmoid(norm);
            scaled(graph, &contracted, map.scale)
        }
        NormMap::CalibratedSigmoid(map) => {
            let moments = moments()?;
            let (mean, spread) = (graph.scalar(moments.mean), graph.scalar(moments.std.max(LEAST_SPREAD)));
            let centered = graph.subtract(norm, &mean);
            let standardized = graph.divide(&centered, &spread);
            let contracted = graph.sigmoid(&standardized);
            let moving = scaled(graph, &contracted, (1.0 - map.floor) * map.scale);
            let floor = graph.scalar(map.floor * map.scale);
            graph.add(&moving, &floor)
        }
        NormMap::Tanh(map) => {
            let contracted = graph.tanh(norm);
            scaled(graph, &contracted, map.scale)
        }
        NormMap::Rational(map) => {
            let one = graph.scalar(1.0);
            let above = graph.add(norm, &one);
            let share = graph.divide(norm, &above);
            scaled(graph, &share, map.scale)
        }
        NormMap::Logarithm(map) => {
            let one = graph.scalar(1.0);
            let above = graph.add(norm, &one);
            let logarithm = graph.logarithm(&above);
            scaled(graph, &logarithm, map.scale)
        }
        NormMap::Clamp(map) => {
            let (lower, upper) = (graph.scalar(map.lower), graph.scalar(map.upper));
            let held = graph.larger(norm, &lower);
            let held = graph.smaller(&held, &upper);
            scaled(graph, &held, map.scale)
        }
        NormMap::MeanPreserving(map) => {
            let contracted = graph.sigmoid(norm);
            scaled(graph, &contracted, map.scale / moments()?.mean.max(0.5))
        }
        NormMap::VonMisesFisher(map) => {
            let nu = (map.dimension.unwrap_or(feature_dim).max(2) - 1) as f64 / 2.0;
            let (nu, one) = (graph.scalar(nu), graph.scalar(1.0));
            let ratio = graph.divide(norm, &nu);
            let square = graph.multiply(&ratio, &ratio);
            let above = graph.add(&square, &one);
            let root = graph.root(&above);
            let divisor = graph.add(&root, &one);
            let share = graph.divide(&ratio, &divisor);
            scaled(graph, &share, map.scale)
        }
        NormMap::Custom(Custom(map)) => {
            return Err(Error::NotExportable {
                reason: format!(
                    "its norm map \"{}\" is somebody's own, and ONNX knows nothing of its formula",
                    map.name()
                ),
            });
        }
        other => {
            let reason = format!("its norm map {other:?} is not known here");
            return Err(Error::NotExportable { reason });
        }
    })
}

fn scaled(graph: &mut Graph, value: &Value, scale: f64) -> Value {
    let scale = graph.scalar(scale);
    graph.multiply(value, &scale)
}
