//! Figures of digits at every severity.

use cm_data::{Degradation, SEVERITIES, mixed_kind};
use cm_eval::{Statistic, spearman};
use cm_record::{Headline, Measurement};
use cm_train::evaluation::Prediction;

use crate::applications::common;

/// The stratum of all degraded images, whose accuracy is the mean over the severities.
pub const LOW_QUALITY: &str = "severity=1-4";

/// The figures of predictions with their severities.
pub fn measurements(predictions: &[(usize, Prediction)]) -> Vec<Measurement> {
    let mut found = Vec::new();
    let mut degraded = Vec::new();
    for severity in 0..SEVERITIES {
        let of: Vec<&Prediction> =
            predictions.iter().filter(|(at, _)| *at == severity).map(|(_, p)| p).collect();
        let figures = common::stratum_measurements(&format!("severity={severity}"), &of);
        let accuracy =
            figures.iter().find(|figure| figure.metric == "accuracy").and_then(|figure| figure.value);
        degraded.extend(accuracy.filter(|_| severity > 0).map(|accuracy| (accuracy, of.len())));
        found.extend(figures);
    }
    found.push(low_quality(&degraded));
    let norms: Vec<f64> = predictions.iter().map(|(_, p)| f64::from(p.norm)).collect();
    let quality: Vec<f64> = predictions.iter().map(|(severity, _)| 4.0 - *severity as f64).collect();
    let classes: Vec<usize> = predictions.iter().map(|(_, p)| p.label as usize).collect();
    let count = predictions.len();
    found.push(Measurement::new("spearman_norm_severity", "", spearman(&norms, &quality), count));
    let within = Statistic::Spearman.within_classes(&norms, &quality, &classes);
    found.push(Measurement::new("spearman_norm_severity_within", "", within, count));
    found
}

/// The kinds among the test images, where they are of several.
fn kinds(degradation: Degradation) -> &'static [Degradation] {
    if degradation == Degradation::Mixed { &Degradation::SINGLE } else { &[] }
}

/// The stratum of the degraded images of a kind.
fn kind_stratum(kind: Degradation) -> String {
    format!("kind={kind}")
}

/// Accuracy on the degraded images of each kind, where the test images are of all.
pub fn by_kind(predictions: &[(usize, Prediction)], degradation: Degradation, seed: u64) -> Vec<Measurement> {
    kinds(degradation)
        .iter()
        .filter_map(|&kind| {
            let of: Vec<&Prediction> = predictions
                .iter()
                .filter(|(severity, p)| *severity > 0 && mixed_kind(seed, p.index as u64) == kind)
                .map(|(_, prediction)| prediction)
                .collect();
            let accuracy = common::accuracy(&of)?;
            Some(Measurement::new("accuracy", &kind_stratum(kind), accuracy, of.len()))
        })
        .collect()
}

/// The headlines of those strata.
pub fn headlines_by_kind(degradation: Degradation) -> Vec<Headline> {
    kinds(degradation)
        .iter()
        .map(|&kind| {
            let phrase = format!("on the images degraded by {kind} (severities 1 to 4)");
            Headline::new("accuracy", kind_stratum(kind), phrase)
        })
        .collect()
}

/// The mean accuracy over the severities above 0.
pub fn low_quality(accuracies: &[(f64, usize)]) -> Measurement {
    let mean = accuracies.iter().map(|(accuracy, _)| accuracy).sum::<f64>() / accuracies.len() as f64;
    Measurement::new("accuracy", LOW_QUALITY, mean, accuracies.iter().map(|(_, count)| count).sum())
}

/// What a record says of the severities of the training images.
pub fn severity_facts(counts: &[usize]) -> Vec<(String, String)> {
    let fact = |(severity, count): (usize, &usize)| {
        (format!("training images of severity {severity}"), count.to_string())
    };
    counts.iter().enumerate().map(fact).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(severity: usize, norm: f32, label: u32, predicted: u32) -> (usize, Prediction) {
        (severity, Prediction { index: 0, label, predicted, confidence: 0.5, norm, point: [0.0; 2] })
    }

    fn value(found: &[Measurement], metric: &str, stratum: &str) -> Option<f64> {
        found.iter().find(|m| m.metric == metric && m.stratum == stratum)?.value
    }

    #[test]
    fn accuracy_and_norms_are_counted_for_each_severity_apart() {
        let found = measurements(&[
            at(0, 4.0, 1, 1),
            at(0, 2.0, 1, 1),
            at(3, 1.0, 2, 7),
            at(3, 3.0, 2, 2),
            at(3, 2.0, 2, 0),
        ]);
        assert_eq!(value(&found, "accuracy", "severity=0"), Some(1.0));
        assert_eq!(value(&found, "norm_mean", "severity=0"), Some(3.0));
        assert_eq!(value(&found, "norm_std", "severity=0"), Some(1.0));
        // numpy.quantile([2, 4], .25)
        assert_eq!(value(&found, "norm_p25", "severity=0"), Some(2.5));
        assert_eq!(value(&found, "accuracy", "severity=3"), Some(1.0 / 3.0));
        assert_eq!(value(&found, "accuracy", LOW_QUALITY), Some(1.0 / 3.0));
        assert_eq!(value(&found, "accuracy", "severity=1"), None);
    }

    #[test]
    fn norms_that_fall_with_severity_correlate_with_quality() {
        let falling: Vec<_> = (0..5).map(|s| at(s, 10.0 - s as f32, 0, 0)).collect();
        let correlation = value(&measurements(&falling), "spearman_norm_severity", "").expect("both vary");
        assert!((correlation - 1.0).abs() < 1e-12, "{correlation}");
        let constant: Vec<_> = (0..5).map(|s| at(s, 1.0, 0, 0)).collect();
        assert_eq!(value(&measurements(&constant), "spearman_norm_severity", ""), None);
    }
}
