//! Is one classifier right more often than another on the same images?

use std::collections::BTreeMap;

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal};

use crate::delong::normal_half_width;

/// Steps of the exact distribution; beyond it the groups are so many that the normal one does as well.
const EXACT: usize = 10_000_000;

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
    /// First minus second.
    pub difference: f64,
    /// Its interval; `None` where they never differ, since nothing tells then how far apart they may be.
    pub interval: Option<(f64, f64)>,
    /// Two-sided p value of the hypothesis that the difference of a group is as likely the other way round; 1 where they never
    /// differ.
    pub p: f64,
}

/// McNemar's test for images that come in groups, such as the nodules of one patient: from whether each classifier got each image
/// right, and the group of each.
///
/// ```text
/// d_k = first only − second only, of group k      N images, n_k in group k, K groups
/// difference = Σ d_k / N
/// variance = K / (K − 1) · Σ (d_k − n_k · difference)² / N²
/// p = share of all choices of signs with |Σ ± d_k| ≥ |Σ d_k|
/// ```
///
/// The interval is of this variance and the normal distribution; p is exact, however few the groups are that differ. Where each
/// image is a group of its own it is that of [`mcnemar`].
///
/// `None` if the lengths differ, with fewer than two groups, or a confidence that is not between 0 and 1.
///
/// The variance is from N. A. Obuchowski, "On the Comparison of Correlated Proportions for Clustered Data", Statistics in Medicine
/// 17 (1998).
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
    let differences: Vec<i64> = sums.values().map(|(difference, _)| difference.round() as i64).collect();
    let differs = differences.iter().any(|&difference| difference != 0);
    Some(AccuracyDifference {
        difference: value,
        interval: differs.then_some((value - half, value + half)),
        p: with_signs_at_random(&differences),
    })
}

/// The probability that the sum is as far from 0 as it is, or farther, if each sign is as likely as the other.
fn with_signs_at_random(differences: &[i64]) -> f64 {
    let found = differences.iter().sum::<i64>().unsigned_abs() as usize;
    let sizes: Vec<usize> = differences
        .iter()
        .map(|difference| difference.unsigned_abs() as usize)
        .filter(|&size| size > 0)
        .collect();
    let most: usize = sizes.iter().sum();
    if most.saturating_mul(sizes.len()) > EXACT {
        let deviation = sizes.iter().map(|&size| (size * size) as f64).sum::<f64>().sqrt();
        return 2.0 * Normal::standard().cdf(-(found as f64 / deviation));
    }
    // Of every sum its probability; `most` stands in the middle.
    let mut sums = vec![0.0; 2 * most + 1];
    sums[most] = 1.0;
    let mut reached = 0;
    for size in sizes {
        reached += size;
        let mut next = vec![0.0; 2 * most + 1];
        for at in most + size - reached..=most + reached - size {
            next[at - size] += 0.5 * sums[at];
            next[at + size] += 0.5 * sums[at];
        }
        sums = next;
    }
    let far = sums.iter().enumerate().filter(|(at, _)| at.abs_diff(most) >= found);
    far.map(|(_, probability)| probability).sum::<f64>().min(1.0)
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
        assert!((found.difference - 0.12).abs() < 1e-12, "{found:?}");
        let plain = mcnemar(&first, &second).expect("images");
        assert!((found.p - plain.p).abs() < 1e-12, "{found:?} and {plain:?}");
        // The variance of 28 differences of 1 among 100 around 0.12, by the factor 100 / 99.
        let half = 1.959_963_984_540_054 * ((28.0 - 100.0 * 0.12f64.powi(2)) / 99.0 / 100.0).sqrt();
        let (low, high) = found.interval.expect("they differ");
        assert!((low - (0.12 - half)).abs() < 1e-9 && (high - (0.12 + half)).abs() < 1e-9, "{found:?}");
        let fours: Vec<usize> = (0..100).map(|i| i / 4).collect();
        let grouped = accuracy_difference(&first, &second, &fours, 0.95).expect("groups");
        assert_eq!(grouped.difference, found.difference);
        assert!(grouped.p > 2.0 * found.p, "{grouped:?} and {found:?}");
        let never = accuracy_difference(&first, &first, &fours, 0.95).expect("groups");
        assert_eq!((never.p, never.interval), (1.0, None));
        assert_eq!(accuracy_difference(&first, &second, &[0; 100], 0.95), None);
        assert_eq!(accuracy_difference(&first, &second[1..], &single, 0.95), None);
    }

    #[test]
    fn signs_at_random_give_what_counting_all_of_them_gives() {
        for differences in [vec![1, 1, 1, 1, 0], vec![2, -1, 3, 1, -2, 1], vec![-4, 1, 1], vec![0, 0]] {
            let sum = |signs: u32| -> i64 {
                let signed = differences.iter().enumerate();
                signed.map(|(i, size)| if signs >> i & 1 == 1 { -size } else { *size }).sum()
            };
            let all = 1_u32 << differences.len();
            let far = (0..all).filter(|&signs| sum(signs).abs() >= sum(0).abs()).count();
            let found = with_signs_at_random(&differences);
            assert!((found - far as f64 / f64::from(all)).abs() < 1e-12, "{differences:?}: {found}");
        }
        // Four patients of many, all in one direction: two of sixteen.
        assert!((with_signs_at_random(&[1, 1, 1, 1, 0, 0]) - 0.125).abs() < 1e-12);
        // The normal distribution takes over where it does as well.
        let exact = with_signs_at_random(&[&[1; 1600][..], &[-1; 1500]].concat());
        let normal = with_signs_at_random(&[&[1; 2000][..], &[-1; 1890]].concat());
        assert!((exact - 0.0755).abs() < 5e-4 && (normal - 0.0778).abs() < 5e-4, "{exact} {normal}");
    }

    #[test]
    fn one_that_is_always_better_is_as_unlikely_as_so_many_coins() {
        let found = test(0, 6, 0).expect("images");
        assert!((found.p - 2.0 / 64.0).abs() < 1e-12, "{found:?}");
    }
}
