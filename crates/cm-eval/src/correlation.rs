//! Correlation of norm and quality.

use std::collections::BTreeMap;

/// Spearman's rank correlation of two samples, from −1 to 1: Pearson's correlation of their ranks, tied values
/// sharing the mean of their ranks.
///
/// `None` if the lengths differ, there are fewer than two pairs, a value is not a number, or one sample has no
/// two different values.
///
/// ```
/// use cm_eval::spearman;
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

/// Pearson's linear correlation of two samples, from −1 to 1. Samples of any size of numbers: they are scaled first.
///
/// `None` if the lengths differ, there are fewer than two pairs, a value is not finite, or one sample has no two different
/// values.
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let (a, b) = (deviations(a)?, deviations(b)?);
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let product = dot(&a, &a).sqrt() * dot(&b, &b).sqrt();
    Some((dot(&a, &b) / product).clamp(-1.0, 1.0))
}

/// Deviations from the mean, the largest of which is 1 in magnitude. `None` for a value that is not finite, and where
/// all values are the same: their mean may differ from them by rounding, and a deviation be where there is none.
fn deviations(values: &[f64]) -> Option<Vec<f64>> {
    let first = *values.first()?;
    if values.iter().any(|value| !value.is_finite()) || values.iter().all(|value| *value == first) {
        return None;
    }
    let largest = values.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    let scaled: Vec<f64> = values.iter().map(|value| value / largest).collect();
    let mean = mean(&scaled);
    let deviations: Vec<f64> = scaled.iter().map(|value| value - mean).collect();
    let spread = deviations.iter().fold(0.0f64, |spread, deviation| spread.max(deviation.abs()));
    Some(deviations.into_iter().map(|deviation| deviation / spread).collect())
}

/// Which correlation, of all images or within classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// [`spearman`]
    Spearman,
    /// [`pearson`]
    Pearson,
}

impl Statistic {
    /// The correlation of two samples; `None` as [`spearman`] and [`pearson`].
    pub fn of(self, a: &[f64], b: &[f64]) -> Option<f64> {
        match self {
            Self::Spearman => spearman(a, b),
            Self::Pearson => pearson(a, b),
        }
    }

    /// Mean of the correlations within each class, weighted by the number of images: what remains when classes differ in
    /// norm and in quality.
    ///
    /// `None` if the lengths differ or no class has a correlation. Classes without one are left out.
    pub fn within_classes(self, a: &[f64], b: &[f64], classes: &[usize]) -> Option<f64> {
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
            if let Some(correlation) = self.of(xs, ys) {
                sum += correlation * xs.len() as f64;
                weight += xs.len() as f64;
            }
        }
        (weight > 0.0).then(|| sum / weight)
    }
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
        assert!((spearman(&x, &falling).expect("both vary") + 1.0).abs() < 1e-12);
        assert!(pearson(&x, &falling).expect("both vary") > -0.7);
    }

    #[test]
    fn nothing_can_be_said_of_unequal_lengths_constants_or_nan() {
        assert_eq!(spearman(&[1.0, 2.0], &[1.0]), None);
        assert_eq!(spearman(&[1.0], &[1.0]), None);
        assert_eq!(spearman(&[1.0, f64::NAN], &[1.0, 2.0]), None);
        assert_eq!(pearson(&[3.0, 3.0], &[1.0, 2.0]), None);
        assert_eq!(pearson(&[3.0, f64::INFINITY], &[1.0, 2.0]), None);
    }

    #[test]
    fn constants_whose_mean_is_rounded_do_not_vary() {
        // 0.1 + 0.1 + 0.1 is not 3 · 0.1 in 64 bits.
        assert_eq!(pearson(&[0.1; 3], &[0.7; 3]), None);
        assert_eq!(pearson(&[0.1; 3], &[1.0, 2.0, 3.0]), None);
        let (norm, quality) = ([1.0, 2.0, 3.0, 0.1, 0.1, 0.1], [1.0, 2.0, 3.0, 0.7, 0.7, 0.7]);
        let within = Statistic::Pearson.within_classes(&norm, &quality, &[0, 0, 0, 1, 1, 1]);
        assert!(within.is_some_and(|within| (within - 1.0).abs() < 1e-12), "{within:?}");
    }

    #[test]
    fn the_size_of_the_numbers_does_not_matter() {
        let (x, y) = ([1.0, 2.0, 4.0, 7.0], [3.0, 1.0, 5.0, 6.0]);
        let expected = pearson(&x, &y).expect("both vary");
        for factor in [1e200, 1e-200, -1e300] {
            let scaled: Vec<f64> = x.iter().map(|x| x * factor).collect();
            let found = pearson(&scaled, &y).expect("both vary");
            assert!((found - expected * f64::signum(factor)).abs() < 1e-12, "{factor}: {found}");
        }
        assert!(
            pearson(&[f64::MAX, -f64::MAX], &[1.0, 2.0]).is_some_and(|found| (found + 1.0).abs() < 1e-12)
        );
    }

    #[test]
    fn classes_of_different_level_hide_a_correlation_that_holds_within_each() {
        // Within each class the norm falls with quality, over all it rises.
        let norm = [3.0, 2.0, 1.0, 13.0, 12.0, 11.0, 7.0];
        let quality = [1.0, 2.0, 3.0, 11.0, 12.0, 13.0, 7.0];
        let classes = [0, 0, 0, 4, 4, 4, 9];
        assert!(spearman(&norm, &quality).expect("both vary") > 0.5);
        let within =
            Statistic::Spearman.within_classes(&norm, &quality, &classes).expect("both vary within a class");
        assert!((within + 1.0).abs() < 1e-12, "{within}");
        assert_eq!(Statistic::Spearman.within_classes(&norm, &quality, &[0]), None);
        assert_eq!(Statistic::Spearman.within_classes(&[1.0], &[1.0], &[0]), None);
    }
}
