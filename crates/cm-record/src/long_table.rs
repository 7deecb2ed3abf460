//! The figures of a study for other programs.

use crate::{RecordError, Results};

/// Columns of `results.csv`, in order. Rates go from 0 to 1; a column that does not apply is empty.
pub const RESULTS_COLUMNS: [&str; 9] =
    ["data", "loss", "feature_dim", "seed", "fold", "metric", "stratum", "value", "count"];

/// The measurements of all runs as a long table: one row for each run, metric and stratum.
///
/// # Errors
///
/// [`RecordError::Damaged`] if the table cannot be written as CSV.
pub fn results_csv(results: &Results) -> Result<Vec<u8>, RecordError> {
    let failed = |reason: String| RecordError::Damaged {
        path: "results.csv".into(),
        reason,
        remedy: "it could not be written as CSV".to_owned(),
    };
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(RESULTS_COLUMNS).map_err(|error| failed(error.to_string()))?;
    for run in &results.runs {
        let key = &run.key;
        for found in &run.measurements {
            let row = (
                &results.data.name,
                &key.loss,
                key.feature_dim,
                key.seed,
                key.fold,
                &found.metric,
                &found.stratum,
                found.value,
                found.count,
            );
            writer.serialize(row).map_err(|error| failed(error.to_string()))?;
        }
    }
    writer.into_inner().map_err(|error| failed(error.to_string()))
}
