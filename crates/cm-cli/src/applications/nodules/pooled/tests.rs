//! Figures and tests of scores that are made by hand.

use std::collections::BTreeMap;

use super::*;
use crate::applications::{
    compared::Score,
    nodules::{config::Config, synthetic},
    plan::{Choices, Profile},
};

/// Drawn nodules in two folds, both of which are tested on.
fn study() -> NoduleStudy {
    let mut config = Config::of(Profile::Quick);
    (config.folds, config.tested_folds, config.pixels.size) = (2, 2, 16);
    NoduleStudy::new(config, synthetic::nodules(60, 1)).expect("patients enough")
}

/// What a loss says of every untouched nodule. The norm is the subtlety.
fn of_loss(
    study: &NoduleStudy,
    loss: &str,
    seeds: &[u64],
    logit: impl Fn(usize, u64) -> f64,
) -> OfLoss<Case> {
    let score = |nodule: usize, seed: u64| Score {
        seed,
        logit: logit(nodule, seed),
        norm: study.nodules[nodule].mean_subtlety(),
    };
    let of = |nodule: usize| ((0, nodule), seeds.iter().map(|&seed| score(nodule, seed)).collect());
    let cases: BTreeMap<Case, Vec<Score>> = (0..study.nodules.len()).map(of).collect();
    OfLoss { loss: loss.to_owned(), feature_dim: 16, cases }
}

/// A logit that is right, another for each nodule.
fn right(study: &NoduleStudy, nodule: usize) -> f64 {
    let size = 1.0 + nodule as f64 / 1000.0;
    if study.labels[nodule] == 1 { size } else { -size }
}

/// A logit that is wrong of every fourth nodule.
fn often_right(study: &NoduleStudy, nodule: usize) -> f64 {
    right(study, nodule) * if nodule.is_multiple_of(4) { -1.0 } else { 1.0 }
}

fn value(found: &Pooled, loss: &str, metric: &str) -> f64 {
    let is_it = |figure: &&PooledFigure| {
        figure.loss == loss
            && figure.metric == metric
            && (figure.stratum.is_empty() || figure.stratum == OF_NORM)
    };
    found.figures.iter().find(is_it).and_then(|figure| figure.value).expect("a figure")
}

#[test]
fn figures_are_means_over_seeds_and_tests_say_which_loss_is_better() {
    let study = study();
    let never = |nodule: usize, seed: u64| right(&study, nodule) * if seed == 0 { 1.0 } else { -1.0 };
    let losses = vec![
        of_loss(&study, "Softmax", &[0, 1], |nodule, _| right(&study, nodule)),
        of_loss(&study, "L2-Softmax", &[0, 1], |nodule, _| often_right(&study, nodule)),
        of_loss(&study, "CM-Softmax", &[0, 1], |nodule, _| right(&study, nodule)),
        of_loss(&study, "CosFace", &[0, 1], never),
    ];
    let found = pooled(&study, &Scores { losses });
    let count = study.nodules.len();
    let wrong = count.div_ceil(4) as f64 / count as f64;
    for (loss, metric, expected) in [
        ("CM-Softmax", "auc", 1.0),
        ("CM-Softmax", "accuracy", 1.0),
        ("L2-Softmax", "accuracy", 1.0 - wrong),
        ("CosFace", "auc", 0.5),
        ("CosFace", "accuracy", 0.5),
        ("CosFace", "spearman_norm_subtlety", 1.0),
    ] {
        let value = value(&found, loss, metric);
        assert!((value - expected).abs() < 1e-12, "{metric} of {loss}: {value} and {expected}");
    }

    let tests = |name: &str| -> Vec<&PooledTest> {
        found.tests.iter().filter(|test| test.test == name && test.stratum.is_empty()).collect()
    };
    // CM-Softmax against what it extends: with L2-Softmax it is better, with Softmax the same.
    for (name, difference) in [("McNemar", wrong), ("DeLong", 1.0 - value(&found, "L2-Softmax", "auc"))] {
        let [softmax, normalized] = tests(name)[..] else { panic!("{name}: {:?}", tests(name)) };
        assert_eq!((&*softmax.loss, &*softmax.baseline), ("CM-Softmax", "Softmax"));
        assert_eq!((&*normalized.loss, &*normalized.baseline), ("CM-Softmax", "L2-Softmax"));
        assert_eq!(softmax.difference, 0.0);
        assert!((normalized.difference - difference).abs() < 1e-12, "{name}: {normalized:?}");
        let p = normalized.p.expect("p");
        assert!(p < 0.001, "{name}: {p}");
    }
    // McNemar's p of two that agree is 1, so that both are corrected together.
    let [_, normalized] = tests("McNemar")[..] else { unreachable!("it was there") };
    let (p, adjusted) = (normalized.p.expect("p"), normalized.p_adjusted.expect("p"));
    assert!((adjusted - 2.0 * p).abs() < 1e-12, "{p} {adjusted}");
    // Four networks and one of them with the diameter.
    assert_eq!(tests("McNemar against the diameter").len(), 5);
}

#[test]
fn the_interval_of_a_figure_that_resamples_make_larger_holds_it_and_is_lower() {
    let of = |value: f64, low: f64, high: f64| {
        reflected(&cm_eval::Estimate { value, interval: (low, high), confidence: 0.95 })
    };
    let (low, high) = of(0.03, 0.025, 0.045);
    assert!((low - 0.015).abs() < 1e-12 && (high - 0.035).abs() < 1e-12);
    // Where all of them are larger, and where it would go below nothing.
    let (low, high) = of(0.03, 0.035, 0.07);
    assert_eq!((low, high), (0.0, 0.03));
}

#[test]
fn what_is_fitted_to_the_diameter_has_not_seen_the_class_of_what_it_is_tested_on() {
    let mut study = study();
    let all: Vec<usize> = (0..study.nodules.len()).collect();
    let logits: Vec<f64> = all.iter().map(|&nodule| often_right(&study, nodule)).collect();
    let tested = study.folds[0].test.clone();
    let found = |study: &NoduleStudy| {
        let with = with_diameter(study, &all, &logits).expect("two folds");
        [diameter_alone(study, &all), with].map(|of| tested.iter().map(|&i| of[i]).collect::<Vec<_>>())
    };
    let before = found(&study);
    for &nodule in &tested {
        study.labels[nodule] = 1 - study.labels[nodule];
    }
    assert_eq!(found(&study), before);
    for &nodule in &study.folds[1].test.clone() {
        study.labels[nodule] = 1 - study.labels[nodule];
    }
    let after = found(&study);
    assert!(after[0] != before[0] && after[1] != before[1]);
}

#[test]
fn a_seed_without_a_fold_and_nodules_without_a_loss_are_told() {
    let study = study();
    let whole = || of_loss(&study, "Softmax", &[0, 1], |nodule, _| right(&study, nodule));
    let mut less = of_loss(&study, "CosFace", &[0, 1], |nodule, _| right(&study, nodule));
    for nodule in &study.folds[1].test {
        less.cases.get_mut(&(0, *nodule)).expect("a case").retain(|score| score.seed == 0);
    }
    let notes = pooled(&study, &Scores { losses: vec![whole(), less] }).notes.join("\n");
    assert!(notes.contains("CosFace has 1 of 2 seeds with 16 features"), "{notes}");

    let mut less = of_loss(&study, "CosFace", &[0, 1], |nodule, _| right(&study, nodule));
    less.cases.retain(|case, _| study.folds[0].test.contains(&case.1));
    let found = pooled(&study, &Scores { losses: vec![whole(), less] });
    let notes = found.notes.join("\n");
    let missing = study.folds[1].test.len();
    let told = format!("{missing} of {} nodules are in no figure", study.nodules.len());
    assert!(notes.contains(&told) && notes.contains("of CosFace there is no finished training"), "{notes}");
    let of_softmax = found.figures.iter().find(|figure| figure.loss == "Softmax").expect("a figure");
    assert_eq!(of_softmax.count, study.folds[0].test.len());
}
