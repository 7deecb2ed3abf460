//! Reports made anew from a folder, and what stands in the way.

use std::{fs, path::Path};

use cm_record::{FolderLock, RecordError, Results};
use cm_report::{ReportError, rebuild, rebuild_from, write_report};

use crate::fixtures::{all_features, digits, features, signs, text};

/// The record and the features of a study, as it leaves them.
fn study(results: &Results) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    results.write(dir.path()).unwrap();
    for run in &results.runs {
        features(results, run).write(&dir.path().join(run.features_file.as_ref().unwrap())).unwrap();
    }
    dir
}

#[test]
fn a_report_is_rebuilt_from_its_files_alone() {
    for results in [digits(&[0]), signs(&[0, 1])] {
        let dir = study(&results);
        let paths = write_report(dir.path(), &results, &all_features(&results), &[]).unwrap();
        let read = || paths.iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>();
        let before = read();
        paths.iter().for_each(|path| fs::remove_file(path).unwrap());
        let rebuilt = rebuild(dir.path()).unwrap();
        assert_eq!((rebuilt.files, rebuilt.results, rebuilt.missing), (paths.clone(), results, Vec::new()));
        assert!(read() == before, "the report made again differs");
    }
}

#[test]
fn features_files_that_are_gone_are_named_and_nothing_else_is_lost() {
    let results = digits(&[0]);
    let dir = study(&results);
    fs::remove_dir_all(dir.path().join("features")).unwrap();
    let rebuilt = rebuild(dir.path()).unwrap();
    let of_two: Vec<_> =
        ["softmax", "cm-cosface"].map(|loss| dir.path().join(format!("features/{loss}-d2-s0.csv"))).into();
    assert_eq!(rebuilt.missing, of_two);
    assert!(dir.path().join("norm-by-severity-2d.png").is_file());
    assert!(!dir.path().join("features.svg").exists());
    assert!(text(&dir, "report.html").contains("2 features files are missing"));
}

#[test]
fn a_folder_that_a_study_writes_to_is_left_alone() {
    let dir = study(&digits(&[0]));
    let lock = FolderLock::take(dir.path()).unwrap();
    let error = rebuild(dir.path()).unwrap_err();
    assert!(matches!(error, ReportError::Record(RecordError::Locked { .. })), "{error}");
    assert!(!dir.path().join("report.html").exists());
    drop(lock);
    rebuild(dir.path()).unwrap();
}

#[test]
fn a_page_of_somebody_else_is_not_overwritten() {
    let results = digits(&[0]);
    let dir = study(&results);
    let page = dir.path().join("report.html");
    let theirs = "<!DOCTYPE html><title>My own notes</title>";
    fs::write(&page, theirs).unwrap();
    let error = rebuild(dir.path()).unwrap_err();
    assert!(matches!(&error, ReportError::NotOurs { path } if *path == page), "{error}");
    assert!(error.to_string().contains("report.html was not written by this program"), "{error}");
    assert_eq!(fs::read_to_string(&page).unwrap(), theirs);
    assert!(!dir.path().join("results.csv").exists(), "something was written all the same");
    fs::remove_file(&page).unwrap();
    rebuild(dir.path()).unwrap();
    rebuild(dir.path()).expect("our own page may be replaced");
}

#[test]
fn an_unusable_folder_is_explained_by_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let message = |dir: &Path| rebuild(dir).unwrap_err().to_string();
    assert!(message(dir.path()).contains("there is no"), "{}", message(dir.path()));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "a wrong folder was changed");

    fs::write(dir.path().join("results.json"), "{\"format\": 2,").unwrap();
    assert!(message(dir.path()).contains("results.json is damaged"), "{}", message(dir.path()));
    fs::write(dir.path().join("results.json"), "{\"format\": 99}").unwrap();
    assert!(message(dir.path()).contains("results format 99"), "{}", message(dir.path()));

    let results = digits(&[0]);
    let dir = study(&results);
    let path = dir.path().join("features/softmax-d2-s0.csv");
    let broken = fs::read_to_string(&path).unwrap().replacen("\n3,1,1,", "\n3,one,1,", 1);
    fs::write(&path, broken).unwrap();
    let message = message(dir.path());
    assert!(message.contains("softmax-d2-s0.csv, line 5: column label: \"one\""), "{message}");
}

#[test]
fn a_record_of_another_format_can_be_read_by_whoever_knows_it() {
    let results = digits(&[0]);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("results.json"), "{\"format\": 1}").unwrap();
    let rebuilt = rebuild_from(dir.path(), |_| Ok(results.clone())).unwrap();
    assert_eq!(rebuilt.results, results);
    assert!(dir.path().join("report.html").is_file());
    assert_eq!(text(&dir, "results.json"), "{\"format\": 1}");
}
