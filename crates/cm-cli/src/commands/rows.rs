//! Rows of results: CSV, or a JSON object a line; to standard output, or to a file that is whole or not there.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use cm_record::{RecordError, files::write_atomically};
use serde_json::{Map, Value};

use crate::error::CliError;

/// Where rows go.
pub struct Rows {
    columns: Vec<String>,
    form: Form,
    out: Out,
}

enum Form {
    Csv,
    Json,
}

enum Out {
    Standard(BufWriter<io::Stdout>),
    /// All of it, until it is written.
    File(PathBuf, Vec<u8>),
}

impl Rows {
    /// Rows with these columns.
    ///
    /// # Errors
    ///
    /// Standard output that cannot be written to.
    pub fn new(columns: &[&str], json: bool, out: Option<&Path>) -> Result<Self, CliError> {
        let out = match out {
            Some(path) => Out::File(path.to_owned(), Vec::new()),
            None => Out::Standard(BufWriter::new(io::stdout())),
        };
        let form = if json { Form::Json } else { Form::Csv };
        let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
        let mut rows = Self { columns, form, out };
        if matches!(rows.form, Form::Csv) {
            let names: Vec<Value> = rows.columns.iter().cloned().map(Value::from).collect();
            let line = csv_line(&names);
            rows.write(&line)?;
        }
        Ok(rows)
    }

    /// Writes a row: a value for each column, `null` where there is none.
    ///
    /// # Errors
    ///
    /// Standard output that cannot be written to.
    pub fn push(&mut self, values: Vec<Value>) -> Result<(), CliError> {
        let line = match self.form {
            Form::Csv => csv_line(&values),
            Form::Json => {
                let object: Map<String, Value> = self.columns.iter().cloned().zip(values).collect();
                format!("{}\n", Value::Object(object)).into_bytes()
            }
        };
        self.write(&line)
    }

    /// Ends the rows, and writes the file.
    ///
    /// # Errors
    ///
    /// A file or standard output that cannot be written to.
    pub fn finish(self) -> Result<(), CliError> {
        match self.out {
            Out::Standard(mut out) => out.flush().map_err(output_failed),
            Out::File(path, bytes) => write(&path, &bytes),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        match &mut self.out {
            Out::Standard(out) => out.write_all(bytes).map_err(output_failed),
            Out::File(_, all) => {
                all.extend_from_slice(bytes);
                Ok(())
            }
        }
    }
}

/// A number with the digits that it has in 32 bits.
pub fn number(value: f32) -> Value {
    value.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

/// Writes a file, whole or not at all.
///
/// # Errors
///
/// A file that cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    Ok(write_atomically(path, bytes).map_err(RecordError::io("write", path))?)
}

fn output_failed(error: io::Error) -> CliError {
    CliError::Said(format!("standard output cannot be written to: {error}"))
}

fn csv_line(values: &[Value]) -> Vec<u8> {
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Into memory nothing fails.
    let _ = writer.write_record(values.iter().map(cell));
    writer.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_empty_where_there_is_nothing() {
        let line = csv_line(&[json!("a, \"b\".png"), json!(1.5), Value::Null, json!(-1)]);
        assert_eq!(String::from_utf8(line).expect("text"), "\"a, \"\"b\"\".png\",1.5,,-1\n");
    }

    #[test]
    fn a_file_is_there_when_the_rows_end_and_not_before() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("rows.jsonl");
        let mut rows = Rows::new(&["file", "norm"], true, Some(&path)).expect("it is memory");
        rows.push(vec![json!("a.png"), json!(2)]).expect("it is memory");
        assert!(!path.exists());
        rows.finish().expect("a folder to write to");
        let text = std::fs::read_to_string(&path).expect("a file");
        assert_eq!(text, "{\"file\":\"a.png\",\"norm\":2}\n");
    }
}
