//! Runs gathered by feature dimension and loss, with means and spreads over the seeds.

use std::collections::BTreeSet;

use cm_record::{Results, RunRecord, Stratification};

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

    /// Differences to another loss, seed by seed and fold by fold, where both were trained.
    pub fn differences(&self, other: &Self, quantity: impl Fn(&RunRecord) -> Option<f64>) -> Vec<f64> {
        self.runs
            .iter()
            .filter_map(|run| {
                let same = |partner: &&&RunRecord| {
                    (partner.key.seed, partner.key.fold) == (run.key.seed, run.key.fold)
                };
                let partner = other.runs.iter().find(same)?;
                Some(quantity(run)? - quantity(partner)?).filter(|d| d.is_finite())
            })
            .collect()
    }
}

/// The runs at one feature dimension.
pub(crate) struct DimensionSummary<'a> {
    pub feature_dim: usize,
    /// Every loss of the study, in the order of first appearance.
    pub losses: Vec<LossSummary<'a>>,
    /// Seeds trained with, ascending.
    pub seeds: Vec<u64>,
    /// Runs that there would be of each loss if none were missing.
    pub runs: usize,
    baseline: &'a str,
}

impl<'a> DimensionSummary<'a> {
    /// The loss that the others are compared with: that of the layout, or else the first.
    pub fn baseline(&self) -> Option<&LossSummary<'a>> {
        let trained = || self.losses.iter().filter(|l| !l.runs.is_empty());
        trained().find(|l| l.loss.eq_ignore_ascii_case(self.baseline)).or_else(|| trained().next())
    }

    /// Losses with at least one finished run, with their position in the order of the study.
    pub fn trained(&self) -> Vec<(usize, &LossSummary<'a>)> {
        self.losses.iter().enumerate().filter(|(_, l)| !l.runs.is_empty()).collect()
    }

    /// `feature dimension 64, 3 seeds`.
    pub fn describe(&self) -> String {
        format!("feature dimension {}, {}", self.feature_dim, count(self.seeds.len(), "seed"))
    }

    /// The levels of a stratification for which something was measured, with their positions.
    pub fn levels<'s>(
        &self,
        stratification: &'s Stratification,
        metric: &str,
    ) -> Vec<(usize, &'s cm_record::Level)> {
        let measured = |(_, level): &(usize, &cm_record::Level)| {
            let stratum = stratification.stratum(level);
            self.losses.iter().flat_map(|loss| &loss.runs).any(|run| run.value(metric, &stratum).is_some())
        };
        stratification.levels.iter().enumerate().filter(measured).collect()
    }
}

/// The runs by feature dimension, in the order of first appearance.
pub(crate) fn by_dimension(results: &Results) -> Vec<DimensionSummary<'_>> {
    let all_losses = losses(results);
    distinct(results.runs.iter().map(|run| run.key.feature_dim))
        .into_iter()
        .map(|feature_dim| {
            let runs = || results.runs.iter().filter(move |run| run.key.feature_dim == feature_dim);
            let summary = |&loss: &&'_ str| {
                let (finished, diverged): (Vec<_>, Vec<_>) =
                    runs().filter(|run| run.key.loss == loss).partition(|run| run.is_finished());
                (finished, diverged.len())
            };
            let pairs: BTreeSet<(u64, Option<usize>)> =
                runs().map(|run| (run.key.seed, run.key.fold)).collect();
            DimensionSummary {
                feature_dim,
                losses: all_losses
                    .iter()
                    .map(|loss| {
                        let (runs, diverged) = summary(loss);
                        LossSummary { loss, runs, diverged }
                    })
                    .collect(),
                seeds: sorted(runs().map(|run| run.key.seed)),
                runs: pairs.len(),
                baseline: &results.layout.baseline,
            }
        })
        .collect()
}

/// The losses of a study, in the order of first appearance.
pub(crate) fn losses(results: &Results) -> Vec<&str> {
    distinct(results.runs.iter().map(|run| run.key.loss.as_str()))
}

/// `1 seed`, `3 seeds`, `10 000 images`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number with a thin gap every three digits from five digits on.
pub(crate) fn grouped(number: usize) -> String {
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

/// A number with so many decimals and a true minus; never `−0.00`.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let is_zero = text.trim_matches(['-', '0', '.']).is_empty();
    if is_zero { text.replace('-', "") } else { text.replace('-', "−") }
}

/// [`number`] with its sign in any case.
pub(crate) fn signed(value: f64, decimals: usize) -> String {
    let text = number(value, decimals);
    if text.starts_with('−') { text } else { format!("+{text}") }
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
    fn long_numbers_are_grouped_and_nothing_is_below_zero() {
        assert_eq!(grouped(8000), "8000");
        assert_eq!(grouped(60_000), "60\u{a0}000");
        assert_eq!(grouped(1_234_567), "1\u{a0}234\u{a0}567");
        assert_eq!((number(-0.001, 2), signed(-0.001, 2)), ("0.00".to_owned(), "+0.00".to_owned()));
        assert_eq!((number(-1.5, 1), signed(-1.5, 1)), ("−1.5".to_owned(), "−1.5".to_owned()));
    }
}
