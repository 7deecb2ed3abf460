//! Does a confidence of 80 % mean that 80 % are right?

/// Images by their confidence, in bins of equal width.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    bins: Vec<ReliabilityBin>,
    count: usize,
}

/// Images of about the same confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// Their mean confidence.
    pub confidence: f64,
    /// Share of them that were recognized.
    pub accuracy: f64,
    /// Images in the bin.
    pub count: usize,
}

impl Reliability {
    /// From the confidence of each image, from 0 to 1, and whether it was recognized. Bin `i` of `n` holds confidences
    /// above `i / n` and up to `(i + 1) / n`; the first also 0.
    ///
    /// `None` if there are no images or no bins, the lengths differ, or a confidence is not from 0 to 1.
    pub fn new(confidences: &[f64], right: &[bool], bins: usize) -> Option<Self> {
        let valid = confidences.iter().all(|confidence| (0.0..=1.0).contains(confidence));
        if confidences.is_empty() || confidences.len() != right.len() || bins == 0 || !valid {
            return None;
        }
        let mut sums = vec![(0.0, 0usize, 0usize); bins];
        for (&confidence, &right) in confidences.iter().zip(right) {
            let bin = ((confidence * bins as f64).ceil() as usize).clamp(1, bins) - 1;
            sums[bin].0 += confidence;
            sums[bin].1 += usize::from(right);
            sums[bin].2 += 1;
        }
        let filled = sums.into_iter().filter(|(_, _, count)| *count > 0);
        let bins = filled.map(|(sum, right, count)| ReliabilityBin {
            confidence: sum / count as f64,
            accuracy: right as f64 / count as f64,
            count,
        });
        Some(Self { bins: bins.collect(), count: confidences.len() })
    }

    /// The bins that hold images, by rising confidence.
    pub fn bins(&self) -> &[ReliabilityBin] {
        &self.bins
    }

    /// The expected calibration error: `Σ_b (n_b / n) |accuracy_b − confidence_b|`.
    ///
    /// From C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, arXiv 1706.04599.
    pub fn expected_error(&self) -> f64 {
        let weighted = |bin: &ReliabilityBin| bin.count as f64 * (bin.accuracy - bin.confidence).abs();
        self.bins.iter().map(weighted).sum::<f64>() / self.count as f64
    }

    /// The largest difference of accuracy and confidence in a bin.
    pub fn largest_error(&self) -> f64 {
        self.bins.iter().map(|bin| (bin.accuracy - bin.confidence).abs()).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_weighted_by_the_images_of_a_bin() {
        // Two bins: confidences 0.4 and 0.5, one right; 0.9 twice and 1.0, all right.
        let found = Reliability::new(&[0.4, 0.5, 0.9, 0.9, 1.0], &[true, false, true, true, true], 2);
        let found = found.expect("images");
        let (low, high) = ((0.5f64 - 0.45).abs(), (1.0f64 - 2.8 / 3.0).abs());
        assert!((found.expected_error() - (2.0 * low + 3.0 * high) / 5.0).abs() < 1e-12);
        assert!((found.largest_error() - high).abs() < 1e-12);
        assert_eq!(found.bins().iter().map(|bin| bin.count).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn a_confidence_that_is_right_as_often_as_it_says_has_no_error() {
        let confidences = [0.75; 8];
        let right: Vec<bool> = (0..8).map(|i| i < 6).collect();
        assert_eq!(Reliability::new(&confidences, &right, 15).expect("images").expected_error(), 0.0);
    }

    #[test]
    fn the_ends_belong_to_bins_and_wrong_input_gives_none() {
        assert_eq!(Reliability::new(&[0.0, 1.0], &[false, true], 10).expect("images").bins().len(), 2);
        assert_eq!(Reliability::new(&[1.1], &[true], 10), None);
        assert_eq!(Reliability::new(&[f64::NAN], &[true], 10), None);
        assert_eq!(Reliability::new(&[], &[], 10), None);
        assert_eq!(Reliability::new(&[0.5], &[true], 0), None);
    }
}
