//! Is the difference between two methods more than chance?

use statrs::distribution::{Continuous, ContinuousCDF, StudentsT};

/// Mean of paired differences, with what Student's t distribution says of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedDifference {
    /// The mean.
    pub mean: f64,
    /// The interval that holds the true mean with the probability asked for; `None` with one pair, or where all differences are the
    /// same: shares of a few images are, now and then, and their deviation is not 0 for that.
    pub interval: Option<(f64, f64)>,
    /// Two-sided p value of the hypothesis that the true mean is 0; `None` as the interval.
    pub p: Option<f64>,
}

/// The paired t-interval and test: `d̄ ± t(n − 1) s / √n` with the deviation `s` over `n − 1`.
///
/// The differences are of the same seeds, folds or images under two methods, so that what they share drops out.
/// `None` without differences, for one that is not finite, or a confidence that is not between 0 and 1.
///
/// From Student, "The Probable Error of a Mean", Biometrika 6 (1908).
pub fn paired_difference(differences: &[f64], confidence: f64) -> Option<PairedDifference> {
    let count = differences.len() as f64;
    let valid = differences.iter().all(|d| d.is_finite()) && confidence > 0.0 && confidence < 1.0;
    if differences.is_empty() || !valid {
        return None;
    }
    let mean = differences.iter().sum::<f64>() / count;
    let none = PairedDifference { mean, interval: None, p: None };
    if differences.len() < 2 {
        return Some(none);
    }
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let error = (variance / count).sqrt();
    // But for rounding.
    if error <= 1e-12 * mean.abs() {
        return Some(none);
    }
    let distribution = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    let half = quantile(&distribution, 0.5 + confidence / 2.0) * error;
    let p = 2.0 * distribution.cdf(-(mean / error).abs());
    Some(PairedDifference { interval: Some((mean - half, mean + half)), p: Some(p), ..none })
}

/// The library's quantile ends its search early: with a million differences the third digit is wrong. Newton's steps
/// go on from there.
fn quantile(distribution: &StudentsT, probability: f64) -> f64 {
    let step = |x: f64, _| x - (distribution.cdf(x) - probability) / distribution.pdf(x);
    (0..3).fold(distribution.inverse_cdf(probability), step)
}

/// p values corrected for having been looked at together: `p̃₍ᵢ₎ = maxⱼ≤ᵢ min(1, (n − j + 1) p₍ⱼ₎)`, in the order given.
///
/// A test that finds something wherever `p̃ < α` finds something that is not there with a probability of at most `α`
/// among all of them together. NaN stands for a test that could not be made: it stays NaN and is not counted.
///
/// From S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6 (1979).
pub fn adjusted_by_holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).filter(|&i| !p_values[i].is_nan()).collect();
    order.sort_by(|&i, &j| p_values[i].total_cmp(&p_values[j]));
    let mut adjusted = vec![f64::NAN; p_values.len()];
    let mut largest = 0.0f64;
    for (rank, &i) in order.iter().enumerate() {
        largest = largest.max(((order.len() - rank) as f64 * p_values[i]).min(1.0));
        adjusted[i] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_and_p_are_those_of_scipy() {
        // d = [0.9, 1.6, 2.1, 1.2, 2.2]; scipy.stats.ttest_1samp(d, 0).pvalue; t.interval(0.95, 4, d.mean(), sem(d))
        let found = paired_difference(&[0.9, 1.6, 2.1, 1.2, 2.2], 0.95).expect("differences");
        let (low, high) = found.interval.expect("five pairs");
        assert!((found.mean - 1.6).abs() < 1e-12);
        assert!(
            (low - 0.903_117_809_384).abs() < 1e-9 && (high - 2.296_882_190_616).abs() < 1e-9,
            "{low} {high}"
        );
        assert!((found.p.expect("five pairs") - 0.003_106_418_990).abs() < 1e-9, "{:?}", found.p);
    }

    #[test]
    fn one_pair_has_a_mean_alone_and_none_has_nothing() {
        let found = paired_difference(&[0.5], 0.95);
        assert_eq!(found, Some(PairedDifference { mean: 0.5, interval: None, p: None }));
        assert_eq!(paired_difference(&[], 0.95), None);
        assert_eq!(paired_difference(&[f64::NAN, 1.0], 0.95), None);
        assert_eq!(paired_difference(&[1.0, 2.0], 1.0), None);
    }

    #[test]
    fn differences_that_are_all_the_same_say_nothing_of_their_spread() {
        for same in [0.0, 0.1, -1.0 / 408.0] {
            let found = paired_difference(&[same; 3], 0.95).expect("differences");
            assert!(found.interval.is_none() && found.p.is_none() && (found.mean - same).abs() < 1e-15);
        }
    }

    #[test]
    fn holm_multiplies_by_what_is_left_and_never_lets_a_larger_p_become_smaller() {
        // statsmodels.stats.multitest.multipletests([0.01, 0.04, 0.03, 0.005], method="holm")[1]
        let adjusted = adjusted_by_holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(adjusted_by_holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(adjusted_by_holm(&[]).is_empty());
        // As R's p.adjust(c(0.02, NA, 0.03), "holm").
        let adjusted = adjusted_by_holm(&[0.02, f64::NAN, 0.03]);
        assert!(adjusted[1].is_nan() && (adjusted[0], adjusted[2]) == (0.04, 0.04), "{adjusted:?}");
    }
}
