//! How sure an area under the receiver operating characteristic is, and whether two of them differ.

use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF, Normal};

use crate::{Estimate, roc::counted};

/// The areas of two scores of the same images, and their difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AucDifference {
    /// The area of each score.
    pub aucs: (f64, f64),
    /// First minus second, with its interval.
    pub difference: Estimate,
    /// Its standard error.
    pub std_error: f64,
    /// Two-sided p value of the hypothesis that the true areas are equal; `None` where the difference has no variance, as with scores
    /// that order the images alike, and nothing can be said.
    pub p: Option<f64>,
}

/// The area under the receiver operating characteristic with the interval of its normal approximation, cut at 0 and 1.
///
/// Images that come in groups, such as the nodules of one patient, are not independent: `groups` names the group of each image,
/// and `None` stands for single ones. With groups the variance is Obuchowski's; for single images that is DeLong's.
///
/// `None` as [`auc`](crate::auc), or if a class has images of one group alone, there is not one group for each image, or the
/// confidence is not between 0 and 1.
///
/// From E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the Areas under Two or More Correlated Receiver
/// Operating Characteristic Curves: A Nonparametric Approach", Biometrics 44 (1988); computed as in X. Sun, W. Xu, "Fast
/// Implementation of DeLong's Algorithm", IEEE Signal Processing Letters 21 (2014); groups from N. A. Obuchowski,
/// "Nonparametric Analysis of Clustered ROC Curve Data", Biometrics 53 (1997).
pub fn auc_interval(
    scores: &[f64],
    positive: &[bool],
    groups: Option<&[usize]>,
    confidence: f64,
) -> Option<Estimate> {
    let sums = Sums::new(&[scores], positive, groups)?;
    let half = normal_half_width(confidence)? * sums.covariance(0, 0).max(0.0).sqrt();
    let value = sums.aucs[0];
    Some(Estimate { value, interval: ((value - half).max(0.0), (value + half).min(1.0)), confidence })
}

/// DeLong's paired test: two scores of the same images. Groups as for [`auc_interval`].
///
/// `None` as [`auc_interval`].
pub fn auc_difference(
    first: &[f64],
    second: &[f64],
    positive: &[bool],
    groups: Option<&[usize]>,
    confidence: f64,
) -> Option<AucDifference> {
    let sums = Sums::new(&[first, second], positive, groups)?;
    let variance = sums.covariance(0, 0) + sums.covariance(1, 1) - 2.0 * sums.covariance(0, 1);
    // Where both scores order the images alike, rounding would leave a variance that is none.
    let variance = if variance > 1e-18 { variance } else { 0.0 };
    let (std_error, value) = (variance.sqrt(), sums.aucs[0] - sums.aucs[1]);
    let half = normal_half_width(confidence)? * std_error;
    Some(AucDifference {
        aucs: (sums.aucs[0], sums.aucs[1]),
        difference: Estimate { value, interval: (value - half, value + half), confidence },
        std_error,
        p: (std_error > 0.0).then(|| 2.0 * Normal::standard().cdf(-(value / std_error).abs())),
    })
}

pub(crate) fn normal_half_width(confidence: f64) -> Option<f64> {
    let between = confidence > 0.0 && confidence < 1.0;
    between.then(|| Normal::standard().inverse_cdf(0.5 + confidence / 2.0))
}

/// Structural components of the areas of several scores, summed over each group.
struct Sums {
    aucs: Vec<f64>,
    /// For each score and group: the sums, over its positive and its negative images, of what each differs from the area by.
    deviations: Vec<Vec<(f64, f64)>>,
    /// Positive and negative images, and groups with any of them.
    images: (f64, f64),
    groups: (f64, f64),
}

impl Sums {
    fn new(scores: &[&[f64]], positive: &[bool], groups: Option<&[usize]>) -> Option<Self> {
        let mut images = None;
        for scores in scores {
            images = Some(counted(scores, positive)?);
        }
        let (positives, negatives) = images?;
        if groups.is_some_and(|groups| groups.len() != positive.len()) {
            return None;
        }
        // Groups by their numbers from 0.
        let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
        let of_image: Vec<usize> = (0..positive.len())
            .map(|i| {
                let next = numbers.len();
                *numbers.entry(groups.map_or(i, |groups| groups[i])).or_insert(next)
            })
            .collect();
        let mut with = vec![(false, false); numbers.len()];
        for (&group, &positive) in of_image.iter().zip(positive) {
            if positive { with[group].0 = true } else { with[group].1 = true }
        }
        let with_positive = with.iter().filter(|with| with.0).count();
        let with_negative = with.iter().filter(|with| with.1).count();
        if with_positive < 2 || with_negative < 2 {
            return None;
        }
        let (mut aucs, mut deviations) = (Vec::new(), Vec::new());
        for scores in scores {
            let components = components(scores, positive, positives, negatives);
            let of_positive = components.iter().zip(positive).filter(|(_, positive)| **positive);
            let area = of_positive.map(|(component, _)| component).sum::<f64>() / positives as f64;
            let mut sums = vec![(0.0, 0.0); numbers.len()];
            for ((component, &positive), &group) in components.iter().zip(positive).zip(&of_image) {
                let sum = &mut sums[group];
                *if positive { &mut sum.0 } else { &mut sum.1 } += component - area;
            }
            aucs.push(area);
            deviations.push(sums);
        }
        Some(Self {
            aucs,
            deviations,
            images: (positives as f64, negatives as f64),
            groups: (with_positive as f64, with_negative as f64),
        })
    }

    /// Obuchowski's estimate of the covariance of two areas.
    fn covariance(&self, first: usize, second: usize) -> f64 {
        let (positives, negatives) = self.images;
        let all = self.deviations[first].len() as f64;
        let (mut of_positives, mut of_negatives, mut between) = (0.0, 0.0, 0.0);
        for (a, b) in self.deviations[first].iter().zip(&self.deviations[second]) {
            of_positives += a.0 * b.0;
            of_negatives += a.1 * b.1;
            between += a.0 * b.1 + a.1 * b.0;
        }
        let unbiased = |groups: f64| groups / (groups - 1.0);
        unbiased(self.groups.0) * of_positives / positives.powi(2)
            + unbiased(self.groups.1) * of_negatives / negatives.powi(2)
            + unbiased(all) * between / (positives * negatives)
    }
}

/// For each positive image the share of the negative ones below it, for each negative image the share of the positive ones
/// above it; equal scores count one half.
fn components(scores: &[f64], positive: &[bool], positives: usize, negatives: usize) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&i, &j| scores[i].total_cmp(&scores[j]));
    let mut found = vec![0.0; scores.len()];
    let (mut positives_below, mut negatives_below) = (0, 0);
    for tied in order.chunk_by(|&i, &j| scores[i] == scores[j]) {
        let tied_positives = tied.iter().filter(|&&i| positive[i]).count();
        let tied_negatives = tied.len() - tied_positives;
        for &i in tied {
            found[i] = if positive[i] {
                (negatives_below as f64 + tied_negatives as f64 / 2.0) / negatives as f64
            } else {
                let above = positives - positives_below - tied_positives;
                (above as f64 + tied_positives as f64 / 2.0) / positives as f64
            };
        }
        positives_below += tied_positives;
        negatives_below += tied_negatives;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSITIVE: [bool; 6] = [false, true, false, true, true, false];

    #[test]
    fn scores_that_order_the_images_alike_do_not_differ_and_have_no_p() {
        let scores = [0.1, 0.9, 0.4, 0.3, 0.8, 0.2];
        let squares = scores.map(|score: f64| score * score);
        let found = auc_difference(&scores, &squares, &POSITIVE, None, 0.95).expect("both classes");
        assert_eq!((found.difference.value, found.std_error, found.p), (0.0, 0.0, None));
    }

    #[test]
    fn copies_of_an_image_in_its_group_tell_nothing_new() {
        let (mut scores, mut positive, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..40usize {
            let score = ((i * 7919) % 101) as f64 + if i % 2 == 0 { 20.0 } else { 0.0 };
            for _ in 0..3 {
                scores.push(score);
                positive.push(i % 2 == 0);
                groups.push(i);
            }
        }
        let single = |values: &[f64]| values.iter().step_by(3).copied().collect::<Vec<_>>();
        let once: Vec<bool> = positive.iter().step_by(3).copied().collect();
        let width = |found: Estimate| found.interval.1 - found.interval.0;
        let expected = auc_interval(&single(&scores), &once, None, 0.9).expect("both classes");
        let grouped = auc_interval(&scores, &positive, Some(&groups), 0.9).expect("both classes");
        let naive = auc_interval(&scores, &positive, None, 0.9).expect("both classes");
        assert!((grouped.value - expected.value).abs() < 1e-12);
        assert!((width(grouped) / width(expected) - 1.0).abs() < 1e-9, "{grouped:?} {expected:?}");
        assert!(width(naive) < 0.7 * width(grouped), "{naive:?}");
    }

    #[test]
    fn what_cannot_be_said_is_none() {
        let scores = [0.1, 0.9, 0.4, 0.3, 0.8, 0.2];
        assert_eq!(auc_interval(&scores, &POSITIVE, None, 1.0), None);
        assert_eq!(auc_interval(&scores, &[true; 6], None, 0.95), None);
        assert_eq!(auc_interval(&scores, &POSITIVE, Some(&[1]), 0.95), None);
        // One patient has all the positive images.
        assert_eq!(auc_interval(&scores, &POSITIVE, Some(&[0, 1, 2, 1, 1, 3]), 0.95), None);
        assert_eq!(auc_interval(&[0.1, 0.2], &[true, false], None, 0.95), None);
    }
}
