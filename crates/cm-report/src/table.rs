//! The tables of a report: their content, and how a terminal shows them.

use cm_record::{Results, RunRecord, Stratification};
use comfy_table::{Cell as TerminalCell, CellAlignment, Table as TerminalTable, presets};

use crate::{
    comparisons,
    summary::{self, DimensionSummary, LossSummary, Spread, number},
};

/// Metric of the columns of a stratification.
const METRIC: &str = "accuracy";

/// What stands under every table, so that nobody reads more into a mark than it says.
pub(crate) const NOTE: &str = "The best value of a column is marked, except times. A lead smaller than the spread over \
                               seeds (±) is no lead.";

/// A table of one feature dimension.
pub(crate) struct Table {
    /// `feature dimension 64, 3 seeds: by severity of the degradation`.
    pub title: String,
    /// Headings of the columns after the loss; a line break separates the two lines of a heading.
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
    /// Some cell has a spread.
    pub has_spread: bool,
}

/// One loss.
pub(crate) struct Row {
    pub loss: String,
    /// What is missing, if something is: `2/3 seeds`.
    pub missing: Option<String>,
    pub cells: Vec<Cell>,
}

/// One value.
#[derive(Clone)]
pub(crate) struct Cell {
    pub mean: String,
    /// Spread over seeds, with its sign `±`.
    pub spread: Option<String>,
    /// The best of its column, at the precision shown.
    pub best: bool,
}

/// A column before it is turned into the cells of the rows.
struct Column {
    heading: String,
    /// Mark the highest value. Times are not marked: they are the machine's, and differ by chance.
    marked: bool,
    decimals: usize,
    values: Vec<Option<Spread>>,
}

impl Column {
    fn cells(&self) -> Vec<Cell> {
        let shown = |v: f64| number(v, self.decimals);
        let means = || self.values.iter().flatten().map(|s| s.mean);
        let best = means().reduce(f64::max).filter(|_| self.marked && means().count() > 1).map(shown);
        self.values
            .iter()
            .map(|value| match value {
                None => Cell { mean: "–".into(), spread: None, best: false },
                Some(Spread { mean, std }) => Cell {
                    mean: shown(*mean),
                    spread: std.map(|std| format!("± {}", shown(std))),
                    best: best.as_deref() == Some(&shown(*mean)),
                },
            })
            .collect()
    }
}

/// The tables of a study: one for each feature dimension and stratification.
pub(crate) fn tables(results: &Results) -> Vec<Table> {
    let strata = &results.layout.stratifications;
    let mut tables = Vec::new();
    for dimension in summary::by_dimension(results) {
        match strata.is_empty() {
            true => tables.push(table(results, &dimension, None)),
            false => tables.extend(strata.iter().map(|of| table(results, &dimension, Some(of)))),
        }
    }
    tables
}

fn table(results: &Results, dimension: &DimensionSummary<'_>, strata: Option<&Stratification>) -> Table {
    let over = |value: &dyn Fn(&RunRecord) -> Option<f64>, factor: f64| -> Vec<Option<Spread>> {
        let of = |loss: &LossSummary<'_>| loss.over_seeds(value).map(|spread| spread.scaled(factor));
        dimension.losses.iter().map(of).collect()
    };
    let mut columns = Vec::new();
    if let Some(strata) = strata {
        for (_, level) in dimension.levels(strata, METRIC) {
            let stratum = strata.stratum(level);
            columns.push(Column {
                heading: level.label.clone(),
                marked: true,
                decimals: 2,
                values: over(&|run| run.value(METRIC, &stratum), 100.0),
            });
        }
    }
    for column in &results.layout.columns {
        columns.push(Column {
            heading: column.heading.clone(),
            marked: true,
            decimals: if column.percent { 2 } else { 3 },
            values: over(
                &|run| run.value(&column.metric, &column.stratum),
                if column.percent { 100.0 } else { 1.0 },
            ),
        });
    }
    let without_spread = |values: Vec<Option<Spread>>| {
        values.into_iter().map(|value| value.map(|s| Spread { std: None, ..s })).collect()
    };
    columns.push(Column {
        heading: "train\nseconds".into(),
        marked: false,
        decimals: 1,
        values: without_spread(over(&|run| Some(run.train_seconds), 1.0)),
    });
    columns.push(Column {
        heading: "images\nper s".into(),
        marked: false,
        decimals: 0,
        values: without_spread(over(&|run| Some(run.images_per_second), 1.0)),
    });

    let cells: Vec<Vec<Cell>> = columns.iter().map(Column::cells).collect();
    let row = |(i, loss): (usize, &LossSummary<'_>)| Row {
        loss: loss.loss.to_owned(),
        missing: missing(loss, dimension.runs),
        cells: cells.iter().map(|column| column[i].clone()).collect(),
    };
    Table {
        title: match strata {
            Some(strata) => format!("{}: by {}", dimension.describe(), strata.title),
            None => dimension.describe(),
        },
        rows: dimension.losses.iter().enumerate().map(row).collect(),
        has_spread: columns.iter().any(|c| c.values.iter().flatten().any(|s| s.std.is_some())),
        columns: columns.into_iter().map(|column| column.heading).collect(),
    }
}

/// What is not there of a loss.
fn missing(loss: &LossSummary<'_>, runs: usize) -> Option<String> {
    let diverged = match loss.diverged {
        0 => None,
        1 => Some("diverged".to_owned()),
        more => Some(format!("{more} diverged")),
    };
    let found = match loss.runs.len() {
        0 if loss.diverged == 0 => Some("missing".to_owned()),
        found if found > 0 && found < runs => Some(format!("{found}/{runs} runs")),
        _ => None,
    };
    let parts: Vec<String> = [found, diverged].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Data, feature dimensions and numbers of images, in one line.
pub(crate) fn heading(results: &Results) -> String {
    let dimensions: Vec<String> =
        summary::by_dimension(results).iter().map(|d| d.feature_dim.to_string()).collect();
    let splits: Vec<String> = results
        .data
        .splits
        .iter()
        .map(|split| format!("{} {}", summary::grouped(split.images), split.name))
        .collect();
    format!(
        "{} · feature dimension{} {} · images: {}",
        results.data.name,
        if dimensions.len() == 1 { "" } else { "s" },
        if dimensions.is_empty() { "–".into() } else { dimensions.join(", ") },
        splits.join(", "),
    )
}

/// The results as text for a terminal.
pub fn summary_table(results: &Results) -> String {
    let mut text = heading(results) + "\n";
    if !results.complete {
        text += "Not complete: runs are missing.\n";
    }
    for table in tables(results) {
        text += &format!("\n{}\n{}\n", capitalized(&table.title), terminal(&table));
    }
    text += "\n";
    for note in results.layout.notes.iter().map(String::as_str).chain([NOTE]) {
        text += &format!("{}\n", note.replace("is marked", "has a *"));
    }
    text + &comparisons::terminal(results)
}

fn terminal(table: &Table) -> TerminalTable {
    let mut shown = TerminalTable::new();
    shown.load_style(if table.has_spread { presets::UTF8_FULL } else { presets::UTF8_FULL_CONDENSED });
    let header: Vec<TerminalCell> = std::iter::once(TerminalCell::new("\nLoss"))
        .chain(table.columns.iter().map(|heading| right(&shifted(heading))))
        .collect();
    shown.set_header(header);
    for row in &table.rows {
        let name = match &row.missing {
            Some(missing) => format!("{}\n({missing})", row.loss),
            None => row.loss.clone(),
        };
        let cells: Vec<TerminalCell> = std::iter::once(TerminalCell::new(name))
            .chain(row.cells.iter().map(|cell| right(&cell_text(cell))))
            .collect();
        shown.add_row(cells);
    }
    shown
}

/// A cell whose text ends at its right side.
pub(crate) fn right(text: &str) -> TerminalCell {
    TerminalCell::new(text).set_alignment(CellAlignment::Right)
}

/// Short, and with room for the mark, so that figures and headings stand in a line.
fn shifted(heading: &str) -> String {
    heading.lines().map(|line| format!("{}\u{a0}", line)).collect::<Vec<_>>().join("\n")
}

fn cell_text(cell: &Cell) -> String {
    let mark = if cell.best { '*' } else { '\u{a0}' };
    match &cell.spread {
        Some(spread) => format!("{}{mark}\n{spread}\u{a0}", cell.mean),
        None => format!("{}{mark}", cell.mean),
    }
}

/// The text with its first letter in upper case.
pub(crate) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[Option<f64>], marked: bool) -> Column {
        let values = values.iter().map(|v| v.map(|mean| Spread { mean, std: None })).collect();
        Column { heading: String::new(), marked, decimals: 1, values }
    }

    fn marks(column: &Column) -> Vec<bool> {
        column.cells().iter().map(|cell| cell.best).collect()
    }

    #[test]
    fn values_that_look_equal_are_marked_together() {
        assert_eq!(
            marks(&column(&[Some(98.71), Some(98.74), Some(98.2), None], true)),
            [true, true, false, false]
        );
    }

    #[test]
    fn a_column_of_times_has_no_best() {
        assert_eq!(marks(&column(&[Some(3.0), Some(1.0)], false)), [false, false]);
    }

    #[test]
    fn a_lone_value_is_not_the_best_of_anything() {
        assert_eq!(marks(&column(&[Some(3.0), None], true)), [false, false]);
    }
}
