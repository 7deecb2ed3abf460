//! The tables on the terminal and in `results.csv`.

use cm_record::{Measurement, Status};
use cm_report::summary_table;

use crate::fixtures::{self, column, digits, digits_run, signs, text, written};

#[test]
fn the_csv_has_a_row_for_each_run_metric_and_stratum() {
    let results = digits(&[0, 1]);
    let (dir, _) = written(&results);
    let csv = text(&dir, "results.csv");
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("data,loss,feature_dim,seed,fold,metric,stratum,value,count"));
    assert_eq!(lines.next(), Some("synthetic digits,Softmax,64,0,,accuracy,severity=0,0.95,40"));
    let measured: usize = results.runs.iter().map(|run| run.measurements.len()).sum();
    assert_eq!(csv.lines().count(), 1 + measured);
}

#[test]
fn the_terminal_table_fits_110_columns_and_marks_the_best() {
    for seeds in [&[0][..], &[0, 1, 2]] {
        let mut results = digits(seeds);
        results.data.splits[0].images = 60_000;
        for run in &mut results.runs {
            (run.train_seconds, run.images_per_second) = (12_345.6, 123_456.0);
        }
        let table = summary_table(&results);
        let widest = table.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(widest <= 110, "{widest} columns\n{table}");
        assert!(table.contains("97.00*") || table.contains("97.20*"), "{table}");
        let heading = "synthetic digits · feature dimensions 64, 2 · images: train 60\u{a0}000, test 40\n";
        assert!(table.starts_with(heading), "{table}");
        assert_eq!(table.matches("│ Loss ").count(), 2, "a table was broken\n{table}");
    }
}

#[test]
fn a_table_with_more_columns_than_a_terminal_goes_on_below() {
    let mut results = signs(&[0, 1]);
    for i in 0..12 {
        results.layout.columns.push(column("accuracy", "", &format!("again {i}"), true));
    }
    let table = summary_table(&results);
    let widest = table.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(widest <= 110, "{widest} columns\n{table}");
    for i in 0..12 {
        assert_eq!(table.matches(&format!(" again {i}\u{a0}")).count(), 2, "{table}");
    }
}

#[test]
fn there_is_one_table_for_each_dimension_and_stratification() {
    let table = summary_table(&signs(&[0]));
    assert!(table.contains("Feature dimension 2, 1 seed: accuracy in percent by resolution of the sign"));
    assert!(table.contains("Feature dimension 2, 1 seed: accuracy in percent by contrast"));
    for label in ["15–24", "80–250", "34.1–58.7", "all", "contrast)"] {
        assert!(table.contains(label), "{label}\n{table}");
    }
    let table = summary_table(&digits(&[0]));
    assert_eq!(table.matches("by severity of the degradation").count(), 2);

    let mut without = signs(&[0]);
    without.layout.stratifications.clear();
    let table = summary_table(&without);
    assert!(table.contains("Feature dimension 2, 1 seed\n") && table.contains("84.00"), "{table}");
}

#[test]
fn a_level_that_nobody_measured_has_no_column() {
    let mut results = signs(&[0]);
    for run in &mut results.runs {
        run.measurements.retain(|found| found.stratum != "resolution=25–34");
    }
    let table = summary_table(&results);
    assert!(!table.contains("25–34") && table.contains("35–49"), "{table}");
}

#[test]
fn the_notes_of_the_layout_stand_under_the_tables() {
    let results = digits(&[0]);
    assert!(summary_table(&results).contains("ρ: Spearman correlation of feature norm and image quality.\n"));
    let (dir, _) = written(&results);
    let page = text(&dir, "report.html");
    assert!(page.contains("<li>ρ: Spearman correlation of feature norm and image quality.</li>"));
    assert!(page.contains("The best value of a column is bold, except times."));
}

#[test]
fn nothing_is_shown_as_minus_zero() {
    let mut results = signs(&[0, 1]);
    for run in &mut results.runs {
        for found in &mut run.measurements {
            if found.metric == "spearman_norm_contrast" {
                found.value = Some(-0.0001);
            }
        }
    }
    // CosFace is level with Softmax, but for rounding.
    let softmax: Vec<Vec<Measurement>> =
        results.runs.iter().step_by(3).map(|run| run.measurements.clone()).collect();
    for (seed, measurements) in softmax.into_iter().enumerate() {
        let run = &mut results.runs[3 * seed + 1];
        run.measurements = measurements;
        run.measurements.iter_mut().for_each(|found| found.value = found.value.map(|value| value - 1e-9));
    }
    results.compare();
    let (dir, names) = written(&results);
    let svgs = names.iter().filter(|name| name.ends_with(".svg")).map(|name| text(&dir, name));
    for shown in svgs.chain([summary_table(&results), text(&dir, "report.html")]) {
        let is_number = |letter: char| letter.is_ascii_digit() || matches!(letter, '.' | '−');
        let minus_zero = shown.split(|letter| !is_number(letter)).find(|number| {
            number.starts_with('−')
                && number.len() > '−'.len_utf8()
                && !number.contains(|l| ('1'..='9').contains(&l))
        });
        assert_eq!(minus_zero, None, "{shown}");
    }
    let table = summary_table(&results);
    assert!(table.contains("│ CosFace − Softmax   ┆  0.00\u{a0} ┆             – ┆"), "{table}");
}

#[test]
fn runs_that_are_missing_or_diverged_are_named_in_the_row() {
    let mut results = digits(&[0, 1, 2]);
    results.complete = false;
    let diverged = |results: &mut cm_record::Results, index: usize| {
        let run = &mut results.runs[index];
        run.status = Status::Diverged { epoch: 2, step: 17, reason: "the loss is NaN".to_owned() };
        run.measurements.clear();
    };
    // Of CosFace in 64 dimensions one run diverged and one is missing, of Softmax in two
    // dimensions all diverged.
    for i in [1, 2, 6, 10] {
        diverged(&mut results, i);
    }
    results.runs.remove(5);
    let table = summary_table(&results);
    for expected in ["Not complete: runs are missing.", "(1/3 seeds,", "1 diverged)", "(3 diverged)"] {
        assert!(table.contains(expected), "{expected}\n{table}");
    }
    assert_eq!(table.matches("epoch 2, step 17: the loss is NaN").count(), 4, "{table}");
    let (dir, _) = written(&results);
    let page = text(&dir, "report.html");
    assert!(page.contains("<small>1/3 seeds, 1 diverged</small>"), "{page}");
    assert!(page.contains("<li>CM-CosFace 64-d seed 0: epoch 2, step 17: the loss is NaN</li>"));

    results.runs.retain(|run| run.key.loss == "Softmax" || run.key.feature_dim == 64);
    assert!(summary_table(&results).contains("(missing)"));
}

#[test]
fn folds_are_counted_with_the_seeds() {
    let mut results = digits(&[0, 1]);
    let runs = std::mem::take(&mut results.runs);
    for run in runs.into_iter().filter(|run| run.key.feature_dim == 64) {
        for fold in 0..5 {
            let mut of_fold = run.clone();
            of_fold.key.fold = Some(fold);
            // The folds are of different sizes, and differently hard.
            for found in &mut of_fold.measurements {
                found.count += fold;
                found.value = found.value.map(|value| value - 0.01 * fold as f64);
            }
            results.runs.push(of_fold);
        }
    }
    results.runs.pop();
    results.compare();
    let table = summary_table(&results);
    assert!(table.contains("Feature dimension 64, 2 seeds, 5 folds"), "{table}");
    assert!(table.contains("(9/10 runs)"), "{table}");
    assert!(table.contains("┆     9 │"), "there are nine pairs\n{table}");
    let (dir, _) = written(&results);
    let page = text(&dir, "report.html");
    // numpy: the mean of five times 2.0 and four times 2.1 is 2.044, and std(ddof=1) is 0.053.
    let difference = "2.04 percentage points above Softmax (± 0.05; ahead in 9 of 9 runs)";
    assert!(page.contains(difference) && page.contains("<td>40–44</td>"), "{page}");
    assert!(page.contains("means over the seeds and folds"));
}

#[test]
fn an_error_is_best_where_it_is_least() {
    let mut results = digits(&[0]);
    results.runs.retain(|run| run.key.feature_dim == 64);
    results.layout.columns.push(column("ece", "", "ECE", true));
    for (run, error) in results.runs.iter_mut().zip([0.021, 0.035]) {
        run.measurements.push(Measurement::new("ece", "", error, 200));
    }
    let table = summary_table(&results);
    assert!(table.contains("2.10*") && !table.contains("3.50*"), "{table}");
}

/// Differences of 2.0, 2.1 and 2.2 points: with `scipy.stats`, `t.interval(0.95, 2, 2.1, 0.1 /
/// sqrt(3))` is (1.8516, 2.3484), and `ttest_1samp([2.0, 2.1, 2.2], 0).pvalue` is 0.000755.
#[test]
fn differences_have_an_interval_and_a_corrected_p_value() {
    let results = digits(&[0, 1, 2]);
    let table = summary_table(&results);
    assert!(
        table.contains("│ CM-CosFace − Softmax ┆ +2.10* ┆ +1.85 to +2.35 ┆          0.001 ┆     3 │"),
        "{table}"
    );
    assert!(table.contains("p (Holm, of 1)"));
    let (dir, _) = written(&results);
    let page = text(&dir, "report.html");
    let row = "<th scope=\"row\">CM-CosFace − Softmax</th><td><strong>+2.10</strong></td><td>+1.85 to +2.35</td>\
               <td>0.001</td><td>3</td>";
    assert!(page.contains(row), "{page}");
    assert!(page.contains(
        "Feature dimension 64, on untouched images (severity 0): differences in percentage points"
    ));
}

#[test]
fn a_difference_that_may_be_chance_is_not_marked() {
    let mut results = digits(&[]);
    for (seed, clean) in [0.96, 0.93, 0.97].into_iter().enumerate() {
        results.runs.push(digits_run("Softmax", 64, seed as u64, 0.95));
        results.runs.push(digits_run("CosFace", 64, seed as u64, clean));
    }
    results.compare();
    assert!(
        !results.comparisons.is_empty() && results.comparisons.iter().all(|found| !found.is_significant())
    );
    let table = summary_table(&results);
    assert!(table.contains("│ CosFace − Softmax ┆ +0.33\u{a0} ┆"), "{table}");
}

#[test]
fn with_one_seed_or_one_loss_nothing_is_compared() {
    let mut results = digits(&[0]);
    let (dir, _) = written(&results);
    for shown in [summary_table(&results), text(&dir, "report.html")] {
        let shown = shown.replace('\n', " ");
        assert!(shown.contains("Differences over the seeds"));
        assert!(shown.contains("Nothing can be compared: no two losses were trained"), "{shown}");
        assert!(!shown.contains("+2.00 to"));
    }
    results.runs.retain(|run| run.key.loss == "Softmax");
    results.compare();
    assert!(summary_table(&results).contains("There is one loss, and nothing to compare it with."));
}

#[test]
fn a_headline_that_is_no_share_is_not_said_in_percent() {
    let mut results = signs(&[0, 1]);
    let headline = fixtures::headline("", "on all test images");
    let metric = "spearman_norm_resolution".to_owned();
    results.layout.headlines = vec![cm_record::Headline { metric, ..headline }];
    results.compare();
    let (dir, _) = written(&results);
    let page = text(&dir, "report.html");
    let sentence =
        "On all test images CosFace was best with 0.700 of spearman norm resolution, 0.400 above Softmax";
    assert!(page.contains(sentence), "{page}");
    assert!(page.contains("spearman norm resolution on all test images: differences<"), "{page}");
    // The same with both seeds: nothing is known of the spread.
    assert!(page.contains("<td>+0.400</td><td>–</td>"));
}
