//! The quality functions against SciPy, scikit-learn and NumPy: values of `tools/quality_golden.py`.

use cm_eval::{Comparison, ErrorDiscardCurve, Isotonic, RiskCoverageCurve, Statistic, pearson, spearman};
use serde::Deserialize;

type Points = Vec<(f64, f64)>;

#[derive(Deserialize)]
struct Golden {
    samples: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    name: String,
    norm: Vec<f64>,
    quality: Vec<f64>,
    classes: Vec<usize>,
    spearman: f64,
    pearson: f64,
    spearman_within_classes: f64,
    /// Score and quality of each comparison.
    mated: Points,
    non_mated: Points,
    starting_error: f64,
    fixed: Points,
    /// Limit and area.
    partial_areas: Points,
    false_match_rate: f64,
    shares: Vec<f64>,
    recomputed: Points,
    right: Vec<bool>,
    risk_coverage: Points,
    risk_coverage_area: f64,
    outcome: Vec<f64>,
    /// Norm and score.
    isotonic: Points,
}

fn samples() -> Vec<Sample> {
    let golden: Golden = serde_json::from_str(include_str!("golden/quality.json")).unwrap();
    assert!(!golden.samples.is_empty());
    golden.samples
}

fn comparisons(pairs: &[(f64, f64)]) -> Vec<Comparison> {
    pairs.iter().map(|&(score, quality)| Comparison { score, quality }).collect()
}

fn assert_close(what: &str, sample: &Sample, got: f64, golden: f64) {
    assert!((got - golden).abs() < 1e-9, "{what} of the sample {}: {got} instead of {golden}", sample.name);
}

fn assert_same_points(what: &str, sample: &Sample, got: &[(f64, f64)], golden: &[(f64, f64)]) {
    let same = |(a, b): (&(f64, f64), &(f64, f64))| (a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-9;
    assert!(
        got.len() == golden.len() && got.iter().zip(golden).all(same),
        "{what} of the sample {}: {got:?} instead of {golden:?}",
        sample.name
    );
}

#[test]
fn correlations_are_those_of_scipy() {
    for s in &samples() {
        assert_close("Spearman's correlation", s, spearman(&s.norm, &s.quality).unwrap(), s.spearman);
        assert_close("Pearson's correlation", s, pearson(&s.norm, &s.quality).unwrap(), s.pearson);
        let within = Statistic::Spearman.within_classes(&s.norm, &s.quality, &s.classes).unwrap();
        assert_close("the correlation within classes", s, within, s.spearman_within_classes);
    }
}

#[test]
fn error_discard_curves_have_the_golden_points() {
    for s in &samples() {
        let (mated, non_mated) = (comparisons(&s.mated), comparisons(&s.non_mated));
        let fixed = ErrorDiscardCurve::fixed(&mated, s.starting_error).unwrap();
        assert_same_points("fixed threshold", s, &fixed.points, &s.fixed);
        let recomputed =
            ErrorDiscardCurve::recomputed(&mated, &non_mated, s.false_match_rate, &s.shares).unwrap();
        assert_same_points("recomputed threshold", s, &recomputed.points, &s.recomputed);
    }
}

#[test]
fn partial_areas_are_over_that_of_the_best_quality() {
    for s in &samples() {
        let curve = ErrorDiscardCurve { points: s.fixed.clone() };
        for &(limit, golden) in &s.partial_areas {
            assert_close(&format!("area up to {limit}"), s, curve.partial_area(limit), golden);
        }
    }
}

#[test]
fn risk_coverage_curves_and_areas_are_golden() {
    for s in &samples() {
        let curve = RiskCoverageCurve::new(&s.norm, &s.right).unwrap();
        assert_same_points("risk and coverage", s, &curve.points, &s.risk_coverage);
        assert_close("the area of risk and coverage", s, curve.area(), s.risk_coverage_area);
    }
}

#[test]
fn isotonic_calibration_is_that_of_scikit_learn() {
    for s in &samples() {
        let calibration = Isotonic::fit(&s.norm, &s.outcome).unwrap();
        for &(norm, golden) in &s.isotonic {
            assert_close(&format!("score of the norm {norm}"), s, calibration.score(norm), golden);
        }
    }
}
