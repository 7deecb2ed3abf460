//! The quality of a norm.

use cm_models::onnx::{Graph, Value};

use super::super::{ModelCard, QualityMap};

/// Whole numbers from 0 to 100, `[batch, 1]`, for norms `[batch, 1]`; `None` for a model that knows no quality.
pub(super) fn of(graph: &mut Graph, card: &ModelCard, norm: &Value) -> Option<Value> {
    let share = match (card.quality.as_ref().map(|scale| &scale.map), &card.norms) {
        (Some(QualityMap::Sigmoid(map)), _) => {
            let (center, width) = (graph.scalar(map.center), graph.scalar(map.width));
            let centered = graph.subtract(norm, &center);
            let standardized = graph.divide(&centered, &width);
            graph.sigmoid(&standardized)
        }
        (Some(QualityMap::Isotonic(map)), _) => polyline(graph, norm, map.corners()),
        (None, Some(norms)) => {
            let last = (norms.values().len() - 1) as f64;
            let corners: Vec<(f64, f64)> =
                norms.values().iter().enumerate().map(|(i, &norm)| (norm, i as f64 / last)).collect();
            polyline(graph, norm, &corners)
        }
        (None, None) => return None,
    };
    let hundred = graph.scalar(100.0);
    let percent = graph.multiply(&share, &hundred);
    Some(graph.rounded(&percent))
}

/// The line through corners that do not fall, the same beyond its ends: its value at the first, and of every step the share that
/// lies behind. Steps are added and none is taken away, so that no digits are lost.
fn polyline(graph: &mut Graph, norm: &Value, corners: &[(f64, f64)]) -> Value {
    let Some(&(_, first)) = corners.first() else { return graph.scalar(f64::NAN) };
    let first = graph.scalar(first);
    if corners.len() == 1 {
        return first;
    }
    let steps = corners.windows(2);
    let starts: Vec<f32> = steps.clone().map(|pair| pair[0].0 as f32).collect();
    // A step of no width is made at once.
    let widths: Vec<f32> = steps.clone().map(|pair| (pair[1].0 - pair[0].0).max(1e-12) as f32).collect();
    let heights: Vec<f32> = steps.map(|pair| (pair[1].1 - pair[0].1) as f32).collect();
    let count = starts.len();
    let (starts, widths) = (graph.constant(&[1, count], &starts), graph.constant(&[1, count], &widths));
    let heights = graph.constant(&[count, 1], &heights);
    let (zero, one) = (graph.scalar(0.0), graph.scalar(1.0));
    let behind = graph.subtract(norm, &starts);
    let share = graph.divide(&behind, &widths);
    let share = graph.larger(&share, &zero);
    let share = graph.smaller(&share, &one);
    let sum = graph.product(&share, &heights);
    graph.add(&sum, &first)
}

/// What the quality means, in words.
pub(super) fn meaning(card: &ModelCard) -> String {
    match (&card.quality, &card.norms) {
        (Some(scale), _) => format!(
            "fitted to {} ({} images from {})",
            scale.fitted.target, scale.fitted.images, scale.fitted.data
        ),
        (None, Some(_)) => "the share of training images with a shorter feature, in percent".to_owned(),
        (None, None) => "none".to_owned(),
    }
}
