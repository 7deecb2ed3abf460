//! The features of test images, one row for each, as CSV.

use std::{fs, io, path::Path};

use crate::{RecordError, files};

/// Columns that every features file has; behind them comes one for each stratification.
pub const FEATURE_COLUMNS: [&str; 7] = ["index", "label", "predicted", "confidence", "norm", "x", "y"];

/// Column of [`FeatureRow::logit`], behind the others, where there are such.
const LOGIT_COLUMN: &str = "logit";

/// Features of the test images of one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FeatureTable {
    /// Names of the stratifications.
    pub stratifications: Vec<String>,
    /// One row for each image.
    pub rows: Vec<FeatureRow>,
}

/// The feature of one test image.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureRow {
    /// Index of the image in the test set.
    pub index: usize,
    /// Class of the image.
    pub label: u32,
    /// Class predicted.
    pub predicted: u32,
    /// Probability of the class predicted; NaN where it was not recorded.
    pub confidence: f32,
    /// Length of the feature.
    pub norm: f32,
    /// Coordinates of a two-dimensional feature, 0 where there are more dimensions; none where they were not recorded, and where
    /// the row stands for a pair of images.
    pub point: Option<[f32; 2]>,
    /// Of two classes: the logarithm of the probability of the second divided by that of the first, which tells images apart
    /// whose probabilities are 1 within rounding.
    pub logit: Option<f32>,
    /// The level in each stratification.
    pub levels: Vec<String>,
}

impl FeatureTable {
    /// Position of a stratification among the levels of a row.
    pub fn position(&self, stratification: &str) -> Option<usize> {
        self.stratifications.iter().position(|name| name == stratification)
    }

    /// Reads a features file, also one of results format 1 (without confidence, with one stratification).
    ///
    /// # Errors
    ///
    /// [`RecordError::Io`], and [`RecordError::Features`] with line and reason: a column that is missing, a value that
    /// cannot be read, or a norm that is not a finite number.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        let text = fs::read(path).map_err(RecordError::io("read", path))?;
        let wrong = |line, reason| RecordError::Features { path: path.to_owned(), line, reason };
        let from_csv = |error: csv::Error| {
            let line = error.position().map_or(1, csv::Position::line);
            match error.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    wrong(line, format!("{len} columns instead of {expected_len}"))
                }
                _ => wrong(line, error.to_string()),
            }
        };
        let mut reader = csv::Reader::from_reader(text.as_slice());
        let header: Vec<String> = reader.headers().map_err(from_csv)?.iter().map(str::to_owned).collect();
        let place = |name: &str| header.iter().position(|found| found == name);
        let required = |name: &str| {
            place(name).ok_or_else(|| {
                let found = header.join(",");
                wrong(1, format!("there is no column `{name}` in the header `{found}`"))
            })
        };
        let [index, label, predicted, norm, x, y] =
            ["index", "label", "predicted", "norm", "x", "y"].map(required);
        let (index, label, predicted, norm, x, y) = (index?, label?, predicted?, norm?, x?, y?);
        let confidence = place("confidence");
        let logit = place(LOGIT_COLUMN);
        let strata: Vec<usize> = (0..header.len())
            .filter(|&i| !FEATURE_COLUMNS.contains(&header[i].as_str()) && Some(i) != logit)
            .collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(from_csv)?;
            let line = record.position().map_or(1, csv::Position::line);
            let field = |at: usize| record.get(at).unwrap_or_default();
            let unreadable =
                |at: usize| wrong(line, format!("column {}: \"{}\" is not a number", header[at], field(at)));
            let whole = |at: usize| field(at).parse::<u32>().map_err(|_| unreadable(at));
            let float = |at: usize| field(at).parse::<f32>().map_err(|_| unreadable(at));
            let is_empty = |at: usize| field(at).is_empty();
            let point = match is_empty(x) && is_empty(y) {
                true => None,
                false => Some([float(x)?, float(y)?]),
            };
            let row = FeatureRow {
                index: whole(index)? as usize,
                label: whole(label)?,
                predicted: whole(predicted)?,
                confidence: confidence.map_or(Ok(f32::NAN), float)?,
                norm: float(norm)?,
                point,
                logit: logit.filter(|&at| !is_empty(at)).map(float).transpose()?,
                levels: strata.iter().map(|&at| field(at).to_owned()).collect(),
            };
            let point = point.map(|point| [(x, point[0]), (y, point[1])]);
            let others = point.into_iter().flatten().chain(logit.zip(row.logit));
            for (at, value) in [(norm, row.norm)].into_iter().chain(others) {
                if !value.is_finite() {
                    let reason = format!("column {}: {value} is not a finite number", header[at]);
                    return Err(wrong(line, reason));
                }
            }
            rows.push(row);
        }
        Ok(Self { stratifications: strata.iter().map(|&at| header[at].clone()).collect(), rows })
    }

    /// Writes a features file; its folder is made if need be.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; an older one is then still there.
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        let failed = |error: io::Error| RecordError::io("write", path)(error);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let has_logits = self.rows.iter().any(|row| row.logit.is_some());
        let columns = FEATURE_COLUMNS.into_iter().chain(has_logits.then_some(LOGIT_COLUMN));
        let columns = columns.chain(self.stratifications.iter().map(String::as_str));
        writer.write_record(columns).map_err(|error| failed(error.into()))?;
        for row in &self.rows {
            let coordinate = |at: usize| row.point.map_or_else(String::new, |point| point[at].to_string());
            let numbers = [
                row.index.to_string(),
                row.label.to_string(),
                row.predicted.to_string(),
                row.confidence.to_string(),
                row.norm.to_string(),
                coordinate(0),
                coordinate(1),
            ];
            let logit = has_logits.then(|| row.logit.map_or_else(String::new, |logit| logit.to_string()));
            let fields = numbers.iter().chain(&logit).chain(&row.levels);
            writer.write_record(fields).map_err(|error| failed(error.into()))?;
        }
        let bytes = writer.into_inner().map_err(|error| failed(error.into_error()))?;
        files::write_atomically(path, &bytes).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(index: usize) -> FeatureRow {
        let levels = vec!["2".to_owned()];
        FeatureRow {
            index,
            label: 300,
            predicted: 8,
            confidence: 0.5,
            norm: 1.25,
            point: Some([-0.75, 1.0]),
            logit: None,
            levels,
        }
    }

    fn table(rows: Vec<FeatureRow>) -> FeatureTable {
        FeatureTable { stratifications: vec!["severity".to_owned()], rows }
    }

    fn refused(content: &str) -> String {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("bad.csv");
        fs::write(&path, content).expect("file");
        FeatureTable::read(&path).expect_err("malformed").to_string()
    }

    #[test]
    fn features_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("features").join("a.csv");
        let with_logit = FeatureRow { logit: Some(-2.5), ..row(2) };
        let of_a_pair = FeatureRow { point: None, ..row(3) };
        for table in
            [table(vec![row(0), with_logit, of_a_pair]), table(vec![row(0), row(1)]), table(Vec::new())]
        {
            table.write(&path).expect("written");
            assert_eq!(FeatureTable::read(&path).expect("read"), table);
        }
        let text = fs::read_to_string(&path).expect("text");
        assert_eq!(text, "index,label,predicted,confidence,norm,x,y,severity\n");
    }

    #[test]
    fn a_file_of_the_first_format_is_read() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("old.csv");
        fs::write(&path, "index,label,predicted,severity,norm,x,y\n7,3,8,2,1.25,-0.75,1\n").expect("file");
        let read = FeatureTable::read(&path).expect("read");
        assert_eq!(read.stratifications, ["severity"]);
        assert!(read.rows[0].confidence.is_nan());
        let expected = FeatureRow { label: 3, confidence: 0.5, ..row(7) };
        assert_eq!(FeatureRow { confidence: 0.5, ..read.rows[0].clone() }, expected);
    }

    #[test]
    fn a_malformed_row_is_named_by_line_and_column() {
        let header = "index,label,predicted,severity,norm,x,y\n";
        let message = refused(&format!("{header}0,1,1,0,2.5,0,0\n1,one,1,0,2.5,0,0\n"));
        assert!(message.contains("bad.csv, line 3: column label: \"one\""), "{message}");
        let message = refused(&format!("{header}0,1,1,0\n"));
        assert!(message.contains("line 2: 4 columns instead of 7"), "{message}");
        let message = refused("index,label,norm\n");
        assert!(message.contains("line 1: there is no column `predicted`"), "{message}");
        let message = refused(&format!("{header}0,1,1,0,2.5,,0\n"));
        assert!(message.contains("line 2: column x: \"\" is not a number"), "{message}");
        for value in ["NaN", "inf"] {
            let message = refused(&format!("{header}0,1,1,0,{value},0,0\n"));
            assert!(message.contains("line 2: column norm"), "{message}");
        }
    }
}
