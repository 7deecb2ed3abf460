//! Records of results format 1, which knew digits only.

use std::{collections::BTreeMap, path::Path};

use cm_record::{
    DataRecord, Environment, EpochRecord, Measurement, RESULTS_FORMAT, RecordError, Results, RunKey,
    RunRecord, SplitRecord, Status, parse,
};
use serde::Deserialize;
use serde_json::Value;

use super::{APPLICATION, evaluation, study::layout};

#[derive(Deserialize)]
struct OldResults {
    created: String,
    complete: bool,
    data: OldData,
    config: Value,
    environment: OldEnvironment,
    runs: Vec<OldRun>,
    wall_seconds: f64,
}

#[derive(Deserialize)]
struct OldData {
    name: String,
    source: String,
    checksums: BTreeMap<String, String>,
    train_images: usize,
    test_images: usize,
    train_severities: Vec<usize>,
}

#[derive(Deserialize)]
struct OldEnvironment {
    backend: String,
    threads: usize,
    platform: String,
    cm_train: String,
    burn: String,
    commit: String,
}

#[derive(Deserialize)]
struct OldRun {
    loss: String,
    feature_dim: usize,
    seed: u64,
    epochs: Vec<EpochRecord>,
    severities: Vec<OldSeverity>,
    norm_quality_spearman: Option<f64>,
    train_seconds: f64,
    images_per_second: f64,
    features_file: String,
}

#[derive(Deserialize)]
struct OldSeverity {
    severity: usize,
    images: usize,
    accuracy: f64,
    norm_mean: f64,
    norm_std: f64,
    /// Minimum, quartiles and maximum.
    norm_quantiles: [f64; 5],
}

/// Reads a record of format 1; `None` for another format.
pub fn read(path: &Path, text: &str, format: u64) -> Option<Result<Results, RecordError>> {
    (format == 1).then(|| parse::<OldResults>(path, text).map(converted))
}

fn converted(old: OldResults) -> Results {
    let environment = Environment {
        backend: old.environment.backend,
        threads: old.environment.threads,
        platform: old.environment.platform,
        version: old.environment.cm_train,
        burn: old.environment.burn,
        commit: old.environment.commit,
    };
    let split = |name: &str, images| SplitRecord { name: name.to_owned(), images, checksum: None };
    let mut results = Results {
        format: RESULTS_FORMAT,
        application: APPLICATION.to_owned(),
        created: old.created,
        complete: old.complete,
        data: DataRecord {
            name: old.data.name,
            source: old.data.source,
            checksums: old.data.checksums,
            splits: vec![split("train", old.data.train_images), split("test", old.data.test_images)],
            left_out: Vec::new(),
            facts: evaluation::severity_facts(&old.data.train_severities),
        },
        config: old.config,
        layout: layout(),
        runs: old.runs.into_iter().map(|run| run_of(run, &environment)).collect(),
        comparisons: Vec::new(),
        pooled: None,
        wall_seconds: old.wall_seconds,
    };
    results.compare();
    results
}

fn run_of(old: OldRun, environment: &Environment) -> RunRecord {
    let mut measurements = Vec::new();
    for found in &old.severities {
        let stratum = format!("severity={}", found.severity);
        let [least, lower, median, upper, most] = found.norm_quantiles;
        let figures = [
            ("accuracy", found.accuracy),
            ("norm_mean", found.norm_mean),
            ("norm_std", found.norm_std),
            ("norm_min", least),
            ("norm_p25", lower),
            ("norm_p50", median),
            ("norm_p75", upper),
            ("norm_max", most),
        ];
        let figure = |(metric, value): (&str, f64)| Measurement::new(metric, &stratum, value, found.images);
        measurements.extend(figures.map(figure));
    }
    let accuracies: Vec<(f64, usize)> =
        old.severities.iter().filter(|s| s.severity > 0).map(|s| (s.accuracy, s.images)).collect();
    measurements.push(evaluation::low_quality(&accuracies));
    let images = old.severities.iter().map(|s| s.images).sum();
    measurements.push(Measurement::new("spearman_norm_severity", "", old.norm_quality_spearman, images));
    RunRecord {
        key: RunKey { loss: old.loss, feature_dim: old.feature_dim, seed: old.seed, fold: None },
        status: Status::Finished,
        environment: environment.clone(),
        epochs: old.epochs,
        measurements,
        train_seconds: old.train_seconds,
        images_per_second: old.images_per_second,
        features_file: Some(old.features_file),
        warnings: Vec::new(),
    }
}
