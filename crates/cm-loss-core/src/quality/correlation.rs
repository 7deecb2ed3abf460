//! Correlation of norm and quality, and how sure it is.

use std::{collections::BTreeMap, fmt};

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Spearman's rank correlation of two samples, from −1 to 1: Pearson's correlation of their ranks, tied values
/// sharing the mean of their ranks.
///
/// `None` if the lengths differ, there are fewer than two pairs, a value is not a number, or one sample has no
/// two different values.
///
/// ```
/// use cm_loss_core::quality::spearman;
///
/// let increasing = spearman(&[1.0, 2.0, 3.0], &[10.0, 100.0, 1000.0]);
/// assert!(increasing.is_some_and(|rho| (rho - 1.0).abs() < 1e-12));
/// assert_eq!(spearman(&[1.0, 2.0, 3.0], &[5.0, 5.0, 5.0]), None);
/// ```
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.iter().chain(b).any(|value| value.is_nan()) {
        return None;
    }
    pearson(&ranks(a), &ranks(b))
}

/// Pearson's linear correlation of two samples, from −1 to 1.
///
/// `None` if the lengths differ, there are fewer than two pairs, or one sample does not vary.
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut covariance, mut variance_a, mut variance_b) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (dx, dy) = (x - mean_a, y - mean_b);
        covariance += dx * dy;
        variance_a += dx * dx;
        variance_b += dy * dy;
    }
    let product = variance_a.sqrt() * variance_b.sqrt();
    (product > 0.0).then(|| (covariance / product).clamp(-1.0, 1.0))
}

/// A correlation with its bootstrap interval: does the norm track quality here?
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// Spearman's rank correlation over all images.
    pub value: f64,
    /// Lower and upper end of the interval.
    pub interval: (f64, f64),
    /// Share of resamples whose correlation lies in the interval, for example 0.95.
    pub confidence: f64,
}

impl Correlation {
    /// Spearman's correlation with the percentile interval of `resamples` bootstrap resamples, drawn with `seed`.
    ///
    /// `None` as [`spearman`], or if there are no resamples or the confidence is not between 0 and 1. Resamples in
    /// which a sample does not vary are left out.
    pub fn bootstrap(a: &[f64], b: &[f64], resamples: usize, confidence: f64, seed: u64) -> Option<Self> {
        let value = spearman(a, b)?;
        if !(confidence > 0.0 && confidence < 1.0) {
            return None;
        }
        let mut random = StdRng::seed_from_u64(seed);
        let mut values: Vec<f64> = (0..resamples)
            .filter_map(|_| {
                let drawn: Vec<usize> = (0..a.len()).map(|_| random.random_range(0..a.len())).collect();
                let pick = |from: &[f64]| drawn.iter().map(|&i| from[i]).collect::<Vec<_>>();
                spearman(&pick(a), &pick(b))
            })
            .collect();
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)? as f64;
        let at = |share: f64| values[(share * last).round() as usize];
        let tail = (1.0 - confidence) / 2.0;
        Some(Self { value, interval: (at(tail), at(1.0 - tail)), confidence })
    }

    /// The norm falls as quality rises, and not by chance: short features are the good ones here. Seen with networks
    /// fine-tuned from a loss that does not look at the norm; a score made of the norm would be upside down.
    pub fn is_reversed(&self) -> bool {
        self.interval.1 < 0.0
    }
}

impl fmt::Display for Correlation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self.interval;
        write!(f, "{:.3} ({:.0} % interval {low:.3} to {high:.3})", self.value, self.confidence * 100.0)?;
        match self.is_reversed() {
            true => f.write_str("; the norm falls as quality rises: do not use it as a quality score"),
            false => Ok(()),
        }
    }
}

/// Mean of Spearman's correlations within each class, weighted by the number of images: what remains when classes
/// differ in norm and in quality.
///
/// `None` if the lengths differ or no class has a correlation. Classes without one are left out.
pub fn spearman_within_classes(a: &[f64], b: &[f64], classes: &[usize]) -> Option<f64> {
    if a.len() != b.len() || a.len() != classes.len() {
        return None;
    }
    let mut members: BTreeMap<usize, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for ((&x, &y), &class) in a.iter().zip(b).zip(classes) {
        let (xs, ys) = members.entry(class).or_default();
        xs.push(x);
        ys.push(y);
    }
    let (mut sum, mut weight) = (0.0, 0.0);
    for (xs, ys) in members.values() {
        if let Some(correlation) = spearman(xs, ys) {
            sum += correlation * xs.len() as f64;
            weight += xs.len() as f64;
        }
    }
    (weight > 0.0).then(|| sum / weight)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Ranks from 1; tied values share the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    for tied in order.chunk_by(|&i, &j| values[i] == values[j]).scan(0, |start, tied| {
        let first = *start;
        *start += tied.len();
        Some((first, tied))
    }) {
        let (first, members) = tied;
        let rank = first as f64 + (members.len() + 1) as f64 / 2.0;
        members.iter().for_each(|&member| ranks[member] = rank);
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_mean_rank() {
        // scipy.stats.spearmanr([1, 2, 2, 3, 5], [2, 1, 4, 4, 5]).statistic
        let correlation =
            spearman(&[1.0, 2.0, 2.0, 3.0, 5.0], &[2.0, 1.0, 4.0, 4.0, 5.0]).expect("both vary");
        assert!((correlation - 0.763_157_894_736_842).abs() < 1e-12, "{correlation}");
    }

    #[test]
    fn monotone_but_curved_relation_has_rank_correlation_one_and_linear_correlation_below() {
        let x: Vec<f64> = (1..=20).map(f64::from).collect();
        let falling: Vec<f64> = x.iter().map(|x| -x.exp()).collect();
        assert_eq!(spearman(&x, &falling), Some(-1.0));
        assert!(pearson(&x, &falling).expect("both vary") > -0.7);
    }

    #[test]
    fn nothing_can_be_said_of_unequal_lengths_constants_or_nan() {
        assert_eq!(spearman(&[1.0, 2.0], &[1.0]), None);
        assert_eq!(spearman(&[1.0], &[1.0]), None);
        assert_eq!(spearman(&[1.0, f64::NAN], &[1.0, 2.0]), None);
        assert_eq!(pearson(&[3.0, 3.0], &[1.0, 2.0]), None);
    }

    #[test]
    fn the_interval_holds_the_value_and_narrows_with_more_images() {
        let noisy = |count: usize| -> (Vec<f64>, Vec<f64>) {
            let x: Vec<f64> = (0..count).map(|i| i as f64).collect();
            // A rise with a disturbance that repeats.
            let y = x.iter().map(|x| x / count as f64 + 0.3 * (x * 12.9898).sin()).collect();
            (x, y)
        };
        let width = |count| {
            let (x, y) = noisy(count);
            let found = Correlation::bootstrap(&x, &y, 400, 0.95, 1).expect("both vary");
            assert!(found.interval.0 < found.value && found.value < found.interval.1, "{found}");
            assert_eq!(Correlation::bootstrap(&x, &y, 400, 0.95, 1), Some(found));
            found.interval.1 - found.interval.0
        };
        // The width falls as one over the root of the number of images.
        let ratio = width(50) / width(800);
        assert!((2.5..6.5).contains(&ratio), "{ratio}");
        let (x, y) = noisy(50);
        assert_eq!(Correlation::bootstrap(&x, &y, 0, 0.95, 1), None);
        assert_eq!(Correlation::bootstrap(&x, &y, 10, 1.0, 1), None);
    }

    #[test]
    fn a_norm_that_falls_with_quality_raises_the_alarm_and_one_that_might_not_does_not() {
        let quality: Vec<f64> = (0..60).map(f64::from).collect();
        let falling: Vec<f64> = quality.iter().map(|q| -q + 5.0 * (q * 7.1).sin()).collect();
        let found = Correlation::bootstrap(&falling, &quality, 200, 0.95, 0).expect("both vary");
        assert!(found.is_reversed() && found.to_string().contains("do not use it"), "{found}");
        let chance: Vec<f64> = quality.iter().map(|q| (q * 91.7).sin()).collect();
        let found = Correlation::bootstrap(&chance, &quality, 200, 0.95, 0).expect("both vary");
        assert!(!found.is_reversed(), "{found}");
    }

    #[test]
    fn classes_of_different_level_hide_a_correlation_that_holds_within_each() {
        // Within each class the norm falls with quality, over all it rises.
        let norm = [3.0, 2.0, 1.0, 13.0, 12.0, 11.0, 7.0];
        let quality = [1.0, 2.0, 3.0, 11.0, 12.0, 13.0, 7.0];
        let classes = [0, 0, 0, 4, 4, 4, 9];
        assert!(spearman(&norm, &quality).expect("both vary") > 0.5);
        let within = spearman_within_classes(&norm, &quality, &classes).expect("both vary within a class");
        assert!((within + 1.0).abs() < 1e-12, "{within}");
        assert_eq!(spearman_within_classes(&norm, &quality, &[0]), None);
        assert_eq!(spearman_within_classes(&[1.0], &[1.0], &[0]), None);
    }
}
