//! Which column is for what, and what its cells say.

use super::{
    super::{
        ColumnNames, Split,
        names::{composed, tidy},
    },
    ListProblem, Row,
};

/// Where the columns are.
pub(super) struct Columns {
    path: usize,
    label: Option<usize>,
    group: Option<usize>,
    split: Option<usize>,
    weight: Option<usize>,
    pub others: Vec<usize>,
}

impl Columns {
    pub fn new(header: &[String], names: &ColumnNames, labeled: bool) -> Result<Self, ListProblem> {
        let lower: Vec<String> = header.iter().map(|name| name.to_lowercase()).collect();
        for (at, name) in lower.iter().enumerate() {
            if !name.is_empty() && lower[..at].contains(name) {
                return Err(ListProblem::RepeatedColumn { column: header[at].clone() });
            }
        }
        let find = |what: &'static str, given: &Option<String>, usual: &[&str], required: bool| {
            let wanted: Vec<String> = match given {
                Some(name) => vec![name.to_lowercase()],
                None => usual.iter().map(|name| (*name).to_owned()).collect(),
            };
            let found = wanted.iter().find_map(|name| lower.iter().position(|column| column == name));
            if found.is_none() && (required || given.is_some()) {
                let looked_for = wanted.join(", ");
                return Err(ListProblem::MissingColumn { what, looked_for, found: header.to_vec() });
            }
            Ok(found)
        };
        let Some(path) = find("paths", &names.path, &["path", "file", "filename", "image"], true)? else {
            unreachable!("a required column is there or an error")
        };
        let label = find("labels", &names.label, &["label", "class"], labeled)?;
        let group = find("groups", &names.group, &["group"], false)?;
        let split = find("splits", &names.split, &["split"], false)?;
        let weight = find("weights", &names.weight, &["weight"], false)?;
        let taken = [Some(path), label, group, split, weight];
        let others = (0..header.len()).filter(|&at| !taken.contains(&Some(at)) && !header[at].is_empty());
        Ok(Self { path, label, group, split, weight, others: others.collect() })
    }

    pub fn row(&self, line: u64, record: &[String], labeled: bool) -> Result<Row, ListProblem> {
        let cell = |at: Option<usize>| at.map(|at| &record[at]).filter(|cell| !cell.is_empty());
        let name = |at| cell(at).map(|cell| composed(cell).into_owned());
        let Some(path) = cell(Some(self.path)) else {
            return Err(ListProblem::EmptyCell { line, what: "path" });
        };
        let label = name(self.label);
        if labeled && label.is_none() {
            return Err(ListProblem::EmptyCell { line, what: "label" });
        }
        let split = match cell(self.split) {
            None => None,
            Some(value) => Some(
                Split::from_name(value)
                    .ok_or_else(|| ListProblem::WrongSplit { line, value: value.clone() })?,
            ),
        };
        let weight = match cell(self.weight) {
            None => 1.0,
            Some(value) => match Cell::of(value) {
                Cell::Number(weight) if weight >= 0.0 && (weight as f32).is_finite() => weight as f32,
                Cell::Number(weight) if weight >= 0.0 => {
                    let (column, value) = ("weight".to_owned(), value.clone());
                    return Err(ListProblem::OutOfRange { line, column, value });
                }
                _ => return Err(ListProblem::WrongWeight { line, value: value.clone() }),
            },
        };
        let file = tidy(path);
        Ok(Row {
            line,
            path: path.clone(),
            file,
            label,
            group: name(self.group),
            split,
            weight,
            values: Vec::new(),
        })
    }
}

/// What a cell of a further column holds.
pub(super) enum Cell {
    /// Nothing, or the word for it that tables are exported with.
    None,
    /// A number, which may be infinite if it is written with too large an exponent.
    Number(f64),
    Text,
}

impl Cell {
    pub fn of(cell: &str) -> Self {
        if ["", "nan", "na", "n/a", "null"].contains(&cell.to_lowercase().as_str()) {
            return Self::None;
        }
        // Rust also reads words such as "infinity" as numbers.
        let digits = cell.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        match cell.parse() {
            Ok(number) if digits => Self::Number(number),
            _ => Self::Text,
        }
    }

    pub fn value(&self, line: u64, column: &str, cell: &str) -> Result<f64, ListProblem> {
        match *self {
            Self::Number(number) if number.is_finite() => Ok(number),
            Self::Number(_) => {
                Err(ListProblem::OutOfRange { line, column: column.to_owned(), value: cell.to_owned() })
            }
            Self::None | Self::Text => Ok(f64::NAN),
        }
    }
}
