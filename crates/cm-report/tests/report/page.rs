//! The page and the other files.

use std::fs;

use cm_record::{LeftOut, Status};
use cm_report::{ReportError, write_report};

use crate::fixture::{by_severity, by_two, features, fixture, text, written};

#[test]
fn the_csv_has_a_row_for_each_run_metric_and_stratum() {
    let results = fixture(by_severity(), &[0, 1]);
    let (folder, _) = written(&results);
    let csv = text(&folder, "results.csv");
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("data,loss,feature_dim,seed,fold,metric,stratum,value,count"));
    assert!(csv.contains("synthetic digits,Softmax,64,0,,accuracy,severity=2,"), "{csv}");
    let rows: usize = results.runs.iter().map(|run| run.measurements.len()).sum();
    assert_eq!(csv.lines().count(), 1 + rows);
}

#[test]
fn the_page_links_to_nothing_outside() {
    let (folder, names) = written(&fixture(by_two(), &[0, 1]));
    let page = text(&folder, "report.html").replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    assert!(!page.contains("http://") && !page.contains("https://"));
    assert!(!page.contains("<script") && !page.contains("<link") && !page.contains("<img"));
    let pictures = names.iter().filter(|name| name.ends_with(".svg")).count();
    assert_eq!(page.matches("<svg ").count(), pictures);
}

#[test]
fn text_of_the_record_cannot_become_markup() {
    let mut results = fixture(by_severity(), &[0]);
    results.data.name = "<script>alert(1)</script>".into();
    for run in &mut results.runs {
        run.key.loss = run.key.loss.replace("Softmax", "Soft<b>max");
    }
    let (folder, names) = written(&results);
    for name in names.iter().filter(|name| name.ends_with(".svg") || name.ends_with(".html")) {
        let text = text(&folder, name);
        assert!(!text.contains("<script>") && !text.contains("Soft<b>"), "{name}");
        assert!(text.contains("&lt;script&gt;"), "{name}");
    }
    let page = text(&folder, "report.html");
    assert!(page.contains("generated &lt;by&gt; &quot;this&quot; program &amp; nothing else"));
}

#[test]
fn nothing_names_what_only_an_application_knows() {
    let results = fixture(by_two(), &[0]);
    let (folder, names) = written(&results);
    for name in names.iter().filter(|name| !name.ends_with(".png") && !name.ends_with(".csv")) {
        let text = text(&folder, name).to_lowercase();
        for word in ["mnist", "untouched", "degraded"] {
            assert!(!text.contains(word), "{name} says {word}");
        }
    }
}

#[test]
fn one_seed_is_said_to_prove_nothing_and_several_are_compared() {
    let (folder, _) = written(&fixture(by_severity(), &[0]));
    let page = text(&folder, "report.html");
    assert!(page.contains("One seed proves nothing"));
    assert!(page.contains("no difference can be told from chance"));
    assert!(page.contains("CM-CosFace was best with 97.0"), "{page}");

    let (folder, _) = written(&fixture(by_severity(), &[0, 1, 2, 3]));
    let page = text(&folder, "report.html");
    assert!(!page.contains("One seed proves nothing"));
    assert!(page.contains("ahead in 4 of 4 seeds"));
    assert!(page.contains("CM-CosFace − Softmax") && page.contains("<strong>+1.99"), "{page}");
    assert!(page.contains("for the 1 comparison of this table"));
}

#[test]
fn missing_runs_are_said_to_be_missing() {
    let mut results = fixture(by_severity(), &[0, 1]);
    results.complete = false;
    results.runs.retain(|run| run.key.loss == "Softmax" || (run.key.feature_dim == 64 && run.key.seed == 0));
    let (folder, _) = written(&results);
    assert!(text(&folder, "report.html").contains("This study is not complete"));
    let table = cm_report::summary_table(&results);
    assert!(table.contains("Not complete"), "{table}");
    assert!(table.contains("1/2 runs") && table.contains("(missing)"), "{table}");
}

#[test]
fn what_diverged_is_named_with_its_place() {
    let mut results = fixture(by_severity(), &[0]);
    let reason = "the loss was NaN, in epoch 2, step 7".to_owned();
    results.runs[1].status = Status::Diverged { epoch: 2, step: 7, reason };
    results.runs[1].measurements.clear();
    let (folder, _) = written(&results);
    let page = text(&folder, "report.html");
    assert!(
        page.contains("CM-CosFace 64-d seed 0 diverged: the loss was NaN, in epoch 2, step 7."),
        "{page}"
    );
    assert!(cm_report::summary_table(&results).contains("(diverged)"));
}

#[test]
fn files_that_were_left_out_are_listed() {
    let mut results = fixture(by_two(), &[0]);
    let left = LeftOut { file: "train/7/cut.jpg".into(), reason: "it ends in the middle".into() };
    results.data.left_out.push(left);
    let (folder, _) = written(&results);
    let page = text(&folder, "report.html");
    assert!(page.contains("train/7/cut.jpg") && page.contains("it ends in the middle"));
}

#[test]
fn a_record_without_runs_still_makes_a_report() {
    let mut results = fixture(by_severity(), &[0]);
    results.complete = false;
    results.runs.clear();
    let (folder, names) = written(&results);
    assert_eq!(names, ["results.csv", "report.html"]);
    assert!(text(&folder, "report.html").contains("There are no results yet."));
}

#[test]
fn a_page_of_somebody_elses_is_not_overwritten() {
    let results = fixture(by_severity(), &[0]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("report.html"), "<html>mine</html>").unwrap();
    let error = write_report(folder.path(), &results, &[]).unwrap_err();
    assert!(matches!(error, ReportError::NotOurs { .. }), "{error}");
    assert_eq!(text(&folder, "report.html"), "<html>mine</html>");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_report_is_made_again_to_the_letter_and_without_features_files_but_for_their_picture() {
    let results = fixture(by_severity(), &[0]);
    let (folder, names) = written(&results);
    let read = || names.iter().map(|name| fs::read(folder.path().join(name)).unwrap()).collect::<Vec<_>>();
    let before = read();
    write_report(folder.path(), &results, &[]).unwrap();
    assert!(read() == before, "the report made again differs");

    fs::remove_dir_all(folder.path().join("features")).unwrap();
    let without = write_report(folder.path(), &results, &[]).unwrap();
    assert_eq!(without.len(), names.len() - 2);
    assert!(text(&folder, "report.html").contains("norm-by-severity-64d.svg"));
}

#[test]
fn a_damaged_features_file_is_named_by_line_and_column() {
    let results = fixture(by_severity(), &[0]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(results.runs[0].features_file.as_ref().unwrap());
    features(&results, &results.runs[0]).write(&path).unwrap();
    let broken = fs::read_to_string(&path).unwrap().replacen("\n3,3,3,", "\n3,three,3,", 1);
    fs::write(&path, broken).unwrap();
    let message = write_report(folder.path(), &results, &[]).unwrap_err().to_string();
    assert!(message.contains("softmax-d64-s0.csv, line 5: column label"), "{message}");
}
