//! Reports made from a record, without any training.

use std::{fs, path::Path};

use cm_train::{
    experiment::{
        DataRecord, Environment, EpochRecord, ExperimentConfig, FeatureRow, Profile, RESULTS_FORMAT, Results,
        RunRecord, SeverityRecord,
    },
    report,
};

fn config() -> ExperimentConfig {
    Profile::Quick.config()
}

/// Two losses at the feature dimensions 64 and 2. CM-CosFace is ahead by two points at every severity.
fn fixture(config: ExperimentConfig, seeds: &[u64]) -> Results {
    let mut runs = Vec::new();
    for &seed in seeds {
        for feature_dim in [64, 2] {
            runs.push(run("Softmax", feature_dim, seed, 0.95));
            runs.push(run("CM-CosFace", feature_dim, seed, 0.97));
        }
    }
    Results {
        format: RESULTS_FORMAT,
        created: "2026-01-02T03:04:05Z".into(),
        complete: true,
        data: DataRecord {
            name: "synthetic digits".into(),
            source: "generated <by> \"this\" program & nothing else".into(),
            checksums: [("pixels".to_owned(), "md5 9e107d9d372bb6826bd81d3542a419d6".to_owned())].into(),
            train_images: 600,
            test_images: 40,
            train_severities: vec![200, 100, 100, 100, 100],
        },
        config,
        environment: Environment {
            backend: "flex".into(),
            threads: 2,
            platform: "linux x86_64".into(),
            cm_train: "0.1.0".into(),
            burn: "0.22.1".into(),
            commit: String::new(),
        },
        runs,
        wall_seconds: 75.0,
    }
}

fn run(loss: &str, feature_dim: usize, seed: u64, clean: f64) -> RunRecord {
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
    let severity = |severity: u8| SeverityRecord {
        severity,
        images: 40,
        accuracy: clean - 0.05 * f64::from(severity) + 0.001 * seed as f64,
        norm_mean: 10.0 - f64::from(severity),
        norm_std: 0.5,
        norm_quantiles: [8.0, 9.0, 10.0, 11.0, 12.0],
    };
    RunRecord {
        loss: loss.into(),
        feature_dim,
        seed,
        epochs: vec![epoch(1), epoch(2)],
        severities: (0..5).map(severity).collect(),
        norm_quality_spearman: Some(0.8),
        train_seconds: 12.5,
        images_per_second: 960.0,
        features_file: format!("features/{loss}-{feature_dim}-{seed}.csv"),
    }
}

fn rows(run: &RunRecord) -> Vec<FeatureRow> {
    let row = |index: usize, severity: u8| {
        let label = (index % 10) as u8;
        let norm = 10.0 - f32::from(severity) + 0.01 * index as f32;
        let (y, x) = (f32::from(label) * 0.628).sin_cos();
        let flat = if run.feature_dim == 2 { norm } else { 0.0 };
        FeatureRow { index, label, predicted: label, severity, norm, x: x * flat, y: y * flat }
    };
    (0..5).flat_map(|severity| (0..40).map(move |index| row(index, severity))).collect()
}

/// The report of a record, in a folder of its own, with its files by name.
fn written(results: &Results) -> (tempfile::TempDir, Vec<String>) {
    let dir = tempfile::tempdir().expect("temporary folder");
    let features: Vec<Vec<FeatureRow>> = results.runs.iter().map(rows).collect();
    let paths = report::write_report(dir.path(), results, &features).expect("a report");
    let name = |path: &Path| path.file_name().expect("a file").to_string_lossy().into_owned();
    let names = paths.iter().map(|path| name(path)).collect();
    (dir, names)
}

fn text(dir: &tempfile::TempDir, name: &str) -> String {
    fs::read_to_string(dir.path().join(name)).expect(name)
}

#[test]
fn the_csv_has_a_row_for_each_loss_dimension_seed_and_severity() {
    let (dir, _) = written(&fixture(config(), &[0, 1]));
    let csv = text(&dir, "results.csv");
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("data,loss,feature_dim,seed,severity,images,accuracy,norm_mean,norm_std"));
    assert_eq!(lines.next(), Some("synthetic digits,Softmax,64,0,0,40,0.95,10.0,0.5"));
    assert_eq!(csv.lines().count(), 1 + 2 * 2 * 2 * 5);
}

#[test]
fn every_picture_is_there_as_svg_and_as_png_that_is_not_blank() {
    let (dir, names) = written(&fixture(config(), &[0]));
    for figure in [
        "features",
        "accuracy-by-severity-64d",
        "accuracy-by-severity-2d",
        "norm-by-severity-64d",
        "norm-by-severity-2d",
        "learning-curves-64d",
        "learning-curves-2d",
    ] {
        assert!(names.contains(&format!("{figure}.svg")), "{names:?}");
        assert!(names.contains(&format!("{figure}.png")), "{names:?}");
        let bytes = fs::read(dir.path().join(format!("{figure}.png"))).expect("a picture");
        let pixels = tiny_skia::Pixmap::decode_png(&bytes).expect("a readable PNG");
        let svg = text(&dir, &format!("{figure}.svg"));
        assert!(svg.contains("@font-face{font-family:Roboto"), "{figure} needs a typeface of the machine");
        let width = svg.split("width=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a width");
        assert_eq!(pixels.width(), 2 * width.parse::<u32>().expect("a number of pixels"));
        let dark = pixels.pixels().iter().filter(|p| p.red() < 128 && p.alpha() == 255).count();
        assert!(dark > 1000, "{figure} has {dark} dark pixels");
        // The title is the only bold text of 17 pixels: without the typeface there would be nothing.
        let title = (0..80u32).flat_map(|y| (0..800u32).map(move |x| (x, y)));
        let ink = title.filter_map(|(x, y)| pixels.pixel(x, y)).filter(|p| p.red() < 100).count();
        assert!(ink > 200, "the title of {figure} has {ink} dark pixels");
    }
}

#[test]
fn every_picture_names_its_data_its_dimension_and_its_seeds() {
    let (dir, names) = written(&fixture(config(), &[0, 1, 2]));
    for name in names.iter().filter(|name| name.ends_with(".svg")) {
        let svg = text(&dir, name);
        assert!(svg.contains("synthetic digits · feature dimension"), "{name}");
        assert!(svg.contains("3 seeds"), "{name}");
    }
}

#[test]
fn nothing_names_other_data_than_the_record() {
    let results = fixture(config(), &[0]);
    let (dir, names) = written(&results);
    for name in names.iter().filter(|name| !name.ends_with(".png")) {
        assert!(!text(&dir, name).to_lowercase().contains("mnist"), "{name}");
    }
    assert!(!report::summary_table(&results).to_lowercase().contains("mnist"));
}

#[test]
fn the_page_links_to_nothing_outside() {
    let (dir, _) = written(&fixture(config(), &[0]));
    let page = text(&dir, "report.html").replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    assert!(!page.contains("http://") && !page.contains("https://"));
    assert!(!page.contains("<script") && !page.contains("<link") && !page.contains("<img"));
    assert_eq!(page.matches("<svg ").count(), 7);
}

#[test]
fn text_of_the_record_cannot_become_markup() {
    let mut results = fixture(config(), &[0]);
    results.data.name = "<script>alert(1)</script>".into();
    for run in &mut results.runs {
        run.loss = run.loss.replace("Softmax", "Soft<b>max");
    }
    let (dir, names) = written(&results);
    for name in names.iter().filter(|name| name.ends_with(".svg") || name.ends_with(".html")) {
        let text = text(&dir, name);
        assert!(!text.contains("<script>") && !text.contains("Soft<b>"), "{name}");
        assert!(text.contains("&lt;script&gt;"), "{name}");
    }
    let page = text(&dir, "report.html");
    assert!(page.contains("generated &lt;by&gt; &quot;this&quot; program &amp; nothing else"));
}

#[test]
fn one_seed_is_said_to_prove_nothing_and_several_are_counted() {
    let (dir, _) = written(&fixture(config(), &[0]));
    let page = text(&dir, "report.html");
    assert!(page.contains("One seed proves nothing"));
    assert!(
        page.contains("CM-CosFace was best with 97.00 %, 2.00 percentage points above Softmax (one seed)")
    );

    let (dir, _) = written(&fixture(config(), &[0, 1, 2]));
    let page = text(&dir, "report.html");
    assert!(!page.contains("One seed proves nothing"));
    assert!(page.contains("2.00 percentage points above Softmax (± 0.00; ahead in 3 of 3 seeds)"));
}

#[test]
fn missing_runs_are_said_to_be_missing() {
    let mut results = fixture(config(), &[0, 1]);
    results.complete = false;
    results.runs.retain(|run| run.loss == "Softmax" || (run.feature_dim == 64 && run.seed == 0));
    let (dir, _) = written(&results);
    assert!(text(&dir, "report.html").contains("This experiment is not complete"));
    let table = report::summary_table(&results);
    assert!(table.contains("Not complete"), "{table}");
    assert!(table.contains("1/2 seeds") && table.contains("(missing)"), "{table}");
}

#[test]
fn a_record_without_runs_still_makes_a_report() {
    let mut results = fixture(config(), &[0]);
    results.complete = false;
    results.runs.clear();
    let (dir, names) = written(&results);
    assert_eq!(names, ["results.csv", "report.html"]);
    assert!(text(&dir, "report.html").contains("There are no results yet."));
}

#[test]
fn a_single_run_that_diverged_still_makes_a_report() {
    let mut results = fixture(config(), &[0]);
    results.runs.truncate(1);
    results.runs[0].loss = "Some new loss".into();
    results.runs[0].norm_quality_spearman = None;
    results.runs[0].epochs[0].train_loss = f64::NAN;
    let dir = tempfile::tempdir().expect("temporary folder");
    let mut features = rows(&results.runs[0]);
    features.iter_mut().for_each(|row| row.norm = f32::NAN);
    report::write_report(dir.path(), &results, &[features]).expect("a report");
    assert!(text(&dir, "report.html").contains("No features are stored"));
}

#[test]
fn without_two_dimensional_features_the_page_says_so() {
    let mut results = fixture(config(), &[0]);
    results.runs.retain(|run| run.feature_dim == 64);
    let (dir, names) = written(&results);
    assert!(!names.contains(&"features.svg".to_owned()));
    assert!(text(&dir, "report.html").contains("there is no picture of the features"));
}

#[test]
fn the_terminal_table_fits_110_columns_and_marks_the_best() {
    for seeds in [&[0][..], &[0, 1, 2]] {
        let mut results = fixture(config(), seeds);
        results.data.train_images = 60_000;
        results
            .runs
            .iter_mut()
            .for_each(|run| (run.train_seconds, run.images_per_second) = (12_345.6, 123_456.0));
        let table = report::summary_table(&results);
        let widest = table.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(widest <= 110, "{widest} columns\n{table}");
        assert!(table.contains("97.00*") || table.contains("97.10*"), "{table}");
        assert!(
            table.starts_with("synthetic digits · feature dimensions 64, 2 · trained on 60\u{a0}000 images")
        );
    }
}

#[test]
fn a_report_is_rebuilt_from_its_files_alone() {
    let results = fixture(config(), &[0]);
    let dir = tempfile::tempdir().expect("temporary folder");
    report::write_results(dir.path(), &results).expect("written");
    for run in &results.runs {
        report::write_features(&dir.path().join(&run.features_file), &rows(run)).expect("written");
    }
    let (loaded, features) = report::load(dir.path()).expect("read");
    assert_eq!(features, results.runs.iter().map(rows).collect::<Vec<_>>());
    let paths = report::write_report(dir.path(), &loaded, &features).expect("a report");
    let read = || paths.iter().map(|path| fs::read(path).expect("a file")).collect::<Vec<_>>();
    let before = read();
    paths.iter().for_each(|path| fs::remove_file(path).expect("removed"));
    assert_eq!(report::rebuild(dir.path()).expect("a report"), paths);
    assert!(read() == before, "the report made again differs");
}

#[test]
fn an_unusable_folder_is_explained_by_file_and_line() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let message = |dir: &Path| report::rebuild(dir).expect_err("unusable").to_string();
    assert!(message(dir.path()).contains("there is no"), "{}", message(dir.path()));

    fs::write(dir.path().join("results.json"), "{\"format\": 1,").expect("file");
    assert!(message(dir.path()).contains("results.json is not a results record"), "{}", message(dir.path()));

    let mut results = fixture(config(), &[0]);
    results.runs.truncate(1);
    report::write_results(dir.path(), &results).expect("written");
    assert!(message(dir.path()).contains("run that training again"), "{}", message(dir.path()));

    let path = dir.path().join(&results.runs[0].features_file);
    report::write_features(&path, &rows(&results.runs[0])).expect("written");
    let broken = fs::read_to_string(&path).expect("text").replacen("\n3,3,3,0,", "\n3,three,3,0,", 1);
    fs::write(&path, broken).expect("file");
    let message = message(dir.path());
    assert!(message.contains("Softmax-64-0.csv, line 5: column label"), "{message}");
}

#[test]
fn many_losses_have_a_row_each_the_best_on_top_and_a_legend_that_stays_in_the_picture() {
    let mut results = fixture(config(), &[0, 1]);
    let losses = cm_loss_core::Preset::ALL;
    results.config.losses = losses.to_vec();
    // Each a little better than the one before it.
    let runs = losses
        .iter()
        .enumerate()
        .flat_map(|(i, loss)| [0, 1].map(|seed| run(loss.name(), 64, seed, 0.9 + 0.002 * i as f64)));
    results.runs = runs.collect();
    let (dir, _) = written(&results);
    let accuracy = text(&dir, "accuracy-by-severity-64d.svg");
    let place = |loss: &str| {
        // A name is the text of an element: "\nArcFace\n" is not in "CM-ArcFace".
        let found = accuracy.find(&format!("\n{loss}\n"));
        found.unwrap_or_else(|| panic!("{loss} is not in the picture"))
    };
    for pair in losses.windows(2) {
        assert!(place(pair[1].name()) < place(pair[0].name()), "{} is better than {}", pair[1], pair[0]);
    }
    let curves = text(&dir, "learning-curves-64d.svg");
    assert!(losses.iter().all(|loss| curves.contains(&format!("\n{loss}\n"))));
    let number = |tag: &str, name: &str| -> Option<f64> {
        tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.parse().ok()
    };
    let sheet = curves.lines().next().unwrap();
    let view = sheet.split("viewBox=\"0 0 ").nth(1).unwrap().split('"').next().unwrap();
    let (width, height) = view.split_once(' ').unwrap();
    let (width, height): (f64, f64) = (width.parse().unwrap(), height.parse().unwrap());
    for tag in curves.lines().filter(|line| line.starts_with("<text")) {
        let (x, y) = (number(tag, "x").unwrap(), number(tag, "y").unwrap());
        assert!((0.0..width).contains(&x) && (0.0..height).contains(&y), "{tag} lies outside the picture");
    }
}
