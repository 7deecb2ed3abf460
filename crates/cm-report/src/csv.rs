//! The numbers for other programs: `results.csv`.

use std::path::Path;

use super::ReportError;
use crate::experiment::Results;

/// Columns of `results.csv`, in order. Accuracies go from 0 to 1.
pub const RESULTS_COLUMNS: [&str; 9] =
    ["data", "loss", "feature_dim", "seed", "severity", "images", "accuracy", "norm_mean", "norm_std"];

/// The results in long form: a row for each loss, feature dimension, seed and severity. `path` is for the message.
pub(super) fn results_csv(results: &Results, path: &Path) -> Result<Vec<u8>, ReportError> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    let write = |writer: &mut csv::Writer<Vec<u8>>| -> Result<(), csv::Error> {
        writer.write_record(RESULTS_COLUMNS)?;
        for run in &results.runs {
            for s in &run.severities {
                writer.serialize((
                    &results.data.name,
                    &run.loss,
                    run.feature_dim,
                    run.seed,
                    s.severity,
                    s.images,
                    s.accuracy,
                    s.norm_mean,
                    s.norm_std,
                ))?;
            }
        }
        Ok(())
    };
    write(&mut writer).map_err(|error| ReportError::io("write", path)(error.into()))?;
    writer.into_inner().map_err(|error| ReportError::io("write", path)(error.into_error()))
}
