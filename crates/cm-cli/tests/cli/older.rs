//! Records that older and newer versions wrote.

use std::{fs, path::Path};

use crate::shared::{refused, run};

#[test]
fn published_records_of_the_first_format_are_drawn_again_without_their_features_files() {
    let published =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/results/mnist-quick-64d-5-seeds-earlier.json");
    let folder = tempfile::tempdir().unwrap();
    fs::copy(published, folder.path().join("results.json")).unwrap();
    let (success, stdout, stderr) = run(&["report", &folder.path().display().to_string()]);
    assert!(success, "{stderr}");
    // Means, and the intervals of the paired t-tests.
    for text in ["88.73", "90.33", "CM-CosFace − CosFace", "−0.64", "−1.01 to −0.27", "+0.90 to +2.30"]
    {
        assert!(stdout.contains(text), "{text} is not in\n{stdout}");
    }
    for file in ["accuracy-by-severity-64d.png", "norm-by-severity-64d.png", "report.html", "results.csv"] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
}

#[test]
fn a_record_of_a_newer_version_is_refused_and_left_as_it_is() {
    let newer = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/fixtures/results-3.json");
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("results.json");
    fs::copy(&newer, &record).unwrap();
    let message = refused(&["report", &folder.path().display().to_string()]);
    assert!(message.contains("format 3") && message.contains("use the version that wrote it"), "{message}");
    assert_eq!(fs::read(record).unwrap(), fs::read(newer).unwrap());
}
