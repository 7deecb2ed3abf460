//! How sure a figure is.

use std::{collections::BTreeMap, fmt};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::Statistic;

/// A figure with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Lower and upper end of the interval.
    pub interval: (f64, f64),
    /// The probability that the interval was made for, for example 0.95.
    pub confidence: f64,
}

/// How the interval of an [`Estimate`] is found: the percentiles of resamples, drawn with replacement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Number of resamples.
    pub resamples: usize,
    /// Share of them in the interval, between 0 and 1.
    pub confidence: f64,
    /// Seed of the random numbers.
    pub seed: u64,
}

impl Default for Bootstrap {
    /// 1000 resamples, 95 %.
    fn default() -> Self {
        Self { resamples: 1000, confidence: 0.95, seed: 0 }
    }
}

impl Bootstrap {
    /// The correlation over all images with its interval.
    ///
    /// `None` as [`Statistic::of`], or if there are no resamples or the confidence is not between 0 and 1. Resamples in
    /// which a sample does not vary are left out.
    pub fn overall(&self, statistic: Statistic, a: &[f64], b: &[f64]) -> Option<Estimate> {
        let everything: Vec<usize> = (0..a.len()).collect();
        self.interval(statistic.of(a, b)?, &[everything], |drawn| {
            let pick = |from: &[f64]| drawn.iter().map(|&i| from[i]).collect::<Vec<_>>();
            statistic.of(&pick(a), &pick(b))
        })
    }

    /// The correlation over all images, with an interval for images that come in groups, such as those of one patient or
    /// track: whole groups are drawn.
    ///
    /// `None` as [`overall`](Self::overall), or if there is not one group for each image.
    pub fn overall_by_group(
        &self,
        statistic: Statistic,
        a: &[f64],
        b: &[f64],
        groups: &[usize],
    ) -> Option<Estimate> {
        if groups.len() != a.len() || a.len() != b.len() {
            return None;
        }
        let [found] = self.by_group(groups, |images| {
            let pick = |from: &[f64]| images.iter().map(|&i| from[i]).collect::<Vec<_>>();
            [statistic.of(&pick(a), &pick(b))]
        });
        found
    }

    /// Any figures of images that come in groups, from the positions of the images that they are of: first of all images, then
    /// of resamples, for which whole groups are drawn (the cluster bootstrap).
    ///
    /// A figure is `None` if it is so for all images, if more than a tenth of the resamples do not have it, with a single group, or
    /// as [`overall`](Self::overall). Resamples without it are left out.
    ///
    /// From C. A. Field, A. H. Welsh, "Bootstrapping Clustered Data", Journal of the Royal Statistical Society B 69 (2007).
    pub fn by_group<const N: usize>(
        &self,
        groups: &[usize],
        figures: impl Fn(&[usize]) -> [Option<f64>; N],
    ) -> [Option<Estimate>; N] {
        let members: Vec<Vec<usize>> = members(groups);
        // Of a single group every resample is the same.
        if members.len() < 2 {
            return [None; N];
        }
        let mut random = ChaCha12Rng::seed_from_u64(self.seed);
        let mut resampled: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(self.resamples));
        for _ in 0..self.resamples {
            let drawn = (0..members.len()).map(|_| random.random_range(0..members.len()));
            let images: Vec<usize> = drawn.flat_map(|group| members[group].iter().copied()).collect();
            for (values, value) in resampled.iter_mut().zip(figures(&images)) {
                values.extend(value);
            }
        }
        let all: Vec<usize> = (0..groups.len()).collect();
        let mut values = figures(&all).into_iter();
        resampled.map(|resampled| self.percentiles(values.next()??, resampled))
    }

    /// The correlation within classes with its interval. Each resample draws as many images of every class as it has.
    ///
    /// `None` as [`Statistic::within_classes`], or as [`overall`](Self::overall).
    pub fn within_classes(
        &self,
        statistic: Statistic,
        a: &[f64],
        b: &[f64],
        classes: &[usize],
    ) -> Option<Estimate> {
        let value = statistic.within_classes(a, b, classes)?;
        self.interval(value, &members(classes), |drawn| {
            let pick = |from: &[f64]| drawn.iter().map(|&i| from[i]).collect::<Vec<_>>();
            let classes: Vec<usize> = drawn.iter().map(|&i| classes[i]).collect();
            statistic.within_classes(&pick(a), &pick(b), &classes)
        })
    }

    /// The percentiles of `statistic` over resamples of the images of each group.
    fn interval(
        &self,
        value: f64,
        groups: &[Vec<usize>],
        statistic: impl Fn(&[usize]) -> Option<f64>,
    ) -> Option<Estimate> {
        let mut random = ChaCha12Rng::seed_from_u64(self.seed);
        let mut resample = || -> Vec<usize> {
            let drawn = groups.iter().flat_map(|group| (0..group.len()).map(move |_| group));
            drawn.map(|group| group[random.random_range(0..group.len())]).collect()
        };
        self.percentiles(value, (0..self.resamples).filter_map(|_| statistic(&resample())).collect())
    }

    fn percentiles(&self, value: f64, mut resampled: Vec<f64>) -> Option<Estimate> {
        let confidence = self.confidence;
        if !(confidence > 0.0 && confidence < 1.0) {
            return None;
        }
        // Few resamples that have a figure are not drawn at random any more.
        if 10 * resampled.len() < 9 * self.resamples {
            return None;
        }
        resampled.sort_by(f64::total_cmp);
        let last = resampled.len().checked_sub(1)? as f64;
        let at = |share: f64| resampled[(share * last).round() as usize];
        let tail = (1.0 - confidence) / 2.0;
        Some(Estimate { value, interval: (at(tail), at(1.0 - tail)), confidence })
    }
}

/// The positions of the images of each group.
fn members(groups: &[usize]) -> Vec<Vec<usize>> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    groups.iter().enumerate().for_each(|(i, &group)| members.entry(group).or_default().push(i));
    members.into_values().collect()
}

impl Estimate {
    /// Of a correlation of norm and quality: the norm falls as quality rises, and not by chance, so that short features are the
    /// good ones here. Seen with networks fine-tuned from a loss that does not look at the norm; a score made of the norm would
    /// be upside down.
    pub fn is_reversed(&self) -> bool {
        self.interval.1 < 0.0
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self.interval;
        write!(f, "{:.3} ({:.0} % interval {low:.3} to {high:.3})", self.value, self.confidence * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bootstrap(resamples: usize, confidence: f64, seed: u64) -> Bootstrap {
        Bootstrap { resamples, confidence, seed }
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
            let found = bootstrap(400, 0.95, 1).overall(Statistic::Spearman, &x, &y).expect("both vary");
            assert!(found.interval.0 < found.value && found.value < found.interval.1, "{found}");
            assert_eq!(bootstrap(400, 0.95, 1).overall(Statistic::Spearman, &x, &y), Some(found));
            found.interval.1 - found.interval.0
        };
        // The width falls as one over the root of the number of images.
        let ratio = width(50) / width(800);
        assert!((2.5..6.5).contains(&ratio), "{ratio}");
        let (x, y) = noisy(50);
        assert_eq!(bootstrap(0, 0.95, 1).overall(Statistic::Spearman, &x, &y), None);
        assert_eq!(bootstrap(10, 1.0, 1).overall(Statistic::Spearman, &x, &y), None);
    }

    #[test]
    fn images_that_come_in_groups_tell_less_than_as_many_single_ones() {
        // Forty copies of each of eight values.
        let group: Vec<usize> = (0..320).map(|i| i / 40).collect();
        let x: Vec<f64> = group.iter().map(|&group| group as f64).collect();
        let y: Vec<f64> = x.iter().map(|x| x / 8.0 + 0.5 * (x * 12.9898).sin()).collect();
        let width = |found: Estimate| found.interval.1 - found.interval.0;
        let alone = bootstrap(300, 0.9, 1).overall(Statistic::Pearson, &x, &y).expect("both vary");
        let grouped =
            bootstrap(300, 0.9, 1).overall_by_group(Statistic::Pearson, &x, &y, &group).expect("both vary");
        assert_eq!(alone.value, grouped.value);
        assert!(width(grouped) > 3.0 * width(alone), "{grouped} and {alone}");
    }

    #[test]
    fn several_figures_of_one_resampling_are_each_as_alone_and_one_that_is_not_there_is_none() {
        let x: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 60)).collect();
        let groups: Vec<usize> = (0..60).map(|i| i / 4).collect();
        let bootstrap = bootstrap(200, 0.9, 3);
        let mean = |images: &[usize]| images.iter().map(|&i| x[i]).sum::<f64>() / images.len() as f64;
        let [found, nothing, rare, frequent] = bootstrap.by_group(&groups, |images| {
            let value = mean(images);
            [
                Some(value),
                None,
                (images[0] == 0).then_some(1.0),
                (images[0] > 3)
                    .then_some(value)
                    .or_else(|| (images.len() == 60 && images[59] == 59).then_some(value)),
            ]
        });
        let [alone] = bootstrap.by_group(&groups, |images| [Some(mean(images))]);
        assert_eq!((found, nothing), (alone, None));
        assert!(found.is_some_and(|e| e.interval.0 < e.value && e.value < e.interval.1), "{found:?}");
        // Of fifteen groups the first comes first in a fifteenth of the resamples.
        assert_eq!(rare, None);
        assert!(frequent.is_some(), "fourteen of fifteen resamples have it");
        assert_eq!(bootstrap.by_group(&[], |_| [Some(1.0)]), [None]);
        assert_eq!(bootstrap.by_group(&[7; 20], |_| [Some(1.0)]), [None]);
    }

    #[test]
    fn a_norm_that_falls_with_quality_raises_the_alarm_and_one_that_might_not_does_not() {
        let quality: Vec<f64> = (0..60).map(f64::from).collect();
        let falling: Vec<f64> = quality.iter().map(|q| -q + 5.0 * (q * 7.1).sin()).collect();
        let found =
            bootstrap(200, 0.95, 0).overall(Statistic::Spearman, &falling, &quality).expect("both vary");
        assert!(found.is_reversed(), "{found}");
        let chance: Vec<f64> = quality.iter().map(|q| (q * 91.7).sin()).collect();
        let found =
            bootstrap(200, 0.95, 0).overall(Statistic::Spearman, &chance, &quality).expect("both vary");
        assert!(!found.is_reversed(), "{found}");
    }
}
