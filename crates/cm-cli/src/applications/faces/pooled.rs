//! The scores of all seeds together, beside what is had without a network: figures with intervals, and paired tests.

use std::{collections::BTreeSet, path::Path};

use cm_data::SEVERITIES;
use cm_eval::{Bootstrap, FoldAccuracy, Thresholds};
use cm_record::{CONFIDENCE, Pooled, PooledFigure, PooledTest, Results};
use cm_train::Error;
use rayon::prelude::*;

use super::{
    baselines::{PCA, PIXELS},
    evaluation::{METRICS, Side, figures},
    study::FaceStudy,
};
use crate::applications::compared::{self, Method, OfLoss, Stratum};

/// A severity of both images, and a pair.
pub type Case = (usize, usize);
/// The scores by severity and pair.
pub type Scores = compared::Scores<Case>;

/// The scores of pairs whose images are degraded alike, or not at all.
pub fn scores(folder: &Path, results: &Results) -> Result<Scores, Error> {
    Scores::read(folder, results, |table, row| {
        let level = &row.levels[table.position(Side::Both.name())?];
        Some((level.parse().ok()?, row.index))
    })
}

/// Pixels and principal components, and every loss of a feature dimension that has all pairs at this severity.
///
/// # Errors
///
/// An image that cannot be read.
pub fn methods(
    study: &FaceStudy,
    scores: &Scores,
    feature_dim: usize,
    severity: usize,
) -> Result<Vec<Method>, Error> {
    let [pixels, components] = &study.baselines()?[severity];
    let mut methods = vec![
        Method { name: PIXELS.to_owned(), seeds: vec![pixels.clone()] },
        Method { name: PCA.to_owned(), seeds: vec![components.clone()] },
    ];
    let of_loss = |of: &OfLoss<Case>| Method::of(of, (0..study.pairs.len()).map(|pair| (severity, pair)));
    methods.extend(scores.of_dim(feature_dim).filter_map(of_loss));
    Ok(methods)
}

/// Figures of all methods at every severity, and tests.
///
/// # Errors
///
/// An image that cannot be read.
pub fn pooled(study: &FaceStudy, scores: &Scores) -> Result<Pooled, Error> {
    let mut pooled = Pooled::default();
    if scores.losses.is_empty() {
        return Ok(pooled);
    }
    for dim in scores.dims() {
        for severity in 0..SEVERITIES {
            let stratum = match severity {
                0 => String::new(),
                severity => format!("{}={severity}", Side::Both.name()),
            };
            let methods = methods(study, scores, dim, severity)?;
            pooled.figures.extend(all_figures(study, &methods, dim, &stratum));
            pooled.tests.extend(tests(study, &methods, dim, &stratum));
        }
    }
    pooled.notes = vec![
        format!(
            "A figure is the mean over the seeds; its {:.0} % interval is from 500 resamples of the pairs, as if no two of them had \
             a person in common, which makes it too narrow.",
            100.0 * CONFIDENCE
        ),
        format!(
            "{PIXELS}: the cosine of gray levels at 24 x 24 pixels. {PCA}: the same along 80 principal components of the images that \
             the networks learn from, each divided by its deviation."
        ),
        "DeLong's test of the areas and McNemar's exact test of the accuracies (each tenth of the pairs by the threshold of the other \
         nine) are of the mean scores over the seeds."
            .to_owned(),
    ];
    Ok(pooled)
}

fn all_figures(
    study: &FaceStudy,
    methods: &[Method],
    feature_dim: usize,
    stratum: &str,
) -> Vec<PooledFigure> {
    let (same, folds) = (&study.same, &study.folds);
    let pairs: Vec<usize> = (0..same.len()).collect();
    let bootstrap = Bootstrap { resamples: 500, ..Bootstrap::default() };
    let of_method = |method: &Method| {
        let of = |drawn: &[usize]| {
            let same: Vec<bool> = drawn.iter().map(|&i| same[i]).collect();
            let folds: Vec<usize> = drawn.iter().map(|&i| folds[i]).collect();
            let mut sums = [Some(0.0); METRICS.len()];
            for scores in &method.seeds {
                let scores: Vec<f64> = drawn.iter().map(|&i| scores[i]).collect();
                for (sum, value) in sums.iter_mut().zip(figures(&scores, &same, &folds)) {
                    *sum = sum.zip(value).map(|(sum, value)| sum + value);
                }
            }
            sums.map(|sum| sum.map(|sum| sum / method.seeds.len() as f64))
        };
        let estimates = bootstrap.by_group(&pairs, of);
        let named = METRICS.into_iter().zip(of(&pairs)).zip(estimates);
        let figure =
            |((metric, value), estimate): ((&str, Option<f64>), Option<cm_eval::Estimate>)| PooledFigure {
                loss: method.name.clone(),
                feature_dim,
                metric: metric.to_owned(),
                stratum: stratum.to_owned(),
                value,
                interval: estimate.map(|found| found.interval),
                count: same.len(),
            };
        named.map(figure).collect::<Vec<_>>()
    };
    methods.par_iter().map(of_method).collect::<Vec<_>>().concat()
}

/// Each loss with a contraction mapping against the one that it extends, and every loss against the principal components.
fn tests(study: &FaceStudy, methods: &[Method], feature_dim: usize, stratum: &str) -> Vec<PooledTest> {
    let find = |name: &str| methods.iter().find(|method| method.name == name);
    let tested = |method: &Method| {
        let scores = method.mean();
        let found = FoldAccuracy::new(&scores, &study.same, &study.folds, Thresholds::Between);
        let right = scores.iter().zip(&study.same).zip(&study.folds).map(|((&score, &same), &fold)| {
            let threshold = found.as_ref().map_or(0.0, |found| found.folds[fold].threshold);
            (score > threshold) == same
        });
        let right = right.collect();
        (scores, right)
    };
    let of_losses =
        study.pairs_to_test().into_iter().filter_map(|(loss, other)| Some((find(&loss)?, find(&other)?)));
    let losses: BTreeSet<&str> = [PIXELS, PCA].into();
    let of_pca = methods
        .iter()
        .filter(|method| !losses.contains(&*method.name))
        .filter_map(|method| Some((method, find(PCA)?)));
    // Two questions, each with a correction of its own: what does a loss add, and is a network better than none?
    let stratum = Stratum { name: stratum, feature_dim, positive: &study.same, groups: None };
    let mut found = stratum.tests("", of_losses.collect(), tested);
    found.extend(stratum.tests(" against PCA", of_pca.collect(), tested));
    found
}
