//! Differences between losses over the seeds.

use cm_eval::{adjusted_by_holm, paired_difference};
use serde::{Deserialize, Serialize};

use crate::Results;

/// Probability that the interval of a single difference holds the true one.
pub const CONFIDENCE: f64 = 0.95;

/// The mean difference of a figure between two losses, seed by seed and fold by fold.
///
/// Folds share most of the images that they learn from, and seeds of a fold the images that they are tested on: their differences are
/// not independent, and have no interval and no p value. What is said of all folds together has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The metric of the measurements.
    pub metric: String,
    /// Their stratum.
    pub stratum: String,
    /// Dimensions of the feature.
    pub feature_dim: usize,
    /// The loss.
    pub loss: String,
    /// What it is compared with.
    pub baseline: String,
    /// Pairs of runs.
    pub pairs: usize,
    /// Mean of the differences, loss minus baseline.
    pub mean: f64,
    /// The interval of the t distribution with a probability of [`CONFIDENCE`]; `None` with fewer than two pairs, and of folds.
    pub interval: Option<(f64, f64)>,
    /// Two-sided p value of the paired t-test.
    pub p: Option<f64>,
    /// The p value corrected by Holm's method for all comparisons of this metric, stratum and dimension.
    pub p_adjusted: Option<f64>,
}

impl Comparison {
    /// Whether the corrected test finds a difference.
    pub fn is_significant(&self) -> bool {
        self.p_adjusted.is_some_and(|p| p < 1.0 - CONFIDENCE)
    }
}

impl Results {
    /// Sets the comparisons: for every headline and dimension each loss with the baseline, and the further pairs of the
    /// layout.
    pub fn compare(&mut self) {
        let mut comparisons = Vec::new();
        let finished: Vec<_> = self.runs.iter().filter(|run| run.is_finished()).collect();
        let mut dims: Vec<usize> = Vec::new();
        let mut losses: Vec<&str> = Vec::new();
        for run in &finished {
            if !dims.contains(&run.key.feature_dim) {
                dims.push(run.key.feature_dim);
            }
            if !losses.contains(&run.key.loss.as_str()) {
                losses.push(&run.key.loss);
            }
        }
        let Some(&first) = losses.first() else {
            self.comparisons = comparisons;
            return;
        };
        let baseline = losses.iter().copied().find(|loss| *loss == self.layout.baseline).unwrap_or(first);
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for &loss in &losses {
            if loss != baseline {
                pairs.push((loss, baseline));
            }
        }
        for (loss, extended) in &self.layout.pairs {
            let trained = |name: &String| losses.contains(&name.as_str());
            if trained(loss) && trained(extended) && *extended != baseline {
                pairs.push((loss, extended));
            }
        }
        for headline in &self.layout.headlines {
            for &feature_dim in &dims {
                let mut family: Vec<Comparison> = Vec::new();
                for &(loss, baseline) in &pairs {
                    let differences: Vec<f64> = finished
                        .iter()
                        .filter(|run| run.key.loss == loss && run.key.feature_dim == feature_dim)
                        .filter_map(|run| {
                            let mut key = run.key.clone();
                            key.loss = baseline.to_owned();
                            let partner = finished.iter().find(|partner| partner.key == key)?;
                            let value =
                                |run: &crate::RunRecord| run.value(&headline.metric, &headline.stratum);
                            Some(value(run)? - value(partner)?)
                        })
                        .collect();
                    let Some(mut found) = paired_difference(&differences, CONFIDENCE) else { continue };
                    if finished.iter().any(|run| run.key.fold.is_some()) {
                        (found.interval, found.p) = (None, None);
                    }
                    family.push(Comparison {
                        metric: headline.metric.clone(),
                        stratum: headline.stratum.clone(),
                        feature_dim,
                        loss: loss.to_owned(),
                        baseline: baseline.to_owned(),
                        pairs: differences.len(),
                        mean: found.mean,
                        interval: found.interval,
                        p: found.p,
                        p_adjusted: None,
                    });
                }
                let known: Vec<f64> = family.iter().filter_map(|comparison| comparison.p).collect();
                let mut adjusted = adjusted_by_holm(&known).into_iter();
                for comparison in family.iter_mut().filter(|comparison| comparison.p.is_some()) {
                    comparison.p_adjusted = adjusted.next();
                }
                comparisons.extend(family);
            }
        }
        self.comparisons = comparisons;
    }
}
