//! Figures of a diagnosis: two classes, one of them called positive.

use crate::{Proportion, Reliability, auc};

/// Bins of the expected calibration error of [`BinaryFigures`].
pub const CALIBRATION_BINS: usize = 10;

/// What is told of a classifier of two classes, from the probability of the positive one. A probability of at least one half
/// is called positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinaryFigures {
    /// Images.
    pub count: usize,
    /// Positive images.
    pub positives: usize,
    /// Area under the receiver operating characteristic.
    pub auc: Option<f64>,
    /// Share that is right.
    pub accuracy: f64,
    /// Share of the positive images that is called positive.
    pub sensitivity: Option<f64>,
    /// Share of the negative images that is called negative.
    pub specificity: Option<f64>,
    /// `2 TP / (2 TP + FP + FN)`, of the positive class.
    pub f1: Option<f64>,
    /// Mean of sensitivity and specificity.
    pub balanced_accuracy: Option<f64>,
    /// Expected calibration error of the positive class's probability in [`CALIBRATION_BINS`] bins of equal width.
    pub calibration_error: f64,
}

impl BinaryFigures {
    /// The figures of these probabilities.
    ///
    /// `None` if there is no image, the lengths differ, or a probability is not from 0 to 1.
    pub fn new(probabilities: &[f64], positive: &[bool]) -> Option<Self> {
        let calibration = Reliability::new(probabilities, positive, CALIBRATION_BINS)?;
        let count_of = |called: bool, is: bool| {
            let pairs = probabilities.iter().zip(positive);
            pairs.filter(|&(&p, &positive)| (p >= 0.5) == called && positive == is).count()
        };
        let (true_positives, false_positives) = (count_of(true, true), count_of(true, false));
        let (true_negatives, false_negatives) = (count_of(false, false), count_of(false, true));
        let share =
            |successes: usize, others: usize| Proportion { successes, count: successes + others }.value();
        let sensitivity = share(true_positives, false_negatives);
        let specificity = share(true_negatives, false_positives);
        Some(Self {
            count: positive.len(),
            positives: true_positives + false_negatives,
            auc: auc(probabilities, positive),
            accuracy: (true_positives + true_negatives) as f64 / positive.len() as f64,
            sensitivity,
            specificity,
            f1: share(2 * true_positives, false_positives + false_negatives),
            balanced_accuracy: sensitivity.zip(specificity).map(|(a, b)| (a + b) / 2.0),
            calibration_error: calibration.expected_error(),
        })
    }

    /// Names of the figures as records have them, in the order of [`values`](Self::values).
    pub const METRICS: [&str; 7] =
        ["auc", "accuracy", "sensitivity", "specificity", "f1", "balanced_accuracy", "calibration_error"];

    /// The figures.
    pub fn values(&self) -> [Option<f64>; 7] {
        [
            self.auc,
            Some(self.accuracy),
            self.sensitivity,
            self.specificity,
            self.f1,
            self.balanced_accuracy,
            Some(self.calibration_error),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_without_images_has_no_figures_of_its_own() {
        let found = BinaryFigures::new(&[0.9, 0.5, 0.2], &[true; 3]).expect("images");
        assert_eq!((found.auc, found.specificity, found.balanced_accuracy), (None, None, None));
        // One half is positive.
        assert_eq!((found.sensitivity, found.f1), (Some(2.0 / 3.0), Some(0.8)));
        assert_eq!((found.count, found.positives), (3, 3));
        assert_eq!(BinaryFigures::new(&[], &[]), None);
        assert_eq!(BinaryFigures::new(&[1.5], &[true]), None);
    }
}
