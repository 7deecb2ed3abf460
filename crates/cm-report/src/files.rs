//! The files an experiment leaves, read and written whole or not at all.

use std::{fs, io, path::Path};

use serde::Deserialize;

use super::ReportError;
use crate::{
    experiment::{FeatureRow, RESULTS_FORMAT, Results},
    files::write_atomically,
};

/// Name of the results record in its folder.
pub const RESULTS_FILE: &str = "results.json";

/// Columns of a features file, in order.
pub const FEATURE_COLUMNS: [&str; 7] = ["index", "label", "predicted", "severity", "norm", "x", "y"];

/// Reads the results record of a folder, and for each of its runs the features of the test images.
///
/// # Errors
///
/// When the record or one of the features files is missing, malformed, or of another format.
pub fn load(dir: &Path) -> Result<(Results, Vec<Vec<FeatureRow>>), ReportError> {
    let results = read_results(dir)?;
    let features = results
        .runs
        .iter()
        .map(|run| {
            let path = dir.join(&run.features_file);
            read_features(&path).map_err(|error| match error {
                ReportError::Io { path, source, .. } if source.kind() == io::ErrorKind::NotFound => {
                    ReportError::FeaturesMissing { path, loss: run.loss.clone() }
                }
                other => other,
            })
        })
        .collect::<Result<_, _>>()?;
    Ok((results, features))
}

/// Reads `results.json` of a folder, without the features.
///
/// # Errors
///
/// When the record is missing, malformed, or of another format.
pub fn read_results(dir: &Path) -> Result<Results, ReportError> {
    /// Read first: a record of another format would fail later, and with a message about some field.
    #[derive(Deserialize)]
    struct Format {
        format: u64,
    }

    let path = dir.join(RESULTS_FILE);
    let text = fs::read_to_string(&path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ReportError::ResultsMissing { path: path.clone() },
        _ => ReportError::Io { action: "read", path: path.clone(), source },
    })?;
    let malformed = |source| ReportError::ResultsMalformed { path: path.clone(), source };
    let Format { format } = serde_json::from_str(&text).map_err(malformed)?;
    if format != u64::from(RESULTS_FORMAT) {
        return Err(ReportError::UnknownFormat { path, found: format });
    }
    serde_json::from_str(&text).map_err(malformed)
}

/// Writes `results.json` into a folder, which is made if need be.
///
/// # Errors
///
/// When the file cannot be written; an older one is then still there.
pub fn write_results(dir: &Path, results: &Results) -> Result<(), ReportError> {
    let mut json = serde_json::to_vec_pretty(results).map_err(ReportError::NotJson)?;
    json.push(b'\n');
    write(&dir.join(RESULTS_FILE), &json)
}

/// Reads a features file.
///
/// # Errors
///
/// When the file cannot be read, or a line of it is not what [`write_features`] writes.
pub fn read_features(path: &Path) -> Result<Vec<FeatureRow>, ReportError> {
    let text = fs::read(path).map_err(ReportError::io("read", path))?;
    let malformed = |line, reason| ReportError::FeaturesMalformed { path: path.to_path_buf(), line, reason };
    let from_csv = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        let reason = match error.kind() {
            csv::ErrorKind::Deserialize { err, .. } => {
                match err.field().and_then(|f| FEATURE_COLUMNS.get(f as usize)) {
                    Some(column) => format!("column {column}: {}", err.kind()),
                    None => err.kind().to_string(),
                }
            }
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("{len} columns instead of {expected_len}")
            }
            _ => error.to_string(),
        };
        malformed(line, reason)
    };

    let mut reader = csv::Reader::from_reader(text.as_slice());
    let header = reader.headers().map_err(from_csv)?;
    if header != FEATURE_COLUMNS.as_slice() {
        let found = header.iter().collect::<Vec<_>>().join(",");
        return Err(malformed(1, format!("header `{found}` instead of `{}`", FEATURE_COLUMNS.join(","))));
    }
    reader.deserialize().map(|row| row.map_err(from_csv)).collect()
}

/// Writes a features file; its folder is made if need be.
///
/// # Errors
///
/// When the file cannot be written; an older one is then still there.
pub fn write_features(path: &Path, rows: &[FeatureRow]) -> Result<(), ReportError> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    let write = |writer: &mut csv::Writer<Vec<u8>>| -> Result<(), csv::Error> {
        writer.write_record(FEATURE_COLUMNS)?;
        rows.iter().try_for_each(|row| writer.serialize(row))
    };
    write(&mut writer).map_err(|error| ReportError::io("write", path)(error.into()))?;
    let bytes = writer.into_inner().map_err(|error| ReportError::io("write", path)(error.into_error()))?;
    self::write(path, &bytes)
}

/// Writes a file whole or not at all.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), ReportError> {
    write_atomically(path, content).map_err(ReportError::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(index: usize) -> FeatureRow {
        FeatureRow { index, label: 3, predicted: 8, severity: 2, norm: 1.25, x: -0.75, y: 1.0 }
    }

    #[test]
    fn features_come_back_as_they_were_written() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("features").join("a.csv");
        let rows = vec![row(0), row(1)];
        write_features(&path, &rows).expect("written");
        assert_eq!(read_features(&path).expect("read"), rows);
        let text = fs::read_to_string(&path).expect("text");
        assert_eq!(text.lines().next(), Some("index,label,predicted,severity,norm,x,y"));
    }

    #[test]
    fn an_empty_features_file_still_has_its_header() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("empty.csv");
        write_features(&path, &[]).expect("written");
        assert_eq!(read_features(&path).expect("read"), []);
    }

    #[test]
    fn a_malformed_row_is_named_by_line_and_column() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("bad.csv");
        fs::write(&path, "index,label,predicted,severity,norm,x,y\n0,1,1,0,2.5,0,0\n1,1,1,zero,2.5,0,0\n")
            .expect("file");
        let message = read_features(&path).expect_err("malformed").to_string();
        assert!(message.contains("bad.csv, line 3: column severity"), "{message}");

        fs::write(&path, "index,label,predicted,severity,norm,x,y\n0,1,1,0\n").expect("file");
        let message = read_features(&path).expect_err("malformed").to_string();
        assert!(message.contains("line 2: 4 columns instead of 7"), "{message}");

        fs::write(&path, "index,label,norm\n").expect("file");
        let message = read_features(&path).expect_err("malformed").to_string();
        assert!(message.contains("line 1: header `index,label,norm`"), "{message}");
    }

    #[test]
    fn another_format_is_refused_before_its_fields_are_read() {
        let dir = tempfile::tempdir().expect("temporary folder");
        fs::write(dir.path().join(RESULTS_FILE), r#"{"format": 99, "novel": true}"#).expect("file");
        let error = read_results(dir.path()).expect_err("another format");
        assert!(matches!(error, ReportError::UnknownFormat { found: 99, .. }), "{error}");
    }
}
