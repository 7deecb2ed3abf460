//! Accuracy and feature norm of a trained network at every severity.

use std::sync::Arc;

use burn::{
    tensor::{Device, TensorData},
    train::Interrupter,
};
use cm_loss_core::quality::spearman;

use super::{FeatureRow, SeverityRecord};
use crate::{
    classifier::Classifier,
    data::LabelledImages,
    training::{Display, batch},
};

/// Images a pass: enough to keep every core busy.
const BATCH_SIZE: usize = 250;

/// Features and predictions of the test images, `by_severity` from 0 upwards; `None` when told to stop.
pub(super) fn features(
    model: &Classifier,
    by_severity: &[Arc<LabelledImages>],
    device: &Device,
    display: Display,
    label: &str,
    interrupter: &Interrupter,
) -> Option<Vec<FeatureRow>> {
    let total = by_severity.iter().map(|images| images.len()).sum();
    let bar = display.bar(total, label);
    bar.set_message("testing");
    let mut rows = Vec::with_capacity(total);
    for (severity, images) in by_severity.iter().enumerate() {
        let indices: Vec<usize> = (0..images.len()).collect();
        for indices in indices.chunks(BATCH_SIZE) {
            if interrupter.should_stop() {
                return None;
            }
            let features = model.backbone.forward(batch(images, indices, device).images);
            let [_, dim] = features.dims();
            let (logits, norms) = model.head.logits(features.clone());
            let floats = |data: TensorData| -> Vec<f32> { data.iter::<f32>().collect() };
            let (features, norms) = (floats(features.into_data()), floats(norms.into_data()));
            let predicted: Vec<i64> = logits.argmax(1).into_data().iter::<i64>().collect();
            let coordinate = |row: usize, axis: usize| if dim == 2 { features[2 * row + axis] } else { 0.0 };
            rows.extend(indices.iter().enumerate().map(|(row, &index)| FeatureRow {
                index,
                label: images.labels[index],
                predicted: predicted[row] as u8,
                severity: severity as u8,
                norm: norms[row],
                x: coordinate(row, 0),
                y: coordinate(row, 1),
            }));
            bar.inc(indices.len() as u64);
        }
    }
    bar.finish_and_clear();
    Some(rows)
}

/// A record for each severity that occurs, in rising order.
pub(super) fn severities(rows: &[FeatureRow]) -> Vec<SeverityRecord> {
    let highest = rows.iter().map(|row| row.severity).max().unwrap_or(0);
    let of = |severity: u8| rows.iter().filter(move |row| row.severity == severity);
    let record = |severity: u8| -> Option<SeverityRecord> {
        let mut norms: Vec<f64> = of(severity).map(|row| f64::from(row.norm)).collect();
        if norms.is_empty() {
            return None;
        }
        norms.sort_by(f64::total_cmp);
        let images = norms.len();
        let mean = norms.iter().sum::<f64>() / images as f64;
        let variance = norms.iter().map(|norm| (norm - mean).powi(2)).sum::<f64>() / images as f64;
        let right = of(severity).filter(|row| row.predicted == row.label).count();
        Some(SeverityRecord {
            severity,
            images,
            accuracy: right as f64 / images as f64,
            norm_mean: mean,
            norm_std: variance.sqrt(),
            norm_quantiles: [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| quantile(&norms, share)),
        })
    };
    (0..=highest).filter_map(record).collect()
}

/// Spearman correlation of feature norm and quality, which is 4 − severity.
pub(super) fn norm_quality_spearman(rows: &[FeatureRow]) -> Option<f64> {
    let norms: Vec<f64> = rows.iter().map(|row| f64::from(row.norm)).collect();
    let quality: Vec<f64> = rows.iter().map(|row| 4.0 - f64::from(row.severity)).collect();
    spearman(&norms, &quality)
}

/// Linear interpolation between the two nearest of the sorted values, as numpy's default.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    below + (above - below) * position.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(severity: u8, norm: f32, label: u8, predicted: u8) -> FeatureRow {
        FeatureRow { index: 0, label, predicted, severity, norm, x: 0.0, y: 0.0 }
    }

    #[test]
    fn accuracy_and_norms_are_counted_for_each_severity_apart() {
        let rows =
            [row(0, 4.0, 1, 1), row(0, 2.0, 1, 1), row(3, 1.0, 2, 7), row(3, 3.0, 2, 2), row(3, 2.0, 2, 0)];
        let records = severities(&rows);
        assert_eq!(records.iter().map(|r| (r.severity, r.images)).collect::<Vec<_>>(), [(0, 2), (3, 3)]);
        assert_eq!(records[0].accuracy, 1.0);
        assert_eq!((records[0].norm_mean, records[0].norm_std), (3.0, 1.0));
        // numpy.quantile([2, 4], [0, .25, .5, .75, 1])
        assert_eq!(records[0].norm_quantiles, [2.0, 2.5, 3.0, 3.5, 4.0]);
        assert!((records[1].accuracy - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn norms_that_fall_with_severity_correlate_with_quality() {
        let falling: Vec<FeatureRow> = (0..5).map(|s| row(s, 10.0 - f32::from(s), 0, 0)).collect();
        let correlation = norm_quality_spearman(&falling).expect("both vary");
        assert!((correlation - 1.0).abs() < 1e-12, "{correlation}");
        let constant: Vec<FeatureRow> = (0..5).map(|s| row(s, 1.0, 0, 0)).collect();
        assert_eq!(norm_quality_spearman(&constant), None);
    }
}
