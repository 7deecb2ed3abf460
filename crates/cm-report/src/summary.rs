//! Runs gathered by feature dimension and loss, with means and spreads over the seeds.

use std::collections::BTreeSet;

use crate::experiment::{Results, RunRecord};

/// Mean of a quantity over seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
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
pub(super) struct LossSummary<'a> {
    pub loss: &'a str,
    pub runs: Vec<&'a RunRecord>,
}

impl LossSummary<'_> {
    pub fn over_seeds(&self, quantity: impl Fn(&RunRecord) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.runs.iter().filter_map(|run| quantity(run)))
    }

    /// Differences to another loss, seed by seed, in the seeds that both were trained with.
    pub fn differences(&self, other: &Self, quantity: impl Fn(&RunRecord) -> Option<f64>) -> Vec<f64> {
        self.runs
            .iter()
            .filter_map(|run| {
                let partner = other.runs.iter().find(|partner| partner.seed == run.seed)?;
                Some(quantity(run)? - quantity(partner)?).filter(|d| d.is_finite())
            })
            .collect()
    }
}

/// The runs at one feature dimension.
pub(super) struct DimensionSummary<'a> {
    pub feature_dim: usize,
    /// Every loss of the experiment, in the order of first appearance.
    pub losses: Vec<LossSummary<'a>>,
    /// Severities tested, ascending.
    pub severities: Vec<u8>,
    /// Seeds trained with, ascending.
    pub seeds: Vec<u64>,
}

impl DimensionSummary<'_> {
    /// The loss that the others are compared with: Softmax, or else the first.
    pub fn baseline(&self) -> Option<&LossSummary<'_>> {
        let trained = || self.losses.iter().filter(|l| !l.runs.is_empty());
        trained().find(|l| l.loss.eq_ignore_ascii_case("softmax")).or_else(|| trained().next())
    }

    /// `feature dimension 64, 3 seeds`.
    pub fn describe(&self) -> String {
        format!("feature dimension {}, {}", self.feature_dim, count(self.seeds.len(), "seed"))
    }
}

/// The runs by feature dimension, in the order of first appearance.
pub(super) fn by_dimension(results: &Results) -> Vec<DimensionSummary<'_>> {
    let all_losses = losses(results);
    distinct(results.runs.iter().map(|run| run.feature_dim))
        .into_iter()
        .map(|feature_dim| {
            let runs = || results.runs.iter().filter(move |run| run.feature_dim == feature_dim);
            DimensionSummary {
                feature_dim,
                losses: all_losses
                    .iter()
                    .map(|&loss| LossSummary { loss, runs: runs().filter(|run| run.loss == loss).collect() })
                    .collect(),
                severities: sorted(runs().flat_map(|run| run.severities.iter().map(|s| s.severity))),
                seeds: sorted(runs().map(|run| run.seed)),
            }
        })
        .collect()
}

/// The losses of an experiment, in the order of first appearance.
pub(super) fn losses(results: &Results) -> Vec<&str> {
    distinct(results.runs.iter().map(|run| run.loss.as_str()))
}

/// Accuracy of a run at one severity.
pub(super) fn accuracy_at(severity: u8) -> impl Fn(&RunRecord) -> Option<f64> {
    move |run| run.severities.iter().find(|s| s.severity == severity).map(|s| s.accuracy)
}

/// Mean accuracy of a run over the severities above 0.
pub(super) fn low_quality_accuracy(run: &RunRecord) -> Option<f64> {
    Some(run.low_quality_accuracy()).filter(|a| a.is_finite())
}

/// `1 seed`, `3 seeds`, `10 000 images`.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number with a thin gap every three digits from five digits on.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.fold(Vec::new(), |mut seen, value| {
        if !seen.contains(&value) {
            seen.push(value);
        }
        seen
    })
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.collect::<BTreeSet<_>>().into_iter().collect()
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

    #[test]
    fn long_numbers_are_grouped() {
        assert_eq!(grouped(8000), "8000");
        assert_eq!(grouped(60_000), "60\u{a0}000");
        assert_eq!(grouped(1_234_567), "1\u{a0}234\u{a0}567");
    }
}
