//! Lists of images: tables with a header, in which each row names a file.

mod columns;
mod lst;
mod problem;
mod table;

use std::collections::HashMap;

pub use self::problem::ListProblem;
use self::{
    columns::{Cell, Columns},
    table::records,
};
use super::{ColumnNames, OpenOptions, Split};

/// A list as it is written, before anybody looks for the files.
#[derive(Debug)]
pub(super) struct List {
    pub rows: Vec<Row>,
    /// Names of the numeric columns.
    pub columns: Vec<String>,
    /// Names of the columns that hold something else.
    pub ignored: Vec<String>,
    /// Rows that say of a file what another row has said.
    pub repeated: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub line: u64,
    /// The path as it is written.
    pub path: String,
    /// The path in its tidy form.
    pub file: String,
    pub label: Option<String>,
    pub group: Option<String>,
    pub split: Option<Split>,
    pub weight: f32,
    pub values: Vec<f64>,
}

/// Whether the first line names a column for paths.
pub(super) fn is_list(text: &[u8], names: &ColumnNames) -> bool {
    let first = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let records = records(first).unwrap_or_default();
    records.first().is_some_and(|(_, header)| Columns::new(header, names, false).is_ok())
}

/// A list without a header, told by its ending.
pub(super) fn parse_lst(text: &[u8]) -> Result<List, ListProblem> {
    lst::parse(text)
}

pub(super) fn parse(text: &[u8], options: &OpenOptions) -> Result<List, ListProblem> {
    let mut records = records(text)?.into_iter();
    let (_, header) = records.next().ok_or(ListProblem::Empty)?;
    let columns = Columns::new(&header, &options.columns, options.labels_required)?;
    let mut rows = Vec::new();
    let mut cells = Vec::new();
    for (line, record) in records {
        if record.iter().all(String::is_empty) {
            continue;
        }
        if record.len() != header.len() {
            return Err(ListProblem::WrongCells { line, found: record.len(), expected: header.len() });
        }
        rows.push(columns.row(line, &record, options.labels_required)?);
        cells.push(record);
    }
    if rows.is_empty() {
        return Err(ListProblem::NoRows);
    }
    let mut list = List { rows, columns: Vec::new(), ignored: Vec::new(), repeated: 0 };
    for &at in &columns.others {
        let column = &header[at];
        if cells.iter().all(|record| !matches!(Cell::of(&record[at]), Cell::Text))
            && cells.iter().any(|record| !record[at].is_empty())
        {
            for (row, record) in list.rows.iter_mut().zip(&cells) {
                row.values.push(Cell::of(&record[at]).value(row.line, column, &record[at])?);
            }
            list.columns.push(column.clone());
        } else {
            list.ignored.push(column.clone());
        }
    }
    list.without_repetition()
}

impl List {
    /// Keeps the first of equal rows. Unequal rows about one file are an error.
    fn without_repetition(mut self) -> Result<Self, ListProblem> {
        let mut firsts: HashMap<String, usize> = HashMap::with_capacity(self.rows.len());
        let mut kept: Vec<Row> = Vec::with_capacity(self.rows.len());
        for row in self.rows {
            let Some(&at) = firsts.get(&row.file) else {
                firsts.insert(row.file.clone(), kept.len());
                kept.push(row);
                continue;
            };
            let first = &kept[at];
            let values = first.values.iter().zip(&row.values).zip(&self.columns);
            let mut others =
                values.filter(|((a, b), _)| a.to_bits() != b.to_bits()).map(|(_, name)| name.as_str());
            let column = if first.label != row.label {
                Some("label")
            } else if first.group != row.group {
                Some("group")
            } else if first.split != row.split {
                Some("split")
            } else if first.weight != row.weight {
                Some("weight")
            } else {
                others.next()
            };
            if let Some(column) = column {
                let (first, second, column) = (first.line, row.line, column.to_owned());
                return Err(ListProblem::Conflict { first, second, file: row.file, column });
            }
            self.repeated += 1;
        }
        self.rows = kept;
        Ok(self)
    }
}
