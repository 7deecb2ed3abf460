//! Records of studies that nobody made.

use std::{fs, path::Path};

use cm_record::{
    Column, DataRecord, Environment, EpochRecord, FeatureRow, FeatureTable, Headline, Layout, Level,
    Measurement, RESULTS_FORMAT, Results, RunKey, RunRecord, SplitRecord, Status, Stratification,
};
use serde_json::json;

pub fn level(name: &str, label: &str) -> Level {
    Level { name: name.to_owned(), label: label.to_owned() }
}

fn headline(stratum: &str, phrase: &str) -> Headline {
    Headline { metric: "accuracy".to_owned(), stratum: stratum.to_owned(), phrase: phrase.to_owned() }
}

fn column(metric: &str, stratum: &str, heading: &str, percent: bool) -> Column {
    let [metric, stratum, heading] = [metric, stratum, heading].map(str::to_owned);
    Column { metric, stratum, heading, percent }
}

/// As digits have it: one way of dividing the images, by numbers.
pub fn by_severity() -> Layout {
    let levels = (0..5)
        .map(|s| level(&s.to_string(), &if s == 0 { "clean\n(0)".into() } else { format!("sev.\n{s}") }));
    Layout {
        baseline: "Softmax".to_owned(),
        pairs: vec![("CM-CosFace".to_owned(), "CosFace".to_owned())],
        headlines: vec![
            headline("severity=0", "on untouched images (severity 0)"),
            headline("severity=1-4", "on degraded images"),
        ],
        stratifications: vec![Stratification {
            name: "severity".to_owned(),
            title: "severity of the degradation".to_owned(),
            axis: "severity (0: untouched)".to_owned(),
            levels: levels.collect(),
        }],
        columns: vec![
            column("accuracy", "severity=1-4", "mean\n1–4", true),
            column("spearman_norm_severity", "", "ρ (norm,\nquality)", false),
        ],
        notes: vec!["Accuracy on the test images in percent.".to_owned()],
    }
}

/// As signs have it: two ways, by ranges.
pub fn by_two() -> Layout {
    let strata = |name: &str, levels: &[&str]| Stratification {
        name: name.to_owned(),
        title: name.to_owned(),
        axis: format!("{name} (unit)"),
        levels: levels.iter().map(|name| level(name, name)).collect(),
    };
    Layout {
        baseline: "Softmax".to_owned(),
        headlines: vec![headline("", "on all test images")],
        stratifications: vec![
            strata("resolution", &["25–33", "34–41", "42–55", "56–225"]),
            strata("contrast", &["4.2–21.7", "21.8–40.0", "40.1–90.5"]),
        ],
        columns: vec![column("accuracy", "", "all", true)],
        ..Layout::default()
    }
}

/// Two losses at the feature dimensions 64 and 2. CM-CosFace is ahead by two points everywhere.
pub fn fixture(layout: Layout, seeds: &[u64]) -> Results {
    let mut runs = Vec::new();
    for feature_dim in [64, 2] {
        for &seed in seeds {
            runs.push(run(&layout, "Softmax", feature_dim, seed, 0.95));
            runs.push(run(&layout, "CM-CosFace", feature_dim, seed, 0.97));
        }
    }
    let split = |name: &str, images| SplitRecord { name: name.to_owned(), images, checksum: None };
    let mut results = Results {
        format: RESULTS_FORMAT,
        application: "digits".into(),
        created: "2026-01-02T03:04:05Z".into(),
        complete: true,
        data: DataRecord {
            name: "synthetic digits".into(),
            source: "generated <by> \"this\" program & nothing else".into(),
            checksums: [("pixels".to_owned(), "md5 9e107d9d372bb6826bd81d3542a419d6".to_owned())].into(),
            splits: vec![split("train", 600), split("test", 40)],
            left_out: Vec::new(),
            facts: vec![("training images of severity 0".to_owned(), "540".to_owned())],
        },
        config: json!({"recipe": {"epochs": 2}, "seeds": seeds, "nothing": null}),
        layout,
        runs,
        comparisons: Vec::new(),
        wall_seconds: 75.0,
    };
    results.compare();
    results
}

pub fn run(layout: &Layout, loss: &str, feature_dim: usize, seed: u64, clean: f64) -> RunRecord {
    let epoch = |epoch: usize| EpochRecord {
        epoch,
        train_loss: 2.0 / epoch as f64,
        train_accuracy: clean - 0.1 / epoch as f64,
        valid_loss: 1.0 / epoch as f64,
        valid_accuracy: clean - 0.05 / epoch as f64,
        norm_mean: 10.0,
        learning_rate: 0.01,
        seconds: 1.5,
    };
    // What a seed does to a loss is a little different for each, or a test would be certain.
    let own = 0.001 * seed as f64 + 0.0002 * ((seed * 7 + loss.len() as u64) % 5) as f64;
    let mut measurements = vec![
        Measurement::new("accuracy", "", clean + own, 40),
        Measurement::new("accuracy", "severity=1-4", clean - 0.1 + own, 160),
        Measurement::new("spearman_norm_severity", "", 0.8, 200),
    ];
    for strata in &layout.stratifications {
        for (i, level) in strata.levels.iter().enumerate() {
            let (stratum, worse) = (strata.stratum(level), i as f64);
            let mut figure = |metric: &str, value: f64| {
                measurements.push(Measurement::new(metric, &stratum, value, 40));
            };
            figure("accuracy", clean - 0.05 * worse + own);
            for (metric, norm) in [
                ("norm_p5", 6.0),
                ("norm_p25", 8.0),
                ("norm_p50", 10.0),
                ("norm_p75", 12.0),
                ("norm_p95", 14.0),
            ] {
                figure(metric, norm - worse);
            }
        }
    }
    let key = RunKey { loss: loss.into(), feature_dim, seed, fold: None };
    RunRecord {
        features_file: Some(format!("features/{}.csv", key.slug())),
        key,
        status: Status::Finished,
        environment: Environment {
            backend: "flex".into(),
            threads: 2,
            platform: "linux-x86_64".into(),
            version: "0.1.0".into(),
            burn: "0.22.1".into(),
            commit: String::new(),
        },
        epochs: vec![epoch(1), epoch(2)],
        measurements,
        train_seconds: 12.5,
        images_per_second: 960.0,
        warnings: Vec::new(),
    }
}

/// Features of a run, of images at each level of the first stratification.
pub fn features(results: &Results, run: &RunRecord) -> FeatureTable {
    let strata = &results.layout.stratifications[0];
    let row = |index: usize, position: usize| {
        let label = (index % 10) as u32;
        let norm = 10.0 - position as f32 + 0.01 * index as f32;
        let (y, x) = (label as f32 * 0.628).sin_cos();
        let flat = if run.key.feature_dim == 2 { norm } else { 0.0 };
        FeatureRow {
            index,
            label,
            predicted: label,
            confidence: 0.9,
            norm,
            x: x * flat,
            y: y * flat,
            levels: vec![strata.levels[position].name.clone()],
        }
    };
    let rows = (0..strata.levels.len()).flat_map(|position| (0..40).map(move |index| (index, position)));
    FeatureTable {
        stratifications: vec![strata.name.clone()],
        rows: rows.map(|(index, position)| row(index, position)).collect(),
    }
}

/// The report of a record, in a folder of its own, with its files by name.
pub fn written(results: &Results) -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    for run in &results.runs {
        if let Some(file) = &run.features_file {
            features(results, run).write(&folder.path().join(file)).unwrap();
        }
    }
    let paths = cm_report::write_report(folder.path(), results, &[]).unwrap();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let names = paths.iter().map(|path| name(path)).collect();
    (folder, names)
}

pub fn text(folder: &tempfile::TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}
