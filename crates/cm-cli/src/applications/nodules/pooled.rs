//! Out-of-fold scores of all folds together: figures with intervals by patient, and paired tests.

use std::{collections::BTreeSet, path::Path};

use cm_data::SEVERITIES;
use cm_eval::{BinaryFigures, Bootstrap, Logistic, Statistic, auc};
use cm_record::{CONFIDENCE, Pooled, PooledFigure, PooledTest, Results};
use cm_train::Error;
use rayon::prelude::*;

use super::{
    evaluation::{DIVISIONS, SEVERITY, probability},
    study::NoduleStudy,
};
use crate::applications::compared::{Method, OfLoss, Scores, Stratum};

#[cfg(test)]
mod tests;

/// The rows of the table that no network has a part in, and that one has with the diameter.
pub const DIAMETER: &str = "diameter";
/// What the correlations of the norm are called among the figures.
const OF_NORM: &str = "norm and quality";
/// The figure of which resamples are too high, as drawing patients again is one more source of the differences that it adds up.
const CALIBRATION: &str = "calibration_error";

/// An image: its severity, and the nodule.
pub type Case = (usize, usize);

/// The scores of the images of the test folds.
pub fn scores(folder: &Path, results: &Results) -> Result<Scores<Case>, Error> {
    Scores::read(folder, results, |table, row| {
        let severity = &row.levels[table.position(SEVERITY)?];
        Some((severity.parse().ok()?, row.index))
    })
}

/// The nodules that every method was tested on, and the methods.
pub struct Compared {
    feature_dim: usize,
    /// Of the degradation.
    severity: usize,
    pub nodules: Vec<usize>,
    pub methods: Vec<Method>,
}

impl Compared {
    /// Methods of one feature dimension on the images of one severity, each with the seeds that it has for every nodule.
    pub fn new(
        study: &NoduleStudy,
        scores: &Scores<Case>,
        feature_dim: usize,
        severity: usize,
    ) -> Option<Self> {
        let of_dim: Vec<_> = scores.of_dim(feature_dim).collect();
        let mut common: Option<BTreeSet<usize>> = None;
        for of in &of_dim {
            let of_severity = of.cases.keys().filter(|case| case.0 == severity);
            let found: BTreeSet<usize> = of_severity.map(|case| case.1).collect();
            common = Some(common.map_or_else(|| found.clone(), |common| &common & &found));
        }
        let nodules: Vec<usize> = common?.into_iter().collect();
        if nodules.is_empty() {
            return None;
        }
        let cases = nodules.iter().map(|&nodule| (severity, nodule));
        let mut methods: Vec<Method> = of_dim.iter().filter_map(|of| Method::of(of, cases.clone())).collect();
        // The radiologists saw the nodule as it was: no degradation is in their diameter, which can be compared with nothing there.
        if severity == 0 {
            if let Some(network) = methods.first() {
                let with = network.seeds.iter().map(|logits| with_diameter(study, &nodules, logits));
                if let Some(seeds) = with.collect::<Option<Vec<_>>>() {
                    methods.push(Method { name: format!("{} + {DIAMETER}", network.name), seeds });
                }
            }
            let seeds = vec![diameter_alone(study, &nodules)];
            methods.insert(0, Method { name: DIAMETER.to_owned(), seeds });
        }
        Some(Self { feature_dim, severity, nodules, methods })
    }

    /// The images that every method was tested on.
    pub fn cases(&self) -> impl Iterator<Item = Case> + Clone {
        self.nodules.iter().map(|&nodule| (self.severity, nodule))
    }

    /// Whether each nodule is malignant.
    pub fn positive(&self, study: &NoduleStudy) -> Vec<bool> {
        self.nodules.iter().map(|&nodule| study.labels[nodule] == 1).collect()
    }

    fn patients(&self, study: &NoduleStudy) -> Vec<usize> {
        self.nodules.iter().map(|&nodule| study.patients[nodule] as usize).collect()
    }
}

fn log_diameter(study: &NoduleStudy, nodule: usize) -> f64 {
    study.nodules[nodule].diameter.ln()
}

/// The logit of a regression on the logarithm of the diameter, fitted to the nodules of the other folds.
fn diameter_alone(study: &NoduleStudy, nodules: &[usize]) -> Vec<f64> {
    let fitted: Vec<Option<Logistic>> = study
        .tested()
        .iter()
        .map(|fold| {
            let learned: Vec<usize> = fold.train.iter().chain(&fold.valid).copied().collect();
            let rows: Vec<Vec<f64>> = learned.iter().map(|&i| vec![log_diameter(study, i)]).collect();
            Logistic::fit(&rows, &learned.iter().map(|&i| study.labels[i] == 1).collect::<Vec<_>>())
        })
        .collect();
    let logit = |&nodule: &usize| {
        let found = study.fold_of(nodule).and_then(|fold| fitted[fold].as_ref());
        found.map_or(0.0, |fit| fit.logit(&[log_diameter(study, nodule)]))
    };
    nodules.iter().map(logit).collect()
}

/// The logit of a regression on the network's logit and the logarithm of the diameter, fitted to the other folds, whose scores
/// are of networks that did not learn from them. `None` with a single fold.
fn with_diameter(study: &NoduleStudy, nodules: &[usize], logits: &[f64]) -> Option<Vec<f64>> {
    let folds: Vec<usize> = nodules.iter().filter_map(|&nodule| study.fold_of(nodule)).collect();
    let row = |i: usize| vec![logits[i], log_diameter(study, nodules[i])];
    let fit = |fold: usize| {
        let others: Vec<usize> = (0..nodules.len()).filter(|&i| folds[i] != fold).collect();
        let positive: Vec<bool> = others.iter().map(|&i| study.labels[nodules[i]] == 1).collect();
        Logistic::fit(&others.iter().map(|&i| row(i)).collect::<Vec<_>>(), &positive)
    };
    let fitted: Option<Vec<Logistic>> = (0..study.tested().len()).map(fit).collect();
    let fitted = fitted?;
    Some((0..nodules.len()).map(|i| fitted[folds[i]].logit(&row(i))).collect())
}

/// The figures of these positions: the mean over the seeds of each.
fn figures(method: &Method, positive: &[bool], positions: &[usize]) -> [Option<f64>; 7] {
    let positive: Vec<bool> = positions.iter().map(|&i| positive[i]).collect();
    let mut sums = [Some(0.0); 7];
    for logits in &method.seeds {
        let logits: Vec<f64> = positions.iter().map(|&i| logits[i]).collect();
        let probabilities: Vec<f64> = logits.iter().copied().map(probability).collect();
        let found = BinaryFigures::new(&probabilities, &positive);
        let found = found.map(|figures| BinaryFigures { auc: auc(&logits, &positive), ..figures });
        let values = found.map_or([None; 7], |figures| figures.values());
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum = sum.zip(value).map(|(sum, value)| sum + value);
        }
    }
    sums.map(|sum| sum.map(|sum| sum / method.seeds.len() as f64))
}

/// Figures of all folds together, and tests.
pub fn pooled(study: &NoduleStudy, scores: &Scores<Case>) -> Pooled {
    let mut pooled = Pooled::default();
    for dim in scores.dims() {
        for severity in 0..SEVERITIES {
            let Some(compared) = Compared::new(study, scores, dim, severity) else { continue };
            let strata = strata(study, &compared);
            pooled.figures.extend(all_figures(study, &compared, &strata));
            for (stratum, positions) in strata {
                pooled.tests.extend(tests(study, &compared, &stratum, &positions));
            }
            if severity == 0 {
                pooled
                    .figures
                    .extend(scores.of_dim(dim).flat_map(|of| correlations(study, of, &compared.nodules)));
                pooled.notes.extend(lost(study, &compared, scores, dim));
            }
        }
    }
    pooled.notes.extend([
        format!(
            "Each nodule is scored by the networks that did not learn from its patient. A figure is the mean over the seeds; its \
             {:.0} % interval is from 1000 resamples of the patients, reflected for the calibration error, which resampling makes \
             larger. A probability of at least one half is called malignant.",
            100.0 * CONFIDENCE
        ),
        format!(
            "{DIAMETER}: a logistic regression on the logarithm of the equivalent diameter in mm, which is that of the radiologists' \
             outlines; networks do not have it. With a loss: on the network's logit as well, fitted to the other folds. Neither is \
             compared on degraded images, since nothing degraded what the radiologists saw."
        ),
        "DeLong's test of the areas and McNemar's of the accuracies are of the mean logits over the seeds, with Obuchowski's variance \
         for several nodules of a patient; p of McNemar's is exact, from the signs of the patients' differences. Tests by stratum \
         explore: they are corrected each by itself."
            .to_owned(),
        "ρ: Spearman correlation of the feature norm with subtlety, with agreement (minus the deviation of the ratings) and with \
         intactness (minus the severity, over the images of all severities), the mean over folds and seeds of those of each network; 500 \
         resamples of the patients."
            .to_owned(),
    ]);
    pooled
}

/// What is said of nodules and losses that are in no figure, or in some with fewer seeds than others, since there is no finished
/// training for a fold.
fn lost(study: &NoduleStudy, compared: &Compared, scores: &Scores<Case>, dim: usize) -> Vec<String> {
    let all: Vec<usize> = study.tested().iter().flat_map(|fold| fold.test.iter().copied()).collect();
    let missing = all.len() - compared.nodules.len();
    let lacks = |of: &&OfLoss<Case>| all.iter().any(|&nodule| !of.cases.contains_key(&(0, nodule)));
    let losses: Vec<&str> = scores.of_dim(dim).filter(lacks).map(|of| &*of.loss).collect();
    let nodules = (missing > 0).then(|| {
        format!(
            "{missing} of {} nodules are in no figure with {dim} features: of {} there is no finished training for their fold.",
            all.len(),
            losses.join(", ")
        )
    });
    let seeds = |of: &OfLoss<Case>| of.by_seed(compared.cases()).len();
    let most = scores.of_dim(dim).map(seeds).max().unwrap_or(0);
    let fewer = scores.of_dim(dim).map(|of| (&of.loss, seeds(of))).filter(|(_, seeds)| *seeds < most);
    let losses = fewer.map(|(loss, seeds)| match seeds {
        0 => format!("{loss} is in no figure with {dim} features: no seed has a finished training for every fold."),
        _ => format!("{loss} has {seeds} of {most} seeds with {dim} features: others have no finished training for a fold."),
    });
    nodules.into_iter().chain(losses).collect()
}

/// How the norm goes with what is known of the images, in each network, over all images of its fold and within classes: above 0 where
/// better images have longer features.
fn correlations(study: &NoduleStudy, of: &OfLoss<Case>, nodules: &[usize]) -> Vec<PooledFigure> {
    let mut qualities: Vec<(&str, Vec<(Case, f64)>)> = DIVISIONS
        .iter()
        .map(|division| {
            let known = |&nodule: &usize| Some(((0, nodule), division.quality(&study.nodules[nodule])?));
            (division.quality, nodules.iter().filter_map(known).collect())
        })
        .collect();
    let at = |severity: usize| nodules.iter().map(move |&nodule| ((severity, nodule), -(severity as f64)));
    qualities.push((SEVERITY, (0..SEVERITIES).flat_map(at).collect()));
    let figures = |(name, cases): (&str, Vec<(Case, f64)>)| {
        let seeds = of.by_seed(cases.iter().map(|(case, _)| *case));
        let folds: Vec<Option<usize>> = cases.iter().map(|((_, nodule), _)| study.fold_of(*nodule)).collect();
        let groups: Vec<usize> =
            cases.iter().map(|((_, nodule), _)| study.patients[*nodule] as usize).collect();
        let statistics = |drawn: &[usize]| -> [Option<f64>; 2] {
            let mut by_fold: Vec<Vec<usize>> = vec![Vec::new(); study.tested().len()];
            for &i in drawn {
                if let Some(fold) = folds[i] {
                    by_fold[fold].push(i);
                }
            }
            let (mut sums, mut counts) = ([0.0; 2], [0.0; 2]);
            for fold in &by_fold {
                let qualities: Vec<f64> = fold.iter().map(|&i| cases[i].1).collect();
                let classes: Vec<usize> = fold.iter().map(|&i| study.labels[cases[i].0.1] as usize).collect();
                for scores in &seeds {
                    let norms: Vec<f64> = fold.iter().map(|&i| scores[i].norm).collect();
                    let of = Statistic::Spearman;
                    let found = [of.of(&norms, &qualities), of.within_classes(&norms, &qualities, &classes)];
                    for ((sum, count), found) in sums.iter_mut().zip(&mut counts).zip(found) {
                        if let Some(found) = found {
                            *sum += found;
                            *count += 1.0;
                        }
                    }
                }
            }
            [0, 1].map(|i| (counts[i] > 0.0).then(|| sums[i] / counts[i]))
        };
        let all: Vec<usize> = (0..cases.len()).collect();
        let bootstrap = Bootstrap { resamples: 500, ..Bootstrap::default() };
        let estimates = bootstrap.by_group(&groups, statistics);
        let named = ["", "_within"].into_iter().zip(statistics(&all)).zip(estimates);
        let figure =
            |((suffix, value), estimate): ((&str, Option<f64>), Option<cm_eval::Estimate>)| PooledFigure {
                loss: of.loss.clone(),
                feature_dim: of.feature_dim,
                metric: format!("spearman_norm_{name}{suffix}"),
                stratum: OF_NORM.to_owned(),
                value,
                interval: estimate.map(|found| found.interval),
                count: cases.len(),
            };
        named.map(figure).collect::<Vec<_>>()
    };
    qualities.into_par_iter().flat_map_iter(figures).collect()
}

/// Positions among the nodules compared: of untouched images all, and those of each level of the ratings; of others all.
fn strata(study: &NoduleStudy, compared: &Compared) -> Vec<(String, Vec<usize>)> {
    let all: Vec<usize> = (0..compared.nodules.len()).collect();
    if compared.severity > 0 {
        return vec![(format!("{SEVERITY}={}", compared.severity), all)];
    }
    let mut strata = vec![(String::new(), all.clone())];
    for division in &DIVISIONS {
        for &(level, ..) in division.levels {
            let is_in =
                |position: &usize| division.level(&study.nodules[compared.nodules[*position]]) == level;
            let positions = all.iter().copied().filter(is_in).collect();
            strata.push((format!("{}={level}", division.name), positions));
        }
    }
    strata.retain(|(_, positions)| !positions.is_empty());
    strata
}

/// The basic bootstrap interval, by which resamples that are too high make it lower: percentiles reflected about the figure (A. C. Davison,
/// D. V. Hinkley, *Bootstrap Methods and Their Application*, 1997, section 5.2), not below 0, and with the figure itself in it.
fn reflected(found: &cm_eval::Estimate) -> (f64, f64) {
    let (low, high) = found.interval;
    let of = |end: f64| (2.0 * found.value - end).max(0.0);
    (of(high).min(found.value), of(low).max(found.value))
}

fn all_figures(
    study: &NoduleStudy,
    compared: &Compared,
    strata: &[(String, Vec<usize>)],
) -> Vec<PooledFigure> {
    let (positive, patients) = (compared.positive(study), compared.patients(study));
    let cases: Vec<_> =
        strata.iter().flat_map(|stratum| compared.methods.iter().map(move |m| (stratum, m))).collect();
    let found: Vec<Vec<PooledFigure>> = cases
        .par_iter()
        .map(|((stratum, positions), method)| {
            let groups: Vec<usize> = positions.iter().map(|&i| patients[i]).collect();
            let estimates = Bootstrap::default().by_group(&groups, |drawn| {
                let drawn: Vec<usize> = drawn.iter().map(|&i| positions[i]).collect();
                figures(method, &positive, &drawn)
            });
            let values = figures(method, &positive, positions);
            let named = BinaryFigures::METRICS.into_iter().zip(values).zip(estimates);
            named
                .map(|((metric, value), estimate)| PooledFigure {
                    loss: method.name.clone(),
                    feature_dim: compared.feature_dim,
                    metric: metric.to_owned(),
                    stratum: stratum.clone(),
                    value,
                    interval: estimate.map(|found| match metric {
                        CALIBRATION => reflected(&found),
                        _ => found.interval,
                    }),
                    count: positions.len(),
                })
                .collect()
        })
        .collect();
    found.into_iter().flatten().collect()
}

/// Each loss with a contraction mapping against the one that it extends, and every network against the diameter.
fn tests(study: &NoduleStudy, compared: &Compared, stratum: &str, positions: &[usize]) -> Vec<PooledTest> {
    let (all_positive, all_patients) = (compared.positive(study), compared.patients(study));
    let positive: Vec<bool> = positions.iter().map(|&i| all_positive[i]).collect();
    let patients: Vec<usize> = positions.iter().map(|&i| all_patients[i]).collect();
    let find = |name: &str| compared.methods.iter().find(|method| method.name == name);
    let of_losses = study
        .pairs_to_test()
        .into_iter()
        .filter_map(|(loss, extended)| Some((find(&loss)?, find(&extended)?)));
    let diameter = find(DIAMETER);
    let networks = compared.methods.iter().filter(|method| method.name != DIAMETER);
    let of_diameter = networks.filter_map(|method| Some((method, diameter?)));
    let tested = |method: &Method| {
        let mean = method.mean();
        let scores: Vec<f64> = positions.iter().map(|&i| mean[i]).collect();
        let right =
            scores.iter().zip(&positive).map(|(&logit, &positive)| (logit >= 0.0) == positive).collect();
        (scores, right)
    };
    // Two questions, each with a correction of its own: what does a loss add, and is a network better than the diameter?
    let stratum = Stratum {
        name: stratum,
        feature_dim: compared.feature_dim,
        positive: &positive,
        groups: Some(&patients),
    };
    let mut found = stratum.tests("", of_losses.collect(), tested);
    found.extend(stratum.tests(" against the diameter", of_diameter.collect(), tested));
    found
}
