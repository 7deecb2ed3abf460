//! Verification errors when comparisons of low quality are left out.

use crate::shares::{at_most, nearest};

/// A comparison of two images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Similarity; higher is more alike.
    pub score: f64,
    /// Quality of the pair, usually the lower one of its two images.
    pub quality: f64,
}

/// Error-versus-discard characteristic: the share of mated comparisons that fail (false non-match rate) among those
/// that are left when the lowest qualities are discarded. Comparisons of equal quality go together.
///
/// After T. Schlett et al., "Considerations on the Evaluation of Biometric Quality Assessment Algorithms", 2023,
/// arXiv 2303.13294. Also known as ERC and EVRC.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorDiscardCurve {
    /// Share discarded, from 0, and the error rate of what is left; the last point is `(1, 0)`.
    pub points: Vec<(f64, f64)>,
}

impl ErrorDiscardCurve {
    /// The threshold is fixed once, such that the share `starting_error` of all mated comparisons, rounded to a whole number
    /// of them, scores below it and fails. This is the form to use: what is discarded cannot change what an error is.
    ///
    /// `None` if there is no comparison, a number is not one, or `starting_error` is not between 0 and 1.
    pub fn fixed(mated: &[Comparison], starting_error: f64) -> Option<Self> {
        if mated.is_empty() || !all_numbers(mated) || !(starting_error > 0.0 && starting_error < 1.0) {
            return None;
        }
        let mut scores: Vec<f64> = mated.iter().map(|c| c.score).collect();
        scores.sort_by(f64::total_cmp);
        // With this many scores below it, as near as possible.
        let below = nearest(starting_error, scores.len());
        let threshold = scores[below.min(scores.len() - 1)];
        let mut order: Vec<&Comparison> = mated.iter().collect();
        order.sort_by(|a, b| a.quality.total_cmp(&b.quality));
        let count = mated.len();
        let mut errors = mated.iter().filter(|c| c.score < threshold).count();
        let mut points = vec![(0.0, errors as f64 / count as f64)];
        let mut discarded = 0;
        for tied in order.chunk_by(|a, b| a.quality == b.quality) {
            discarded += tied.len();
            errors -= tied.iter().filter(|c| c.score < threshold).count();
            let left = count - discarded;
            let rate = if left == 0 { 0.0 } else { errors as f64 / left as f64 };
            points.push((discarded as f64 / count as f64, rate));
        }
        Some(Self { points })
    }

    /// At each share of `shares` (rising from 0, below 1) so many of all comparisons together, mated and not, are discarded, of the
    /// lowest quality first, and the threshold is set anew: as low as leaves at most `false_match_rate` of the non-mated
    /// comparisons above it. Mated ones fail up to the threshold. Of comparisons of equal quality that the share would
    /// part, all stay; the curve has the share asked for. MagFace's and CR-FIQA's code recompute the threshold so; curves
    /// of this form and of [`fixed`](Self::fixed) cannot be compared.
    ///
    /// `None` as [`fixed`](Self::fixed).
    pub fn recomputed(
        mated: &[Comparison],
        non_mated: &[Comparison],
        false_match_rate: f64,
        shares: &[f64],
    ) -> Option<Self> {
        let rate_valid = false_match_rate > 0.0 && false_match_rate < 1.0;
        let rising = shares.windows(2).all(|pair| pair[0] < pair[1]);
        let shares_valid = rising && shares.first() == Some(&0.0) && shares.iter().all(|share| *share < 1.0);
        if mated.is_empty() || non_mated.is_empty() || !rate_valid || !shares_valid {
            return None;
        }
        if !all_numbers(mated) || !all_numbers(non_mated) {
            return None;
        }
        let mut qualities: Vec<f64> = mated.iter().chain(non_mated).map(|c| c.quality).collect();
        qualities.sort_by(f64::total_cmp);
        let mut points = Vec::new();
        for &share in shares {
            let least = qualities[at_most(share, qualities.len())];
            let left = |all: &[Comparison]| -> Vec<f64> {
                all.iter().filter(|c| c.quality >= least).map(|c| c.score).collect()
            };
            let (left_mated, mut impostors) = (left(mated), left(non_mated));
            if left_mated.is_empty() || impostors.is_empty() {
                continue;
            }
            // At most this many impostors score above the threshold.
            let allowed = at_most(false_match_rate, impostors.len()).min(impostors.len() - 1);
            let threshold = *impostors.select_nth_unstable_by(allowed, |a, b| b.total_cmp(a)).1;
            let errors = left_mated.iter().filter(|&&score| score <= threshold).count();
            points.push((share, errors as f64 / left_mated.len() as f64));
        }
        points.push((1.0, 0.0));
        Some(Self { points })
    }

    /// The partial area up to the discarded share `limit` (at most 1), less that of the best case: each error rate counts
    /// up to the next share (in steps), and the best case falls along `max(0, e − d)` from the error rate `e` that the
    /// curve begins with, as in T. Schlett et al., arXiv 2303.13294. 0 is perfect; lower is better.
    pub fn partial_area(&self, limit: f64) -> f64 {
        let limit = limit.clamp(0.0, 1.0);
        let step = |pair: &[(f64, f64)]| pair[0].1 * (pair[1].0.min(limit) - pair[0].0.min(limit));
        let area: f64 = self.points.windows(2).map(step).sum();
        area - self.best_area(limit)
    }

    /// The partial area to be expected of an order that has nothing to do with the errors: with a fixed threshold their
    /// share stays what it is, whatever is discarded.
    pub fn random_area(&self, limit: f64) -> f64 {
        let limit = limit.clamp(0.0, 1.0);
        self.start() * limit - self.best_area(limit)
    }

    fn start(&self) -> f64 {
        self.points.first().map_or(0.0, |point| point.1)
    }

    /// `∫ max(0, e − d)` from 0 to the limit, with the error rate `e` that the curve begins with.
    fn best_area(&self, limit: f64) -> f64 {
        let start = self.start();
        start * start / 2.0 - if limit < start { (start - limit).powi(2) / 2.0 } else { 0.0 }
    }
}

fn all_numbers(comparisons: &[Comparison]) -> bool {
    comparisons.iter().all(|c| !c.score.is_nan() && !c.quality.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparisons(pairs: &[(f64, f64)]) -> Vec<Comparison> {
        pairs.iter().map(|&(score, quality)| Comparison { score, quality }).collect()
    }

    #[test]
    fn errors_leave_with_their_quality_and_ties_leave_together() {
        // Threshold 0.5: two of eight fail, one of quality 1 and one of quality 3, which it shares with another.
        let mated = comparisons(&[
            (0.1, 1.0),
            (0.9, 2.0),
            (0.2, 3.0),
            (0.8, 3.0),
            (0.5, 4.0),
            (0.6, 5.0),
            (0.7, 6.0),
            (0.95, 7.0),
        ]);
        let curve = ErrorDiscardCurve::fixed(&mated, 0.25).expect("a curve");
        let expected = [
            (0.0, 2.0 / 8.0),
            (1.0 / 8.0, 1.0 / 7.0),
            (2.0 / 8.0, 1.0 / 6.0),
            (4.0 / 8.0, 0.0),
            (5.0 / 8.0, 0.0),
            (6.0 / 8.0, 0.0),
            (7.0 / 8.0, 0.0),
            (1.0, 0.0),
        ];
        assert_eq!(curve.points, expected);
        // Steps 0.25/8 + 1/7/8 + 1/6/4, best case 0.25²/2; and to a limit of 0.2, within the second step.
        let full = 0.25 / 8.0 + 1.0 / 56.0 + 1.0 / 24.0 - 0.25 * 0.25 / 2.0;
        assert!((curve.partial_area(1.0) - full).abs() < 1e-12);
        let partial = 0.25 / 8.0 + 0.075 / 7.0 - (0.25 * 0.25 - 0.05 * 0.05) / 2.0;
        assert!((curve.partial_area(0.2) - partial).abs() < 1e-12);
    }

    #[test]
    fn a_quality_that_knows_the_errors_has_less_area_than_one_that_does_not() {
        let scores: Vec<f64> = (0..200).map(|i| (f64::from(i) * 0.737).sin()).collect();
        let with = |quality: &dyn Fn(f64) -> f64| {
            let pairs: Vec<(f64, f64)> = scores.iter().map(|&s| (s, quality(s))).collect();
            ErrorDiscardCurve::fixed(&comparisons(&pairs), 0.1).expect("a curve").partial_area(0.3)
        };
        let (knows, chance, reversed) = (with(&|s| s), with(&|s| (s * 977.0).sin()), with(&|s| -s));
        assert!(knows < chance && chance < reversed, "{knows} {chance} {reversed}");
        // Steps stay above the slanted line of the best case by less than a step's height and width.
        assert!((0.0..1e-3).contains(&knows), "{knows}");
        let mean =
            (0..400).map(|seed| with(&|s| ((s + 2.0) * (1000.0 + 7.0 * f64::from(seed))).sin())).sum::<f64>()
                / 400.0;
        let pairs: Vec<(f64, f64)> = scores.iter().map(|&s| (s, s)).collect();
        let expected = ErrorDiscardCurve::fixed(&comparisons(&pairs), 0.1).expect("a curve").random_area(0.3);
        assert!((expected - (0.1 * 0.3 - 0.005)).abs() < 1e-12);
        assert!((mean - expected).abs() < 1e-3, "{mean} {expected}");
    }

    #[test]
    fn a_recomputed_threshold_follows_the_impostors_that_are_left() {
        let mated = comparisons(&[(0.3, 1.0), (0.6, 2.0), (0.8, 3.0), (0.9, 4.0)]);
        let non_mated = comparisons(&[(0.7, 1.0), (0.2, 2.0), (0.1, 3.0), (0.0, 4.0)]);
        let curve =
            ErrorDiscardCurve::recomputed(&mated, &non_mated, 0.1, &[0.0, 0.25, 0.5]).expect("a curve");
        // All: threshold 0.7, two of four fail. Without quality 1: threshold 0.2, none fails.
        assert_eq!(curve.points, [(0.0, 0.5), (0.25, 0.0), (0.5, 0.0), (1.0, 0.0)]);
    }

    #[test]
    fn shares_that_are_whole_numbers_of_comparisons_are_taken_as_such() {
        // 0.29 · 100 is 28.999999999999996 in 64 bits.
        let all: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i), f64::from(i))).collect();
        let mated = comparisons(&all);
        let non_mated = comparisons(&[(-1.0, 100.0)]);
        let curve = ErrorDiscardCurve::recomputed(&mated, &non_mated, 0.5, &[0.0, 0.29]).expect("a curve");
        assert_eq!(curve.points[1].0, 0.29);
        let impostors = comparisons(&(0..100).map(|i| (f64::from(i), 1.0)).collect::<Vec<_>>());
        let genuine = comparisons(&[(70.0, 1.0), (70.5, 1.0)]);
        let curve = ErrorDiscardCurve::recomputed(&genuine, &impostors, 0.29, &[0.0]).expect("a curve");
        // 29 impostors, 71 to 99, are above a threshold of 70.
        assert_eq!(curve.points[0], (0.0, 0.5));
    }

    #[test]
    fn nothing_can_be_drawn_without_comparisons_or_of_nan() {
        assert_eq!(ErrorDiscardCurve::fixed(&[], 0.1), None);
        assert_eq!(ErrorDiscardCurve::fixed(&comparisons(&[(f64::NAN, 1.0)]), 0.1), None);
        assert_eq!(ErrorDiscardCurve::fixed(&comparisons(&[(1.0, 1.0)]), 1.0), None);
        let some = comparisons(&[(1.0, 1.0)]);
        assert_eq!(ErrorDiscardCurve::recomputed(&some, &[], 0.1, &[0.0]), None);
        assert_eq!(ErrorDiscardCurve::recomputed(&some, &some, 0.1, &[1.0]), None);
    }
}
