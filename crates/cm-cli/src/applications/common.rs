//! How the studies test their networks and show what was found.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use cm_eval::{Estimate, Summary};
use cm_record::{FeatureRow, FeatureTable, Measurement, Results, Status};
use cm_report::Figure;
use cm_train::{Error, classifier::Classifier, evaluation::Prediction, study::Evaluated};

use crate::error::CliError;

/// The share of the images whose norm lies where the norm map is flat.
pub const SATURATED: &str = "norm_saturated";

/// Prints the table of a study, or its whole record as JSON, and says what diverged.
///
/// # Errors
///
/// [`Error::Diverged`] if a run did: the report is there all the same.
pub fn finish(folder: &Path, results: &Results, json: bool) -> Result<(), CliError> {
    if json {
        println!("{}", json_of(results)?);
    } else {
        println!("{}", cm_report::summary_table(results));
        println!("Results, pictures and report: {}", folder.join("report.html").display());
    }
    let reasons: Vec<String> = results
        .runs
        .iter()
        .filter_map(|run| match &run.status {
            Status::Diverged { reason, .. } => Some(format!("{} diverged: {reason}", run.key.label())),
            Status::Finished => None,
        })
        .collect();
    match reasons.is_empty() {
        true => Ok(()),
        false => Err(Error::Diverged { reasons, path: folder.to_owned() }.into()),
    }
}

/// The share of predictions that are right; `None` where there are none.
pub fn accuracy(predictions: &[&Prediction]) -> Option<f64> {
    let right = predictions.iter().filter(|prediction| prediction.is_right()).count();
    (!predictions.is_empty()).then(|| right as f64 / predictions.len() as f64)
}

/// Accuracy, and mean, deviation and percentiles of the feature norm, of the predictions of a stratum. Nothing where
/// there is no image.
pub fn stratum_measurements(stratum: &str, predictions: &[&Prediction]) -> Vec<Measurement> {
    let Some(accuracy) = accuracy(predictions) else { return Vec::new() };
    let norms: Vec<f64> = predictions.iter().map(|prediction| f64::from(prediction.norm)).collect();
    let accuracy = Measurement::new("accuracy", stratum, accuracy, predictions.len());
    [accuracy].into_iter().chain(norm_measurements(stratum, &norms)).collect()
}

/// Mean, deviation and percentiles of the norms of a stratum. Nothing where there is no image.
pub fn norm_measurements(stratum: &str, norms: &[f64]) -> Vec<Measurement> {
    let Some(summary) = Summary::of(norms) else { return Vec::new() };
    let figures = [
        ("norm_mean", summary.mean),
        ("norm_std", summary.std),
        ("norm_p5", summary.quantile(0.05)),
        ("norm_p25", summary.quantile(0.25)),
        ("norm_p50", summary.quantile(0.5)),
        ("norm_p75", summary.quantile(0.75)),
        ("norm_p95", summary.quantile(0.95)),
    ];
    figures.into_iter().map(|(metric, value)| Measurement::new(metric, stratum, value, norms.len())).collect()
}

/// A figure of all images with the ends of its interval, `_low` and `_high`; all are undefined where it is not defined.
pub fn with_interval(metric: &str, found: Option<Estimate>, count: usize) -> [Measurement; 3] {
    let named = |suffix: &str, value| Measurement::new(&format!("{metric}{suffix}"), "", value, count);
    [
        named("", found.map(|found| found.value)),
        named("_low", found.map(|found| found.interval.0)),
        named("_high", found.map(|found| found.interval.1)),
    ]
}

/// A prediction as a row of a features file.
pub fn feature_row(prediction: &Prediction, levels: Vec<String>) -> FeatureRow {
    FeatureRow {
        index: prediction.index,
        label: prediction.label,
        predicted: prediction.predicted,
        confidence: prediction.confidence,
        norm: prediction.norm,
        point: Some(prediction.point),
        logit: None,
        levels,
    }
}

/// What was found of a network, with the share of these norms, those of images as they are, where its norm map is flat, and a
/// warning where that is most of them.
pub fn evaluated(
    network: &Classifier,
    norms: &[f32],
    device: &Device,
    mut measurements: Vec<Measurement>,
    features: FeatureTable,
) -> Evaluated {
    let found =
        (!norms.is_empty()).then(|| network.head.saturation(Tensor::from_data(norms, device))).flatten();
    measurements.extend(found.map(|found| Measurement::new(SATURATED, "", found.share, norms.len())));
    let warnings = found.filter(|found| found.is_serious()).map(|found| found.to_string());
    Evaluated { measurements, features: Some(features), warnings: warnings.into_iter().collect() }
}

/// A record as JSON.
///
/// # Errors
///
/// A record with a value that JSON has no form for.
pub fn json_of(results: &Results) -> Result<String, CliError> {
    serde_json::to_string(results)
        .map_err(|error| CliError::Said(format!("the record has no form in JSON: {error}")))
}

/// What a report is drawn of, or why it cannot be.
pub type Drawn<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Draws the report of a study's folder, with pictures of the application's own.
///
/// # Errors
///
/// What keeps it from being read or drawn.
pub fn draw_report(folder: &Path, own: impl FnOnce(&Results) -> Drawn<Vec<Figure>>) -> Drawn<()> {
    let results = crate::commands::report::read(folder)?;
    let figures = own(&results)?;
    let features = cm_report::drawn_features(folder, &results)?;
    cm_report::write_report(folder, &results, &features, &figures)?;
    Ok(())
}

/// The text with its first letter in upper case.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
