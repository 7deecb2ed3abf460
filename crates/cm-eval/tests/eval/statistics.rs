//! The statistics against SciPy, statsmodels and scikit-learn: values of `tools/statistics_golden.py`.

use cm_eval::{
    BinaryFigures, Classification, Logistic, Proportion, Reliability, adjusted_by_holm, auc, auc_difference,
    auc_interval, mcnemar, paired_difference,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    paired: Vec<Paired>,
    holm: Vec<Holm>,
    wilson: Vec<Wilson>,
    classification: Vec<Classified>,
    calibration: Vec<Calibrated>,
    delong: Vec<DeLong>,
    mcnemar: Vec<Discordant>,
    diagnosis: Vec<Diagnosis>,
    logistic: Vec<Regression>,
}

#[derive(Deserialize)]
struct Regression {
    rows: Vec<Vec<f64>>,
    positive: Vec<bool>,
    weights: Vec<f64>,
    bias: f64,
}

#[derive(Deserialize)]
struct DeLong {
    first: Vec<f64>,
    second: Vec<f64>,
    positive: Vec<bool>,
    groups: Option<Vec<usize>>,
    aucs: (f64, f64),
    low: f64,
    high: f64,
    std_error: f64,
    p: f64,
}

#[derive(Deserialize)]
struct Discordant {
    first_only: usize,
    second_only: usize,
    p: f64,
}

#[derive(Deserialize)]
struct Diagnosis {
    probability: Vec<f64>,
    positive: Vec<bool>,
    values: [f64; 7],
}

#[derive(Deserialize)]
struct Paired {
    count: usize,
    confidence: f64,
    mean: f64,
    low: f64,
    high: f64,
    p: f64,
}

#[derive(Deserialize)]
struct Holm {
    p: Vec<f64>,
    adjusted: Vec<f64>,
}

#[derive(Deserialize)]
struct Wilson {
    successes: usize,
    count: usize,
    confidence: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct Classified {
    classes: usize,
    labels: Vec<u32>,
    predicted: Vec<u32>,
    confusion: Vec<Vec<usize>>,
    balanced_accuracy: f64,
    macro_f1: f64,
}

#[derive(Deserialize)]
struct Calibrated {
    bins: usize,
    confidence: Vec<f64>,
    right: Vec<bool>,
    expected: f64,
    largest: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/statistics.json")).unwrap()
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs().max(1e-3)
}

#[test]
fn paired_intervals_are_those_of_scipy_from_two_differences_to_a_million() {
    for expected in golden().paired {
        let differences: Vec<f64> = (0..expected.count).map(|i| (i as f64).sin() + 0.05).collect();
        let found = paired_difference(&differences, expected.confidence).unwrap();
        let ((low, high), p) = (found.interval.unwrap(), found.p.unwrap());
        let all = [(found.mean, expected.mean), (low, expected.low), (high, expected.high), (p, expected.p)];
        let name = format!("{} differences, confidence {}", expected.count, expected.confidence);
        assert!(all.iter().all(|&(found, expected)| close(found, expected)), "{name}: {all:?}");
    }
}

#[test]
fn corrections_for_many_tests_are_those_of_statsmodels() {
    for expected in golden().holm {
        let found = adjusted_by_holm(&expected.p);
        assert_eq!(found.len(), expected.adjusted.len());
        assert!(found.iter().zip(&expected.adjusted).all(|(&f, &e)| close(f, e)), "{found:?}");
    }
}

#[test]
fn intervals_of_shares_are_those_of_statsmodels() {
    for expected in golden().wilson {
        let share = Proportion { successes: expected.successes, count: expected.count };
        let (low, high) = share.wilson(expected.confidence).unwrap();
        assert!(close(low, expected.low) && close(high, expected.high), "{share:?}: {low}, {high}");
    }
}

#[test]
fn figures_by_class_are_those_of_scikit_learn() {
    for expected in golden().classification {
        let found = Classification::new(&expected.labels, &expected.predicted, expected.classes).unwrap();
        assert_eq!(found.confusion().counts, expected.confusion);
        assert!(close(found.balanced_accuracy().unwrap(), expected.balanced_accuracy));
        assert!(close(found.macro_f1().unwrap(), expected.macro_f1));
    }
}

#[test]
fn calibration_errors_are_those_of_numpy() {
    for expected in golden().calibration {
        let found = Reliability::new(&expected.confidence, &expected.right, expected.bins).unwrap();
        assert!(close(found.expected_error(), expected.expected), "{}", found.expected_error());
        assert!(close(found.largest_error(), expected.largest), "{}", found.largest_error());
    }
}

#[test]
fn areas_and_their_differences_are_those_of_scikit_learn_and_of_the_definition() {
    for s in golden().delong {
        let groups = s.groups.as_deref();
        assert!(close(auc(&s.first, &s.positive).unwrap(), s.aucs.0));
        let alone = auc_interval(&s.first, &s.positive, groups, 0.95).unwrap();
        assert!(close(alone.interval.0, s.low) && close(alone.interval.1, s.high), "{alone:?}");
        let found = auc_difference(&s.first, &s.second, &s.positive, groups, 0.95).unwrap();
        let all = [
            (found.aucs.0, s.aucs.0),
            (found.aucs.1, s.aucs.1),
            (found.std_error, s.std_error),
            (found.p.unwrap(), s.p),
        ];
        assert!(all.iter().all(|&(found, expected)| close(found, expected)), "{all:?}");
    }
}

#[test]
fn classifiers_that_differ_are_tested_as_by_statsmodels() {
    for expected in golden().mcnemar {
        let (b, c) = (expected.first_only, expected.second_only);
        let first = [vec![true; b], vec![false; c]].concat();
        let second: Vec<bool> = first.iter().map(|right| !right).collect();
        let found = mcnemar(&first, &second).unwrap();
        assert_eq!((found.first_only, found.second_only), (b, c));
        assert!(close(found.p, expected.p), "{b} and {c}: {} and not {}", found.p, expected.p);
    }
}

#[test]
fn figures_of_a_diagnosis_are_those_of_scikit_learn() {
    for expected in golden().diagnosis {
        let found = BinaryFigures::new(&expected.probability, &expected.positive).unwrap();
        for ((name, found), expected) in
            BinaryFigures::METRICS.iter().zip(found.values()).zip(expected.values)
        {
            assert!(close(found.unwrap(), expected), "{name}: {found:?} and not {expected}");
        }
    }
}

#[test]
fn regressions_are_those_of_statsmodels() {
    for expected in golden().logistic {
        let found = Logistic::fit(&expected.rows, &expected.positive).unwrap();
        let pairs = found.weights.iter().zip(&expected.weights).chain([(&found.bias, &expected.bias)]);
        for (found, expected) in pairs {
            assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{found} and not {expected}");
        }
    }
}
