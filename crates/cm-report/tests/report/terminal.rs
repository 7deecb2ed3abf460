//! The table on the terminal.

use cm_report::summary_table;

use crate::fixture::{by_severity, by_two, fixture};

#[test]
fn the_table_fits_110_columns_and_marks_the_best() {
    for (seeds, best) in [(&[0][..], "97.00*"), (&[0, 1, 2], "97.14*")] {
        let mut results = fixture(by_severity(), seeds);
        results.data.splits[0].images = 60_000;
        for run in &mut results.runs {
            (run.train_seconds, run.images_per_second) = (12_345.6, 123_456.0);
        }
        let table = summary_table(&results);
        let drawn = table.lines().filter(|line| line.starts_with(['│', '┌', '├']));
        let widest = drawn.map(|line| line.chars().count()).max().unwrap_or(0);
        assert!((60..=110).contains(&widest), "{widest} columns\n{table}");
        assert!(table.contains(best), "{table}");
        let start = "synthetic digits · feature dimensions 64, 2 · images: 60\u{a0}000 train, 40 test";
        assert!(table.starts_with(start), "{table}");
    }
}

#[test]
fn there_is_a_table_for_each_way_of_dividing_the_images() {
    let table = summary_table(&fixture(by_two(), &[0]));
    for title in ["1 seed: by resolution", "1 seed: by contrast"] {
        assert_eq!(table.matches(title).count(), 2, "{table}");
    }
    assert!(table.contains("56–225") && table.contains("21.8–40.0"), "{table}");
}

#[test]
fn differences_are_told_with_interval_and_corrected_p() {
    let table = summary_table(&fixture(by_severity(), &[0, 1, 2, 3]));
    assert!(table.contains("CM-CosFace − Softmax") && table.contains("p (Holm)"), "{table}");
    let single = summary_table(&fixture(by_severity(), &[0]));
    assert!(!single.contains("p (Holm)"), "{single}");
    assert!(!table.contains("−0.00"), "{table}");
}
