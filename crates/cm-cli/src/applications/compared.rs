//! Several methods on the same cases, such as nodules or pairs of faces: their scores from the records of all runs, and tests of one
//! against another.

use std::{collections::BTreeMap, path::Path};

use cm_eval::{accuracy_difference, adjusted_by_holm, auc_difference, mcnemar};
use cm_record::{CONFIDENCE, FeatureRow, FeatureTable, PooledTest, Results};
use cm_train::Error;

use super::common::SATURATED;

/// What one network says of one case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The seed that it was trained with.
    pub seed: u64,
    pub logit: f64,
    pub norm: f64,
}

/// What the networks of a loss say of each case, one a seed.
pub struct OfLoss<K> {
    pub loss: String,
    pub feature_dim: usize,
    pub cases: BTreeMap<K, Vec<Score>>,
}

impl<K: Ord> OfLoss<K> {
    /// What the networks say of these cases, by seed, then by case: of the seeds with which every case was scored. A fold whose
    /// training diverged with a seed takes that seed away.
    pub fn by_seed(&self, cases: impl Iterator<Item = K> + Clone) -> Vec<Vec<Score>> {
        let mut first = cases.clone();
        let Some(first) = first.next().and_then(|case| self.cases.get(&case)) else { return Vec::new() };
        let mut seeds: Vec<u64> = first.iter().map(|score| score.seed).collect();
        seeds.sort_unstable();
        let of_seed = |&seed: &u64| -> Option<Vec<Score>> {
            let score = |case| self.cases.get(&case)?.iter().find(|score| score.seed == seed).copied();
            cases.clone().map(score).collect()
        };
        seeds.iter().filter_map(of_seed).collect()
    }
}

/// The scores of all finished runs.
pub struct Scores<K> {
    /// In the order of the record.
    pub losses: Vec<OfLoss<K>>,
}

impl<K: Ord> Scores<K> {
    /// Reads the features of all finished runs. `case` tells which case a row is of, if it is wanted.
    ///
    /// # Errors
    ///
    /// [`Error::Record`] for a file that is not there or damaged.
    pub fn read(
        folder: &Path,
        results: &Results,
        case: impl Fn(&FeatureTable, &FeatureRow) -> Option<K>,
    ) -> Result<Self, Error> {
        let mut losses: Vec<OfLoss<K>> = Vec::new();
        for run in results.runs.iter().filter(|run| run.is_finished()) {
            let Some(file) = &run.features_file else { continue };
            let table = FeatureTable::read(&folder.join(file))?;
            let key = (&run.key.loss, run.key.feature_dim);
            let at = losses.iter().position(|found| (&found.loss, found.feature_dim) == key);
            let at = at.unwrap_or_else(|| {
                let (loss, feature_dim) = (run.key.loss.clone(), run.key.feature_dim);
                losses.push(OfLoss { loss, feature_dim, cases: BTreeMap::new() });
                losses.len() - 1
            });
            for row in &table.rows {
                if let (Some(case), Some(logit)) = (case(&table, row), row.logit) {
                    let score =
                        Score { seed: run.key.seed, logit: f64::from(logit), norm: f64::from(row.norm) };
                    losses[at].cases.entry(case).or_default().push(score);
                }
            }
        }
        Ok(Self { losses })
    }

    /// The feature dimensions, rising.
    pub fn dims(&self) -> Vec<usize> {
        let mut dims: Vec<usize> = self.losses.iter().map(|found| found.feature_dim).collect();
        dims.sort_unstable();
        dims.dedup();
        dims
    }

    /// The losses of a feature dimension.
    pub fn of_dim(&self, feature_dim: usize) -> impl Iterator<Item = &OfLoss<K>> {
        self.losses.iter().filter(move |found| found.feature_dim == feature_dim)
    }
}

/// What is to be known of losses whose norm map is flat where the norms are.
pub fn saturated(results: &Results) -> Vec<String> {
    let mut shares: BTreeMap<(&str, usize), Vec<f64>> = BTreeMap::new();
    for run in results.runs.iter().filter(|run| run.is_finished()) {
        let key = (&*run.key.loss, run.key.feature_dim);
        shares.entry(key).or_default().extend(run.value(SATURATED, ""));
    }
    let mean = |shares: &[f64]| shares.iter().sum::<f64>() / shares.len() as f64;
    let told = |((loss, dim), shares): ((&str, usize), Vec<f64>)| {
        (mean(&shares) > 0.5).then(|| {
            format!(
                "The norm map of {loss} is flat for {:.0} % of the images with {dim} features: there it is the loss of a constant scale, \
                 and what is found of it says nothing of a contraction.",
                100.0 * mean(&shares)
            )
        })
    };
    shares.into_iter().filter(|(_, shares)| !shares.is_empty()).filter_map(told).collect()
}

/// Scores of one method for the same cases: those of each seed, and of their mean.
pub struct Method {
    pub name: String,
    /// By seed, then by case.
    pub seeds: Vec<Vec<f64>>,
}

impl Method {
    /// A loss, with the seeds of which all of these cases were scored; `None` without such a seed.
    pub fn of<K: Ord>(loss: &OfLoss<K>, cases: impl Iterator<Item = K> + Clone) -> Option<Self> {
        let logits = |scores: Vec<Score>| scores.into_iter().map(|score| score.logit).collect();
        let seeds: Vec<Vec<f64>> = loss.by_seed(cases).into_iter().map(logits).collect();
        (!seeds.is_empty()).then(|| Self { name: loss.loss.clone(), seeds })
    }

    /// The mean score of each case over the seeds: what the networks of all seeds say together.
    pub fn mean(&self) -> Vec<f64> {
        let cases = self.seeds.first().map_or(0, Vec::len);
        let mean = |i: usize| self.seeds.iter().map(|of| of[i]).sum::<f64>() / self.seeds.len() as f64;
        (0..cases).map(mean).collect()
    }
}

/// The cases of a stratum.
pub struct Stratum<'a> {
    pub name: &'a str,
    pub feature_dim: usize,
    /// Which of the cases are positive.
    pub positive: &'a [bool],
    /// The group of each case, such as a patient, if several cases are of one.
    pub groups: Option<&'a [usize]>,
}

impl Stratum<'_> {
    /// DeLong's test of the areas and McNemar's of the accuracies for pairs of methods, each corrected by Holm's method for all of them.
    /// Of several cases of one group the variances are Obuchowski's, and p of the accuracies that of signs at random. `about` follows
    /// the names of the tests: what is corrected together has one. `tested` gives the scores of a method on these cases, and which of them it gets right.
    pub fn tests(
        &self,
        about: &str,
        pairs: Vec<(&Method, &Method)>,
        tested: impl Fn(&Method) -> (Vec<f64>, Vec<bool>),
    ) -> Vec<PooledTest> {
        let Self { name: stratum, feature_dim, positive, groups } = *self;
        let (mut areas, mut accuracies) = (Vec::new(), Vec::new());
        for (method, other) in pairs {
            let ((first, first_right), (second, second_right)) = (tested(method), tested(other));
            let test = |test: &str, metric: &str, difference, interval, p| PooledTest {
                test: format!("{test}{about}"),
                metric: metric.to_owned(),
                stratum: stratum.to_owned(),
                feature_dim,
                loss: method.name.clone(),
                baseline: other.name.clone(),
                difference,
                interval,
                p,
                p_adjusted: None,
            };
            if let Some(found) = auc_difference(&first, &second, positive, groups, CONFIDENCE) {
                let difference = found.difference;
                areas.push(test("DeLong", "auc", difference.value, Some(difference.interval), found.p));
            }
            if let Some(groups) = groups {
                if let Some(found) = accuracy_difference(&first_right, &second_right, groups, CONFIDENCE) {
                    accuracies.push(test(
                        "McNemar",
                        "accuracy",
                        found.difference,
                        found.interval,
                        Some(found.p),
                    ));
                }
            } else if let Some(found) = mcnemar(&first_right, &second_right) {
                let difference = (found.first_only as f64 - found.second_only as f64) / positive.len() as f64;
                accuracies.push(test("McNemar", "accuracy", difference, None, Some(found.p)));
            }
        }
        for family in [&mut areas, &mut accuracies] {
            let p: Vec<f64> = family.iter().map(|test: &PooledTest| test.p.unwrap_or(f64::NAN)).collect();
            for (test, adjusted) in family.iter_mut().zip(adjusted_by_holm(&p)) {
                test.p_adjusted = (!adjusted.is_nan()).then_some(adjusted);
            }
        }
        areas.into_iter().chain(accuracies).collect()
    }
}
