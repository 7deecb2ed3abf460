//! Are two images of the same person? How often an answer by a threshold is right.

mod folds;
mod quality_aware;

pub use folds::{Fold, FoldAccuracy, Thresholds};
pub use quality_aware::QualityAware;

use crate::shares::at_most;

/// The scores of mated comparisons (two images of one person) and of non-mated ones; higher is more alike. A comparison that could
/// not be made has the score −∞: it is never accepted, and stays in the denominator.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// Falling.
    mated: Vec<f64>,
    /// Falling.
    non_mated: Vec<f64>,
    /// Every score, falling: each as a threshold accepts more than the one before. One that accepts nothing comes first.
    thresholds: Vec<f64>,
}

/// Which threshold stands for a false accept rate (FAR) that none has exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FarRule {
    /// The lowest with at most this FAR.
    AtMost,
    /// The one whose FAR is nearest, the lower threshold where two are equally near: as insightface's evaluation of IJB-B and IJB-C
    /// does it, with the thresholds that scikit-learn's `roc_curve` leaves, without those on a straight line between their
    /// neighbors. The FAR found may be above the one asked for.
    Nearest,
}

/// A true accept rate (TAR) at a false accept rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TarAtFar {
    /// Comparisons are accepted whose score is at least this.
    pub threshold: f64,
    /// Share of the non-mated comparisons that it accepts.
    pub far: f64,
    /// Share of the mated comparisons that it accepts.
    pub tar: f64,
}

impl Verification {
    /// Divides scores by whether their comparison is mated.
    ///
    /// `None` if the lengths differ, a score is NaN or +∞, or there is no mated or no non-mated comparison.
    pub fn new(scores: &[f64], mated: &[bool]) -> Option<Self> {
        let is_score = |score: &f64| !score.is_nan() && *score < f64::INFINITY;
        if scores.len() != mated.len() || !scores.iter().all(is_score) {
            return None;
        }
        let of = |kind: bool| {
            let mut scores: Vec<f64> = scores
                .iter()
                .zip(mated)
                .filter(|(_, mated)| **mated == kind)
                .map(|(score, _)| *score)
                .collect();
            scores.sort_by(|a, b| b.total_cmp(a));
            scores
        };
        let (mated, non_mated) = (of(true), of(false));
        let mut thresholds: Vec<f64> = scores
            .iter()
            .copied()
            .filter(|score| *score > f64::NEG_INFINITY)
            .chain([f64::INFINITY])
            .collect();
        thresholds.sort_by(|a, b| b.total_cmp(a));
        thresholds.dedup();
        (!mated.is_empty() && !non_mated.is_empty()).then_some(Self { mated, non_mated, thresholds })
    }

    /// Numbers of mated and of non-mated comparisons.
    pub fn counts(&self) -> (usize, usize) {
        (self.mated.len(), self.non_mated.len())
    }

    /// Shares of the non-mated and of the mated comparisons that a threshold accepts.
    pub fn rates(&self, threshold: f64) -> (f64, f64) {
        let share = |scores: &[f64]| {
            // What could not be compared is not accepted by any threshold.
            let accepted = scores.partition_point(|&score| score >= threshold && score > f64::NEG_INFINITY);
            accepted as f64 / scores.len() as f64
        };
        (share(&self.non_mated), share(&self.mated))
    }

    /// The TAR at a FAR, by a rule.
    ///
    /// `None` where the FAR is not between 0 and 1 or asks for less than one of the non-mated comparisons: so few do not tell it.
    pub fn tar_at(&self, far: f64, rule: FarRule) -> Option<TarAtFar> {
        let count = self.non_mated.len();
        if !(far > 0.0 && far < 1.0) || at_most(far, count) == 0 {
            return None;
        }
        let at = |threshold| {
            let (far, tar) = self.rates(threshold);
            TarAtFar { threshold, far, tar }
        };
        let found = self.thresholds.iter().copied().map(at);
        match rule {
            FarRule::AtMost => {
                let most = at_most(far, count) as f64 / count as f64;
                found.take_while(|point| point.far <= most).last()
            }
            FarRule::Nearest => self.corners().into_iter().map(at).reduce(|nearest, point| {
                let distance = |point: TarAtFar| (point.far - far).abs();
                if distance(point) <= distance(nearest) { point } else { nearest }
            }),
        }
    }

    /// The thresholds without those at which the curve goes straight on.
    fn corners(&self) -> Vec<f64> {
        let all = &self.thresholds;
        // Of accepted comparisons of both kinds; the one that accepts nothing stands apart.
        let accepted = |&threshold: &f64| {
            let count = |scores: &[f64]| scores.partition_point(|&score| score >= threshold) as i64;
            (count(&self.non_mated), count(&self.mated))
        };
        let counts: Vec<(i64, i64)> = all.iter().map(accepted).collect();
        let is_corner = |i: &usize| {
            let straight = |of: &dyn Fn(usize) -> i64| of(i + 1) - of(*i) == of(*i) - of(i - 1);
            *i < 2 || i + 1 == all.len() || !(straight(&|i| counts[i].0) && straight(&|i| counts[i].1))
        };
        (0..all.len()).filter(is_corner).map(|i| all[i]).collect()
    }

    /// The equal error rate (EER): where the share of non-mated comparisons that are accepted is that of mated ones that are not, on
    /// the straight line between the two nearest thresholds.
    ///
    /// `None` if so many comparisons could not be made that no threshold accepts as many.
    pub fn equal_error_rate(&self) -> Option<f64> {
        let mut before: Option<(f64, f64)> = None;
        for &threshold in &self.thresholds {
            let (far, tar) = self.rates(threshold);
            let frr = 1.0 - tar;
            if far >= frr {
                let (far_before, frr_before) = before.unwrap_or((far, frr));
                // The difference passes through 0 between the two.
                let (a, b) = (frr_before - far_before, far - frr);
                let share = if a + b > 0.0 { a / (a + b) } else { 0.0 };
                return Some(far_before + share * (far - far_before));
            }
            before = Some((far, frr));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verification(mated: &[f64], non_mated: &[f64]) -> Verification {
        let scores = [mated, non_mated].concat();
        let kinds: Vec<bool> = (0..scores.len()).map(|i| i < mated.len()).collect();
        Verification::new(&scores, &kinds).expect("scores of both kinds")
    }

    #[test]
    fn the_rule_decides_between_the_thresholds_around_a_rate() {
        let found = verification(&[0.9, 0.8, 0.6, 0.3], &[0.7, 0.5, 0.4, 0.1]);
        // At most 0.3 of four is one.
        let strict = found.tar_at(0.3, FarRule::AtMost).expect("defined");
        assert_eq!((strict.threshold, strict.far, strict.tar), (0.6, 0.25, 0.75));
        // From 0.25 to 0.75 the curve is straight, so that the threshold between is none; of the two the lower one.
        let nearest = found.tar_at(0.45, FarRule::Nearest).expect("defined");
        assert_eq!((nearest.far, nearest.tar), (0.25, 0.75));
        let nearest = found.tar_at(0.5, FarRule::Nearest).expect("defined");
        assert_eq!((nearest.far, nearest.tar), (0.75, 1.0));
        // Fewer than one comparison.
        assert_eq!(found.tar_at(0.2, FarRule::AtMost), None);
        assert_eq!(found.tar_at(1.0, FarRule::AtMost), None);
    }

    #[test]
    fn equal_scores_are_accepted_together() {
        let found = verification(&[0.5, 0.5], &[0.5, 0.5, 0.1, 0.1]);
        assert_eq!(found.rates(0.5), (0.5, 1.0));
        let strict = found.tar_at(0.25, FarRule::AtMost).expect("defined");
        assert_eq!((strict.far, strict.tar), (0.0, 0.0));
    }

    #[test]
    fn the_equal_error_rate_is_on_the_line_between_two_thresholds() {
        assert_eq!(verification(&[0.9, 0.8], &[0.2, 0.1]).equal_error_rate(), Some(0.0));
        assert_eq!(verification(&[0.2, 0.1], &[0.9, 0.8]).equal_error_rate(), Some(1.0));
        assert_eq!(verification(&[0.9, 0.3], &[0.5, 0.1]).equal_error_rate(), Some(0.5));
        // From FAR 0 and FRR 1/3 to FAR 1/2 and FRR 1/3.
        let found = verification(&[0.9, 0.8, 0.2], &[0.5, 0.1]).equal_error_rate().expect("defined");
        assert!((found - 1.0 / 3.0).abs() < 1e-12, "{found}");
    }

    #[test]
    fn what_could_not_be_compared_is_never_accepted_and_counts() {
        let found = verification(&[0.9, f64::NEG_INFINITY], &[0.1, f64::NEG_INFINITY]);
        assert_eq!(found.rates(f64::NEG_INFINITY), (0.5, 0.5));
        assert_eq!(found.tar_at(0.5, FarRule::AtMost).expect("defined").tar, 0.5);
        assert_eq!(found.equal_error_rate(), Some(0.5));
        assert_eq!(verification(&[0.9, f64::NEG_INFINITY], &[f64::NEG_INFINITY]).equal_error_rate(), None);
        assert_eq!(Verification::new(&[f64::NAN, 1.0], &[true, false]), None);
        assert_eq!(Verification::new(&[0.0, 1.0], &[true, true]), None);
    }
}
