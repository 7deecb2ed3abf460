//! Two studies: one of digits, whose quality was set, and one of signs, whose quality came with
//! the data.

use std::{fs, path::Path};

use cm_record::{
    Column, DataRecord, Environment, EpochRecord, FeatureRow, FeatureTable, Headline, Layout, LeftOut, Level,
    Measurement, RESULTS_FORMAT, Results, RunKey, RunRecord, SplitRecord, Status, Stratification,
};

/// Two losses at the feature dimensions 64 and 2, with the severities 0 to 4. CM-CosFace is ahead
/// by two points at every severity, and by a tenth of a point more with every seed.
pub fn digits(seeds: &[u64]) -> Results {
    let mut runs = Vec::new();
    for &seed in seeds {
        for feature_dim in [64, 2] {
            runs.push(digits_run("Softmax", feature_dim, seed, 0.95));
            runs.push(digits_run("CM-CosFace", feature_dim, seed, 0.97 + 0.001 * seed as f64));
        }
    }
    let data = data("synthetic digits", "generated <by> \"this\" program & nothing else", 600, 40);
    study("digits", data, digits_layout(), runs)
}

pub fn digits_layout() -> Layout {
    let level = |severity: usize| Level {
        name: severity.to_string(),
        label: if severity == 0 { "clean\n(0)".to_owned() } else { format!("severity\n{severity}") },
    };
    layout(
        [
            headline("severity=0", "on untouched images (severity 0)"),
            headline("severity=1-4", "on degraded images (mean over the severities above 0)"),
        ],
        vec![Stratification {
            name: "severity".to_owned(),
            title: "severity of the degradation".to_owned(),
            axis: "severity (0: untouched)".to_owned(),
            levels: (0..5).map(level).collect(),
        }],
        vec![
            column("accuracy", "severity=1-4", "mean\n1–4", true),
            column("spearman_norm_severity", "", "ρ (norm,\nquality)", false),
        ],
        "ρ: Spearman correlation of feature norm and image quality.",
    )
}

fn layout(
    headlines: [Headline; 2],
    stratifications: Vec<Stratification>,
    columns: Vec<Column>,
    note: &str,
) -> Layout {
    Layout {
        baseline: "Softmax".to_owned(),
        headlines: headlines.into(),
        stratifications,
        columns,
        notes: vec![note.to_owned()],
        pairs: Vec::new(),
    }
}

/// A run whose accuracy falls by five points with each severity from `clean` on.
pub fn digits_run(loss: &str, feature_dim: usize, seed: u64, clean: f64) -> RunRecord {
    let mut measurements = Vec::new();
    let accuracy = |severity: usize| clean - 0.05 * severity as f64 + 0.001 * seed as f64;
    for severity in 0..5 {
        let stratum = format!("severity={severity}");
        measurements.push(Measurement::new("accuracy", &stratum, accuracy(severity), 40));
        measurements.extend(norms(&stratum, 10.0 - 2.0 * severity as f64, 40));
    }
    let degraded = (1..5).map(accuracy).sum::<f64>() / 4.0;
    measurements.push(Measurement::new("accuracy", "severity=1-4", degraded, 160));
    measurements.push(Measurement::new("spearman_norm_severity", "", 0.8, 200));
    measurements.push(Measurement::new("spearman_norm_severity_within", "", 0.75, 200));
    run(loss, feature_dim, seed, clean, measurements)
}

/// Three losses at the feature dimension 2, 43 classes, by resolution and by contrast. The norm of
/// CosFace follows the resolution best, that of Softmax the contrast.
pub fn signs(seeds: &[u64]) -> Results {
    let mut runs = Vec::new();
    for &seed in seeds {
        for (i, loss) in ["Softmax", "CosFace", "Sign-Loss"].into_iter().enumerate() {
            runs.push(signs_run(loss, i, seed));
        }
    }
    let mut data = data("traffic signs", "a folder", 1234, 800);
    data.left_out = vec![
        LeftOut { file: "train/00012.png".to_owned(), reason: "it is <empty>".to_owned() },
        LeftOut { file: "test/7.png".to_owned(), reason: "it ends early".to_owned() },
    ];
    data.facts = vec![("classes".to_owned(), "43".to_owned())];
    study("signs", data, signs_layout(), runs)
}

const RESOLUTIONS: [&str; 5] = ["15–24", "25–34", "35–49", "50–79", "80–250"];
const CONTRASTS: [&str; 4] = ["0–19.5", "19.5–34.1", "34.1–58.7", "58.7–128"];

pub fn signs_layout() -> Layout {
    let strata = |name: &str, title: &str, axis: &str, labels: &[&str]| Stratification {
        name: name.to_owned(),
        title: title.to_owned(),
        axis: axis.to_owned(),
        levels: labels
            .iter()
            .map(|label| Level { name: (*label).to_owned(), label: (*label).to_owned() })
            .collect(),
    };
    layout(
        [
            headline("", "on all test images"),
            headline("resolution=15–24", "on the test images of the lowest resolution (15–24)"),
        ],
        vec![
            strata("resolution", "resolution of the sign", "height or width seen (pixels)", &RESOLUTIONS),
            strata("contrast", "contrast", "standard deviation of the gray levels", &CONTRASTS),
        ],
        vec![
            column("accuracy", "", "all", true),
            column("spearman_norm_resolution", "", "ρ (norm,\nresolution)", false),
            column("spearman_norm_contrast", "", "ρ (norm,\ncontrast)", false),
        ],
        "Accuracy on the test images in percent, by quarters of them.",
    )
}

fn signs_run(loss: &str, position: usize, seed: u64) -> RunRecord {
    let mut measurements = Vec::new();
    let wobble = 0.004 * ((seed * 7 + position as u64 * 3) % 5) as f64;
    let top = 0.90 + 0.02 * position as f64 + wobble;
    for (name, labels) in [("resolution", &RESOLUTIONS[..]), ("contrast", &CONTRASTS[..])] {
        for (i, label) in labels.iter().enumerate() {
            let stratum = format!("{name}={label}");
            let images = 100 + 10 * i;
            let below = 0.03 * (labels.len() - 1 - i) as f64;
            measurements.push(Measurement::new("accuracy", &stratum, top - below, images));
            measurements.extend(norms(&stratum, 4.0 + i as f64, images));
        }
    }
    measurements.push(Measurement::new("accuracy", "", top - 0.06, 800));
    let resolution = [0.3, 0.7, -0.001][position];
    measurements.push(Measurement::new("spearman_norm_resolution", "", resolution, 800));
    measurements.push(Measurement::new("spearman_norm_contrast", "", 0.5 - 0.1 * position as f64, 800));
    run(loss, 2, seed, top, measurements)
}

/// Percentiles of the norm around a median, as an evaluation writes them.
fn norms(stratum: &str, median: f64, images: usize) -> Vec<Measurement> {
    let percentiles =
        [("norm_p5", 0.6), ("norm_p25", 0.8), ("norm_p50", 1.0), ("norm_p75", 1.2), ("norm_p95", 1.5)];
    let figure = |(metric, factor): (&str, f64)| Measurement::new(metric, stratum, median * factor, images);
    percentiles.map(figure).into()
}

fn run(loss: &str, feature_dim: usize, seed: u64, top: f64, measurements: Vec<Measurement>) -> RunRecord {
    let epoch = |epoch: usize| EpochRecord {
        epoch,
        train_loss: 2.0 / epoch as f64,
        train_accuracy: top - 0.1 / epoch as f64,
        valid_loss: 1.0 / epoch as f64,
        valid_accuracy: top - 0.05 / epoch as f64,
        norm_mean: 10.0,
        learning_rate: 0.01,
        seconds: 1.5,
    };
    let key = RunKey { loss: loss.to_owned(), feature_dim, seed, fold: None };
    RunRecord {
        features_file: Some(format!("features/{}.csv", key.slug())),
        key,
        status: Status::Finished,
        environment: environment(),
        epochs: (1..4).map(epoch).collect(),
        measurements,
        train_seconds: 12.5,
        images_per_second: 960.0,
        warnings: Vec::new(),
    }
}

fn study(application: &str, data: DataRecord, layout: Layout, runs: Vec<RunRecord>) -> Results {
    let mut results = Results {
        format: RESULTS_FORMAT,
        application: application.to_owned(),
        created: "2026-01-02T03:04:05Z".to_owned(),
        complete: true,
        data,
        config: serde_json::json!({"training": {"epochs": 3, "batch": 64}, "losses": ["Softmax", "CosFace"]}),
        layout,
        runs,
        comparisons: Vec::new(),
        pooled: None,
        wall_seconds: 75.0,
    };
    results.compare();
    results
}

fn data(name: &str, source: &str, train: usize, test: usize) -> DataRecord {
    let split = |name: &str, images| SplitRecord { name: name.to_owned(), images, checksum: None };
    DataRecord {
        name: name.to_owned(),
        source: source.to_owned(),
        checksums: [("pixels".to_owned(), "md5:9e107d9d372bb6826bd81d3542a419d6".to_owned())].into(),
        splits: vec![split("train", train), split("test", test)],
        left_out: Vec::new(),
        facts: Vec::new(),
    }
}

pub fn environment() -> Environment {
    Environment {
        backend: "flex".to_owned(),
        threads: 2,
        platform: "linux-x86_64".to_owned(),
        version: "0.1.0".to_owned(),
        burn: "0.22.1".to_owned(),
        commit: String::new(),
    }
}

pub fn headline(stratum: &str, phrase: &str) -> Headline {
    Headline::new("accuracy", stratum, phrase)
}

pub fn column(metric: &str, stratum: &str, heading: &str, percent: bool) -> Column {
    Column { percent, ..Column::number(metric, stratum, heading) }
}

/// The features of a run: rays from the origin, one for each class, the longer the better the
/// image. All images of the first level are recognized, and nine of ten others.
pub fn features(results: &Results, run: &RunRecord) -> FeatureTable {
    let strata = &results.layout.stratifications;
    let classes = if results.application == "signs" { 43 } else { 10 };
    let mut rows = Vec::new();
    for (quality, level) in strata[0].levels.iter().enumerate() {
        for i in 0..120usize {
            let label = (i * 7 + quality) % classes;
            let norm = 10.0 - quality as f32 + 0.01 * i as f32;
            let (y, x) = (label as f32 / classes as f32 * std::f32::consts::TAU).sin_cos();
            let flat = if run.key.feature_dim == 2 { norm } else { 0.0 };
            let others = strata[1..].iter().map(|other| other.levels[i % other.levels.len()].name.clone());
            rows.push(FeatureRow {
                index: i,
                label: label as u32,
                predicted: if quality > 0 && i % 10 == 0 { (label + 1) % classes } else { label } as u32,
                confidence: 0.9,
                norm,
                point: Some([x * flat, y * flat]),
                logit: None,
                levels: std::iter::once(level.name.clone()).chain(others).collect(),
            });
        }
    }
    FeatureTable { stratifications: strata.iter().map(|strata| strata.name.clone()).collect(), rows }
}

pub fn all_features(results: &Results) -> Vec<Option<FeatureTable>> {
    results.runs.iter().map(|run| Some(features(results, run))).collect()
}

/// The report of a record, in a folder of its own, with its files by name.
pub fn written(results: &Results) -> (tempfile::TempDir, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let paths = cm_report::write_report(dir.path(), results, &all_features(results), &[]).unwrap();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let names = paths.iter().map(|path| name(path)).collect();
    (dir, names)
}

pub fn text(dir: &tempfile::TempDir, name: &str) -> String {
    fs::read_to_string(dir.path().join(name)).expect(name)
}
