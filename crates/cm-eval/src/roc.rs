//! How well a score tells two classes apart.

/// The receiver operating characteristic: for every threshold, the shares of negative and of positive images whose score
/// reaches it.
#[derive(Debug, Clone, PartialEq)]
pub struct RocCurve {
    /// From the strictest threshold, which no score reaches, to the loosest. Images of equal scores are taken in together.
    pub points: Vec<RocPoint>,
}

/// One threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// Scores of at least this are called positive.
    pub threshold: f64,
    /// Share of the negative images called positive, `1 − specificity`.
    pub false_positive_rate: f64,
    /// Share of the positive images called positive, the sensitivity.
    pub true_positive_rate: f64,
}

impl RocCurve {
    /// The curve of these scores.
    ///
    /// `None` if the lengths differ, a score is NaN, or one of the classes has no image.
    pub fn new(scores: &[f64], positive: &[bool]) -> Option<Self> {
        let (positives, negatives) = counted(scores, positive)?;
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&i, &j| scores[j].total_cmp(&scores[i]));
        let (mut true_positives, mut false_positives) = (0, 0);
        let mut points =
            vec![RocPoint { threshold: f64::INFINITY, false_positive_rate: 0.0, true_positive_rate: 0.0 }];
        for tied in order.chunk_by(|&i, &j| scores[i] == scores[j]) {
            let right = tied.iter().filter(|&&i| positive[i]).count();
            true_positives += right;
            false_positives += tied.len() - right;
            points.push(RocPoint {
                threshold: scores[tied[0]],
                false_positive_rate: false_positives as f64 / negatives as f64,
                true_positive_rate: true_positives as f64 / positives as f64,
            });
        }
        Some(Self { points })
    }

    /// The area under the curve (AUC), by trapezoids: see [`auc`].
    pub fn area(&self) -> f64 {
        let trapezoid = |pair: &[RocPoint]| {
            let width = pair[1].false_positive_rate - pair[0].false_positive_rate;
            width * (pair[0].true_positive_rate + pair[1].true_positive_rate) / 2.0
        };
        self.points.windows(2).map(trapezoid).sum()
    }

    /// The sensitivity where so large a share of the negative images is called positive: on the straight line between the two
    /// nearest points, and the upper end of a vertical step.
    pub fn sensitivity_at(&self, false_positive_rate: f64) -> f64 {
        let after = self.points.partition_point(|point| point.false_positive_rate <= false_positive_rate);
        let Some(before) = after.checked_sub(1) else { return 0.0 };
        let a = self.points[before];
        let Some(b) = self.points.get(after) else { return a.true_positive_rate };
        let share =
            (false_positive_rate - a.false_positive_rate) / (b.false_positive_rate - a.false_positive_rate);
        a.true_positive_rate + share * (b.true_positive_rate - a.true_positive_rate)
    }
}

/// The area under the receiver operating characteristic: the probability that a positive image has the larger score than a
/// negative one, equal scores counting one half.
///
/// `None` as [`RocCurve::new`].
///
/// From J. A. Hanley, B. J. McNeil, "The Meaning and Use of the Area under a Receiver Operating Characteristic (ROC) Curve",
/// Radiology 143 (1982).
///
/// ```
/// use cm_eval::auc;
///
/// assert_eq!(auc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]), Some(0.75));
/// ```
pub fn auc(scores: &[f64], positive: &[bool]) -> Option<f64> {
    RocCurve::new(scores, positive).map(|curve| curve.area())
}

/// How many positive and negative images there are; `None` if one of them is none, or these are no scores.
pub(crate) fn counted(scores: &[f64], positive: &[bool]) -> Option<(usize, usize)> {
    if scores.len() != positive.len() || scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let positives = positive.iter().filter(|&&positive| positive).count();
    let negatives = positive.len() - positives;
    (positives > 0 && negatives > 0).then_some((positives, negatives))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_are_one_step_and_say_nothing() {
        let positive = [true, false, true, false];
        let curve = RocCurve::new(&[0.5; 4], &positive).expect("both classes");
        assert_eq!((curve.points.len(), curve.area()), (2, 0.5));
        assert_eq!(curve.sensitivity_at(0.25), 0.25);
        assert_eq!(auc(&[0.9, 0.1, 0.8, 0.2], &positive), Some(1.0));
        assert_eq!(auc(&[0.1, 0.9, 0.2, 0.8], &positive), Some(0.0));
        let curve = RocCurve::new(&[0.9, 0.1, 0.8, 0.2], &positive).expect("both classes");
        assert_eq!((curve.sensitivity_at(0.0), curve.sensitivity_at(1.0)), (1.0, 1.0));
    }

    #[test]
    fn one_class_alone_has_no_curve() {
        assert_eq!(auc(&[0.1, 0.2], &[true, true]), None);
        assert_eq!(auc(&[0.1, f64::NAN], &[true, false]), None);
        assert_eq!(auc(&[0.1], &[true, false]), None);
        assert_eq!(auc(&[], &[]), None);
    }
}
