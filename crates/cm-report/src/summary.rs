//! Runs gathered by feature dimension and loss, with means and spreads over the seeds.

use std::collections::BTreeSet;

use cm_record::{Level, Results, RunRecord, Stratification};

use crate::text::count;

/// Mean of a quantity over seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub mean: f64,
    /// Standard deviation over n - 1; `None` for a single value.
    pub std: Option<f64>,
}

impl Spread {
    /// Mean and spread of the finite values, `None` if there is none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        if values.is_empty() {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let std = (values.len() > 1)
            .then(|| (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt());
        Some(Self { mean, std })
    }

    pub fn scaled(self, factor: f64) -> Self {
        Self { mean: self.mean * factor, std: self.std.map(|s| s * factor) }
    }
}

/// The runs of one loss at one feature dimension; none if they are still missing.
pub(crate) struct LossSummary<'a> {
    pub loss: &'a str,
    /// Those that were trained to their end.
    pub runs: Vec<&'a RunRecord>,
    /// How many diverged.
    pub diverged: usize,
}

impl LossSummary<'_> {
    pub fn over_seeds(&self, quantity: impl Fn(&RunRecord) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.runs.iter().filter_map(|run| quantity(run)))
    }

    /// The figure of a metric and stratum over the seeds.
    pub fn figure(&self, metric: &str, stratum: &str) -> Option<Spread> {
        self.over_seeds(|run| run.value(metric, stratum))
    }

    /// Differences of a figure to another loss, in the seeds and folds that both were trained
    /// with.
    pub fn differences(&self, other: &Self, metric: &str, stratum: &str) -> Vec<f64> {
        let pair = |run: &&RunRecord| {
            let same =
                |partner: &&&RunRecord| (partner.key.seed, partner.key.fold) == (run.key.seed, run.key.fold);
            let partner = other.runs.iter().find(same)?;
            Some(run.value(metric, stratum)? - partner.value(metric, stratum)?).filter(|d| d.is_finite())
        };
        self.runs.iter().filter_map(pair).collect()
    }
}

/// The runs at one feature dimension.
pub(crate) struct DimensionSummary<'a> {
    pub feature_dim: usize,
    /// Every loss of the study, in the order of first appearance.
    pub losses: Vec<LossSummary<'a>>,
    /// Seeds trained with.
    pub seeds: usize,
    /// Folds tested on; 0 where there are none.
    pub folds: usize,
    /// Runs of each loss, if none is missing: one for each seed and fold.
    pub runs: usize,
    baseline: &'a str,
}

impl<'a> DimensionSummary<'a> {
    /// The loss that the others are compared with: that of the layout, or else the first.
    pub fn baseline(&self) -> Option<&LossSummary<'a>> {
        let trained = || self.losses.iter().filter(|l| !l.runs.is_empty());
        trained().find(|l| l.loss == self.baseline).or_else(|| trained().next())
    }

    /// Losses with at least one finished run, with their position in the order of the study.
    pub fn trained(&self) -> Vec<(usize, &LossSummary<'a>)> {
        self.losses.iter().enumerate().filter(|(_, l)| !l.runs.is_empty()).collect()
    }

    /// `feature dimension 64, 3 seeds`.
    pub fn describe(&self) -> String {
        let folds = if self.folds > 0 { format!(", {}", count(self.folds, "fold")) } else { String::new() };
        format!("feature dimension {}, {}{folds}", self.feature_dim, count(self.seeds, "seed"))
    }

    /// What means and spreads are over: `seeds`, or `seeds and folds`.
    pub fn repeats(&self) -> &'static str {
        if self.folds > 1 { "seeds and folds" } else { "seeds" }
    }

    /// What a single training of a loss is called.
    pub fn repeat(&self) -> &'static str {
        if self.folds > 1 { "run" } else { "seed" }
    }

    /// The levels of a stratification at which a metric was measured.
    pub fn levels<'s>(&self, stratification: &'s Stratification, metric: &str) -> Vec<&'s Level> {
        let measured = |level: &&Level| {
            let stratum = stratification.stratum(level);
            self.losses.iter().any(|loss| loss.figure(metric, &stratum).is_some())
        };
        stratification.levels.iter().filter(measured).collect()
    }
}

/// The runs by feature dimension, in the order of first appearance.
pub(crate) fn by_dimension(results: &Results) -> Vec<DimensionSummary<'_>> {
    let dims = distinct(results.runs.iter().map(|run| run.key.feature_dim));
    dims.into_iter().map(|feature_dim| dimension(results, feature_dim)).collect()
}

fn dimension(results: &Results, feature_dim: usize) -> DimensionSummary<'_> {
    let runs = || results.runs.iter().filter(move |run| run.key.feature_dim == feature_dim);
    let summary = |loss| {
        let (runs, diverged): (Vec<_>, Vec<_>) =
            runs().filter(|run| run.key.loss == loss).partition(|run| run.is_finished());
        LossSummary { loss, runs, diverged: diverged.len() }
    };
    let seeds: BTreeSet<u64> = runs().map(|run| run.key.seed).collect();
    let folds: BTreeSet<usize> = runs().filter_map(|run| run.key.fold).collect();
    let pairs: BTreeSet<(u64, Option<usize>)> = runs().map(|run| (run.key.seed, run.key.fold)).collect();
    DimensionSummary {
        feature_dim,
        losses: losses(results).into_iter().map(summary).collect(),
        seeds: seeds.len(),
        folds: folds.len(),
        runs: pairs.len(),
        baseline: &results.layout.baseline,
    }
}

/// The losses of a study, in the order of first appearance.
pub(crate) fn losses(results: &Results) -> Vec<&str> {
    distinct(results.runs.iter().map(|run| run.key.loss.as_str()))
}

/// Each value once, in the order of first appearance.
pub(crate) fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.fold(Vec::new(), |mut seen, value| {
        if !seen.contains(&value) {
            seen.push(value);
        }
        seen
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_divides_by_one_less_than_the_count() {
        // numpy.std([1, 2, 4], ddof=1) == 1.5275252316519465
        let spread = Spread::of([1.0, 2.0, 4.0]).expect("values");
        assert!((spread.mean - 7.0 / 3.0).abs() < 1e-12);
        assert!((spread.std.expect("three values") - 1.527_525_231_651_946_5).abs() < 1e-12);
    }

    #[test]
    fn one_value_has_no_spread_and_none_has_no_mean() {
        assert_eq!(Spread::of([0.5]), Some(Spread { mean: 0.5, std: None }));
        assert_eq!(Spread::of([f64::NAN]), None);
    }
}
