//! `cm report`: tables and pictures from a record, without training.

use std::path::Path;

use cm_record::{RESULTS_FILE, RESULTS_FORMAT, RecordError, Results, format_of, read_text};

use crate::{applications, error::CliError};

/// Draws the report of a folder again and prints its table, or its record as JSON.
pub fn run(folder: &Path, json: bool) -> Result<(), CliError> {
    let rebuilt = cm_report::rebuild_from(folder, read)?;
    match json {
        true => println!("{}", applications::common::json_of(&rebuilt.results)?),
        false => println!("{}", cm_report::summary_table(&rebuilt.results)),
    }
    for file in rebuilt.missing {
        eprintln!("{} is not there: its features are not drawn", file.display());
    }
    for file in rebuilt.files.iter().filter(|_| !json) {
        println!("{}", file.display());
    }
    Ok(())
}

/// The record of a folder, also one of an older format.
pub fn read(folder: &Path) -> Result<Results, RecordError> {
    let path = folder.join(RESULTS_FILE);
    let text = read_text(&path)?;
    match format_of(&path, &text)? {
        format if format < u64::from(RESULTS_FORMAT) => applications::read_older(&path, &text, format)
            .unwrap_or(Err(RecordError::UnknownFormat { path, found: format })),
        _ => Results::read(folder),
    }
}
