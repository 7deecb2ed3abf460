//! Verification, identification and retrieval against scikit-learn, SciPy, insightface and pytorch-metric-learning: values of
//! `tools/verification_golden.py`.

use std::collections::BTreeMap;

use cm_eval::{
    FarRule, FoldAccuracy, Retrieval, Search, Thresholds, Verification, auc, rank_accuracy, tpir_at_fpir,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    verification: Vec<Verified>,
    identification: Vec<Identified>,
    retrieval: Vec<Retrieved>,
}

#[derive(Deserialize)]
struct Verified {
    scores: Vec<f64>,
    same: Vec<bool>,
    folds: usize,
    at_most: BTreeMap<String, Option<f64>>,
    nearest: BTreeMap<String, Option<f64>>,
    eer: Option<f64>,
    auc: f64,
    grid: Grid,
}

#[derive(Deserialize)]
struct Grid {
    accuracy: Vec<f64>,
    thresholds: Vec<f64>,
    mean: f64,
    std: f64,
}

/// Scores of every search with every entry; first the searches of people in the gallery, with the place of the right entry.
#[derive(Deserialize)]
struct Identified {
    scores: Vec<Vec<f64>>,
    right: Vec<usize>,
    ranks: BTreeMap<String, f64>,
    tpir: BTreeMap<String, Option<f64>>,
}

#[derive(Deserialize)]
struct Retrieved {
    labels: Vec<usize>,
    features: Vec<Vec<f64>>,
    precision_at_1: f64,
    map_at_r: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/verification.json")).unwrap()
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-9
}

#[test]
fn rates_and_areas_are_those_of_scikit_learn() {
    for case in golden().verification {
        let found = Verification::new(&case.scores, &case.same).unwrap();
        for (rule, expected) in [(FarRule::AtMost, &case.at_most), (FarRule::Nearest, &case.nearest)] {
            for (far, expected) in expected {
                let found = found.tar_at(far.parse().unwrap(), rule).map(|found| found.tar);
                match (found, expected) {
                    (Some(found), Some(expected)) => assert!(close(found, *expected), "{rule:?} at {far}"),
                    (found, expected) => assert_eq!(found, *expected, "{rule:?} at {far}"),
                }
            }
        }
        assert!(close(auc(&case.scores, &case.same).unwrap(), case.auc));
        if let Some(eer) = case.eer {
            let found = found.equal_error_rate().unwrap();
            assert!((found - eer).abs() < 1e-6, "{found}, not {eer}");
        }
    }
}

#[test]
fn accuracy_in_folds_is_that_of_insightface() {
    for case in golden().verification {
        let distances: Vec<f64> = case.scores.iter().map(|score| -(2.0 - 2.0 * score)).collect();
        let each = case.scores.len() / case.folds;
        let folds: Vec<usize> = (0..case.scores.len()).map(|i| i / each).collect();
        let found = FoldAccuracy::new(&distances, &case.same, &folds, Thresholds::Grid).unwrap();
        let accuracies: Vec<f64> = found.folds.iter().map(|fold| fold.accuracy).collect();
        let thresholds: Vec<f64> = found.folds.iter().map(|fold| -fold.threshold).collect();
        assert!(thresholds.iter().zip(&case.grid.thresholds).all(|(a, b)| close(*a, *b)), "{thresholds:?}");
        assert!(accuracies.iter().zip(&case.grid.accuracy).all(|(a, b)| close(*a, *b)), "{accuracies:?}");
        assert!(close(found.mean(), case.grid.mean) && close(found.std(), case.grid.std));
    }
}

#[test]
fn precision_is_that_of_pytorch_metric_learning() {
    for case in golden().retrieval {
        let row = |i: usize, scores: &mut [f32]| {
            for (score, other) in scores.iter_mut().zip(&case.features) {
                let cosine: f64 = case.features[i].iter().zip(other).map(|(a, b)| a * b).sum();
                *score = cosine as f32;
            }
        };
        let found = Retrieval::new(&case.labels, row).unwrap();
        assert!(close(found.precision_at_1, case.precision_at_1), "{found:?}");
        assert!(close(found.map_at_r, case.map_at_r), "{found:?}, not {}", case.map_at_r);
    }
}

#[test]
fn ranks_and_rates_of_searches_are_those_of_every_threshold_tried() {
    for case in golden().identification {
        let right = |search: usize| case.right.get(search).copied();
        let searches: Vec<Search> = case
            .scores
            .iter()
            .enumerate()
            .map(|(at, scores)| Search::new(scores, right(at)).unwrap())
            .collect();
        for (rank, expected) in &case.ranks {
            let found = rank_accuracy(&searches, rank.parse().unwrap()).unwrap();
            assert!(close(found, *expected), "rank {rank}: {found} and {expected}");
        }
        for (fpir, expected) in &case.tpir {
            match (tpir_at_fpir(&searches, fpir.parse().unwrap()), expected) {
                (Some(found), Some(expected)) => {
                    assert!(close(found, *expected), "{fpir}: {found} and {expected}")
                }
                (found, expected) => assert_eq!(found, *expected, "{fpir}"),
            }
        }
    }
}
