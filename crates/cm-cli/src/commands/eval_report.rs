//! The pictures and tables of `cm eval`.

use std::path::Path;

use cm_record::{RecordError, files::write_atomically};

use super::eval::Figures;
use crate::error::CliError;

/// Writes the confusion matrix and the reliability diagram into a folder.
pub fn write(folder: &Path, figures: &Figures, classes: &[String]) -> Result<(), CliError> {
    let confusion = figures.classification.confusion();
    let path = folder.join("confusion.csv");
    let mut csv = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| CliError::Said(format!("{}: {error}", path.display()));
    let header = std::iter::once("class").chain(classes.iter().map(String::as_str));
    csv.write_record(header).map_err(failed)?;
    for (name, row) in classes.iter().zip(&confusion.counts) {
        let counts = row.iter().map(ToString::to_string);
        csv.write_record(std::iter::once(name.clone()).chain(counts)).map_err(failed)?;
    }
    let content = csv.into_inner().map_err(|error| CliError::Said(error.to_string()))?;
    write_atomically(&path, &content).map_err(RecordError::io("write", &path))?;

    let pictures = [
        cm_report::confusion("confusion", "Confusion matrix", classes, &confusion.counts)?,
        cm_report::reliability("reliability", "Confidence and accuracy", figures.reliability.bins())?,
    ];
    cm_report::write_figures(folder, &pictures)?;
    Ok(())
}
