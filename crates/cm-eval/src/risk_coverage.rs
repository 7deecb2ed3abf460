//! Misclassification when the least certain images are left out.

/// The error rate (risk) among the most certain images, for every number of them (coverage).
///
/// From R. El-Yaniv, Y. Wiener, "On the Foundations of Noise-free Selective Classification", JMLR 2010.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskCoverageCurve {
    /// Coverage, rising from above 0 to 1, and the risk there. Images of equal certainty are taken in together.
    pub points: Vec<(f64, f64)>,
}

impl RiskCoverageCurve {
    /// The curve of a classification, from the certainty of each image (its feature norm, for example) and whether it
    /// was right.
    ///
    /// `None` if the lengths differ, there is no image, or a certainty is not a number.
    pub fn new(certainty: &[f64], right: &[bool]) -> Option<Self> {
        let count = certainty.len();
        if count != right.len() || count == 0 || certainty.iter().any(|c| c.is_nan()) {
            return None;
        }
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&i, &j| certainty[j].total_cmp(&certainty[i]));
        let (mut taken, mut wrong) = (0, 0);
        let mut points = Vec::new();
        for tied in order.chunk_by(|&i, &j| certainty[i] == certainty[j]) {
            taken += tied.len();
            wrong += tied.iter().filter(|&&i| !right[i]).count();
            points.push((taken as f64 / count as f64, wrong as f64 / taken as f64));
        }
        Some(Self { points })
    }

    /// The area under the curve (AURC): the mean risk over all coverages; lower is better. Between two points the risk
    /// is that of the upper one, so that with distinct certainties it is the mean over the images.
    pub fn area(&self) -> f64 {
        let mut from = 0.0;
        let mut area = 0.0;
        for &(coverage, risk) in &self.points {
            area += (coverage - from) * risk;
            from = coverage;
        }
        area
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_is_the_mean_risk_over_the_most_certain_images() {
        // From the most certain down: right, wrong, right, wrong. Risks 0, 1/2, 1/3, 2/4.
        let curve =
            RiskCoverageCurve::new(&[0.1, 0.9, 0.4, 0.7], &[false, true, true, false]).expect("a curve");
        assert_eq!(curve.points, [(0.25, 0.0), (0.5, 0.5), (0.75, 1.0 / 3.0), (1.0, 0.5)]);
        assert!((curve.area() - (0.0 + 0.5 + 1.0 / 3.0 + 0.5) / 4.0).abs() < 1e-12);
    }

    #[test]
    fn a_certainty_that_knows_is_better_than_a_tie_and_that_than_its_opposite() {
        let right = [true, true, true, false];
        let area = |certainty: &[f64]| RiskCoverageCurve::new(certainty, &right).expect("a curve").area();
        assert!(area(&[3.0, 3.1, 3.2, 1.0]) < area(&[1.0; 4]));
        assert!(area(&[1.0; 4]) < area(&[1.0, 1.1, 1.2, 3.0]));
        assert!((area(&[1.0; 4]) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn nothing_can_be_drawn_without_images_or_of_nan() {
        assert_eq!(RiskCoverageCurve::new(&[], &[]), None);
        assert_eq!(RiskCoverageCurve::new(&[1.0], &[]), None);
        assert_eq!(RiskCoverageCurve::new(&[f64::NAN], &[true]), None);
    }
}
