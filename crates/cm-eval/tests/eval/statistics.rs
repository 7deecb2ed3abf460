//! The statistics against SciPy, statsmodels and scikit-learn: values of `tools/statistics_golden.py`.

use cm_eval::{Classification, Proportion, Reliability, adjusted_by_holm, paired_difference};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    paired: Vec<Paired>,
    holm: Vec<Holm>,
    wilson: Vec<Wilson>,
    classification: Vec<Classified>,
    calibration: Vec<Calibrated>,
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
