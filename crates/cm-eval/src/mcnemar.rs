//! Is one classifier right more often than another on the same images?

use std::collections::BTreeMap;

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal};

use crate::{Estimate, delong::normal_half_width};

/// McNemar's test of two classifiers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// Images that only the first classifier got right.
    pub first_only: usize,
    /// Images that only the second got right.
    pub second_only: usize,
    /// Two-sided p value of the hypothesis that each is as likely as the other, from the binomial distribution (exact); 1 where
    /// they never differ.
    pub p: f64,
}

/// McNemar's exact test, from whether each classifier got each image right. The images count as independent.
///
/// `None` if the lengths differ or there is no image.
///
/// From Q. McNemar, "Note on the Sampling Error of the Difference between Correlated Proportions or Percentages", Psychometrika
/// 12 (1947).
pub fn mcnemar(first: &[bool], second: &[bool]) -> Option<McNemar> {
    if first.is_empty() || first.len() != second.len() {
        return None;
    }
    let only = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|(a, b)| **a && !**b).count();
    let (first_only, second_only) = (only(first, second), only(second, first));
    let discordant = (first_only + second_only) as u64;
    let half = Binomial::new(0.5, discordant).ok()?;
    let p = (2.0 * half.cdf(first_only.min(second_only) as u64)).min(1.0);
    Some(McNemar { first_only, second_only, p })
}

/// The difference of the accuracies of two classifiers on images that come in groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AccuracyDifference {
    /// First minus second, with its interval.
    pub difference: Estimate,
    /// Two-sided p value of the hypothesis that both are right as often; 1 where they never differ.
    pub p: f64,
}

/// McNemar's test for images that come in groups, such as the nodules of one patient: from whether each classifier got each image
/// right, and the group of each.
///
/// ```text
/// d_k = first only − second only, of group k      N images, K groups
/// difference = Σ d_k / N
/// variance under the hypothesis = K / (K − 1) · Σ d_k² / N²
/// ```
///
/// The interval is of the variance of the `d_k` around their share of the difference. Where each image is a group of its own,
/// that is McNemar's test without correction for continuity, but for the factor.
///
/// `None` if the lengths differ, with fewer than two groups, or a confidence that is not between 0 and 1.
///
/// From N. A. Obuchowski, "On the Comparison of Correlated Proportions for Clustered Data", Statistics in Medicine 17 (1998).
pub fn accuracy_difference(
    first: &[bool],
    second: &[bool],
    groups: &[usize],
    confidence: f64,
) -> Option<AccuracyDifference> {
    if first.len() != second.len() || first.len() != groups.len() {
        return None;
    }
    // Of each group the difference, and the number of its images.
    let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for ((&first, &second), &group) in first.iter().zip(second).zip(groups) {
        let (difference, images) = sums.entry(group).or_default();
        *difference += f64::from(u8::from(first)) - f64::from(u8::from(second));
        *images += 1.0;
    }
    if sums.len() < 2 {
        return None;
    }
    let (images, count) = (first.len() as f64, sums.len() as f64);
    let value = sums.values().map(|(difference, _)| difference).sum::<f64>() / images;
    let spread = |around: f64| {
        let squares = sums.values().map(|(difference, of)| (difference - of * around).powi(2)).sum::<f64>();
        (count / (count - 1.0) * squares).sqrt() / images
    };
    let half = normal_half_width(confidence)? * spread(value);
    let under_hypothesis = spread(0.0);
    let p = match under_hypothesis > 0.0 {
        true => 2.0 * Normal::standard().cdf(-(value / under_hypothesis).abs()),
        false => 1.0,
    };
    Some(AccuracyDifference {
        difference: Estimate { value, interval: (value - half, value + half), confidence },
        p,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(both: usize, first_only: usize, second_only: usize) -> Option<McNemar> {
        let rights =
            |own: usize, other: usize| [vec![true; both], vec![true; own], vec![false; other]].concat();
        let first = rights(first_only, second_only);
        let second = [vec![true; both], vec![false; first_only], vec![true; second_only]].concat();
        mcnemar(&first, &second)
    }

    #[test]
    fn classifiers_that_never_differ_have_a_p_of_1() {
        assert_eq!(test(5, 0, 0), Some(McNemar { first_only: 0, second_only: 0, p: 1.0 }));
        assert_eq!(test(5, 4, 4).map(|found| found.p), Some(1.0));
        assert_eq!(mcnemar(&[], &[]), None);
        assert_eq!(mcnemar(&[true], &[true, false]), None);
    }

    #[test]
    fn images_that_are_wrong_together_count_for_less_than_as_many_single_ones() {
        // The first is right where the second is not on 20 images, the other way round on 8.
        let first: Vec<bool> = (0..100).map(|i| i >= 8).collect();
        let second: Vec<bool> = (0..100).map(|i| !(8..28).contains(&i)).collect();
        let single: Vec<usize> = (0..100).collect();
        let found = accuracy_difference(&first, &second, &single, 0.95).expect("groups");
        assert!((found.difference.value - 0.12).abs() < 1e-12, "{found:?}");
        // McNemar's statistic without correction, (20 − 8)² / (20 + 8), by the factor 99 / 100.
        let z = (12.0f64.powi(2) / 28.0 * 0.99).sqrt();
        assert!((found.p - 2.0 * Normal::standard().cdf(-z)).abs() < 1e-12, "{found:?}");
        let fours: Vec<usize> = (0..100).map(|i| i / 4).collect();
        let grouped = accuracy_difference(&first, &second, &fours, 0.95).expect("groups");
        assert_eq!(grouped.difference.value, found.difference.value);
        assert!(grouped.p > 2.0 * found.p, "{grouped:?} and {found:?}");
        let never = accuracy_difference(&first, &first, &fours, 0.95).expect("groups");
        assert_eq!((never.p, never.difference.interval), (1.0, (0.0, 0.0)));
        assert_eq!(accuracy_difference(&first, &second, &[0; 100], 0.95), None);
        assert_eq!(accuracy_difference(&first, &second[1..], &single, 0.95), None);
    }

    #[test]
    fn one_that_is_always_better_is_as_unlikely_as_so_many_coins() {
        let found = test(0, 6, 0).expect("images");
        assert!((found.p - 2.0 / 64.0).abs() < 1e-12, "{found:?}");
    }
}
