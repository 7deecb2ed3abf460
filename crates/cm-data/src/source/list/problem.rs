//! Why a list cannot be used.

use std::path::PathBuf;

use crate::error::some_of;

/// Why a list cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListProblem {
    /// Text in UTF-16.
    #[error("it is written in UTF-16; save it as UTF-8")]
    Utf16,
    /// Bytes that are no text.
    #[error("line {line} is not valid UTF-8; save it as UTF-8")]
    NotUtf8 {
        /// The line.
        line: u64,
    },
    /// Not even a header.
    #[error("it is empty; its first line must name the columns, such as path,label")]
    Empty,
    /// A header and nothing else.
    #[error("it has a header but no rows; add a line for each image")]
    NoRows,
    /// A column that must be there.
    #[error(
        "there is no column for the {what} ({looked_for}); there are {}; rename one or add it",
        some_of(found, ", ")
    )]
    MissingColumn {
        /// What the column is for.
        what: &'static str,
        /// What it may be called.
        looked_for: String,
        /// Columns that are there.
        found: Vec<String>,
    },
    /// Two columns of one name.
    #[error("two columns are named \"{column}\"; rename one")]
    RepeatedColumn {
        /// The name.
        column: String,
    },
    /// A row that is shorter or longer than the header.
    #[error(
        "line {line} has {found} cells, but the header has {expected}; put cells that hold the separator into quotes"
    )]
    WrongCells {
        /// The line.
        line: u64,
        /// Cells in it.
        found: usize,
        /// Cells in the header.
        expected: usize,
    },
    /// A cell that must not be empty.
    #[error("line {line} has no {what}; fill it in or remove the line")]
    EmptyCell {
        /// The line.
        line: u64,
        /// What is missing.
        what: &'static str,
    },
    /// A split that is none.
    #[error("line {line}: the split is \"{value}\", but must be train, val or test, or empty")]
    WrongSplit {
        /// The line.
        line: u64,
        /// The cell.
        value: String,
    },
    /// A weight that is none.
    #[error("line {line}: the weight is \"{value}\", but must be a number of at least 0")]
    WrongWeight {
        /// The line.
        line: u64,
        /// The cell.
        value: String,
    },
    /// A number that no computer number can hold.
    #[error(
        "line {line}: the {column} is {value}, which is out of range; write a finite number, or leave the cell empty"
    )]
    OutOfRange {
        /// The line.
        line: u64,
        /// The column.
        column: String,
        /// The cell.
        value: String,
    },
    /// Two rows that say different things about one file.
    #[error("line {first} and line {second} give {file} a different {column}; keep one of them")]
    Conflict {
        /// The one line.
        first: u64,
        /// The other line.
        second: u64,
        /// The file.
        file: String,
        /// The column.
        column: String,
    },
    /// Files that are not there.
    #[error("{} of its {rows} files are not in {}, where its paths begin:\n{}\nPut them there, or correct or remove their lines", files.len(), root.display(), some_of(files, "\n"))]
    MissingFiles {
        /// The files.
        files: Vec<String>,
        /// Rows of the list.
        rows: usize,
        /// Where they were looked for.
        root: PathBuf,
    },
}
