//! The table of accuracies: its content, and how a terminal shows it.

use comfy_table::{Cell as TerminalCell, CellAlignment, Table as TerminalTable, presets};

use super::summary::{self, DimensionSummary, LossSummary, Spread};
use crate::experiment::Results;

/// What stands under the tables, so that nobody reads more into a mark than it says.
pub(super) const NOTES: [&str; 3] = [
    "Accuracy on the test images in percent, by severity of their degradation (0: untouched).",
    "The best value of a column is marked, except times. A lead smaller than the spread over seeds (±) is no lead.",
    "ρ: Spearman correlation of feature norm and image quality; losses of constant scale do not train the norm.",
];

/// The table of one feature dimension.
pub(super) struct AccuracyTable {
    /// `feature dimension 64, 3 seeds`.
    pub title: String,
    /// Headings of the columns after the loss; a line break separates the two lines of a heading.
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
    /// Some cell has a spread.
    pub has_spread: bool,
}

/// One loss.
pub(super) struct Row {
    pub loss: String,
    /// What is missing, if something is: `2/3 seeds`.
    pub missing: Option<String>,
    pub cells: Vec<Cell>,
}

/// One value.
#[derive(Clone)]
pub(super) struct Cell {
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
    /// Say with `± –` that the spread is unknown.
    always_spread: bool,
    values: Vec<Option<Spread>>,
}

impl Column {
    fn cells(&self) -> Vec<Cell> {
        let shown = |v: f64| format!("{v:.*}", self.decimals).replace('-', "−");
        let means = || self.values.iter().flatten().map(|s| s.mean);
        let best = means().reduce(f64::max).filter(|_| self.marked && means().count() > 1).map(shown);
        self.values
            .iter()
            .map(|value| match value {
                None => Cell { mean: "–".into(), spread: None, best: false },
                Some(Spread { mean, std }) => Cell {
                    mean: shown(*mean),
                    spread: match std {
                        Some(std) => Some(format!("± {}", shown(*std))),
                        None => self.always_spread.then(|| "± –".into()),
                    },
                    best: best.as_deref() == Some(&shown(*mean)),
                },
            })
            .collect()
    }
}

/// The tables of an experiment, one for each feature dimension.
pub(super) fn tables(results: &Results) -> Vec<AccuracyTable> {
    summary::by_dimension(results).iter().map(table).collect()
}

fn table(dimension: &DimensionSummary<'_>) -> AccuracyTable {
    let over_losses =
        |value: &dyn Fn(&LossSummary<'_>) -> Option<Spread>| dimension.losses.iter().map(value).collect();
    let without_spread = |spread: Option<Spread>| spread.map(|s| Spread { std: None, ..s });

    let mut columns: Vec<Column> = dimension
        .severities
        .iter()
        .map(|&severity| Column {
            heading: if severity == 0 { "clean\n(0)".into() } else { format!("severity\n{severity}") },
            marked: true,
            decimals: 2,
            always_spread: false,
            values: over_losses(&|l| l.over_seeds(summary::accuracy_at(severity)).map(|s| s.scaled(100.0))),
        })
        .collect();
    columns.push(Column {
        heading: match dimension.severities.iter().filter(|&&s| s > 0).collect::<Vec<_>>().as_slice() {
            [first, .., last] => format!("mean\n{first}–{last}"),
            _ => "mean\ndegraded".into(),
        },
        marked: true,
        decimals: 2,
        always_spread: true,
        values: over_losses(&|l| l.over_seeds(summary::low_quality_accuracy).map(|s| s.scaled(100.0))),
    });
    columns.push(Column {
        heading: "ρ (norm,\nquality)".into(),
        marked: true,
        decimals: 3,
        always_spread: false,
        values: over_losses(&|l| l.over_seeds(|run| run.norm_quality_spearman)),
    });
    columns.push(Column {
        heading: "train\nseconds".into(),
        marked: false,
        decimals: 1,
        always_spread: false,
        values: over_losses(&|l| without_spread(l.over_seeds(|run| Some(run.train_seconds)))),
    });
    columns.push(Column {
        heading: "images\nper s".into(),
        marked: false,
        decimals: 0,
        always_spread: false,
        values: over_losses(&|l| without_spread(l.over_seeds(|run| Some(run.images_per_second)))),
    });

    let cells: Vec<Vec<Cell>> = columns.iter().map(Column::cells).collect();
    let rows = dimension
        .losses
        .iter()
        .enumerate()
        .map(|(i, loss)| Row {
            loss: loss.loss.to_owned(),
            missing: match (loss.runs.len(), dimension.seeds.len()) {
                (0, _) => Some("missing".into()),
                (found, seeds) if found < seeds => Some(format!("{found}/{seeds} seeds")),
                _ => None,
            },
            cells: cells.iter().map(|column| column[i].clone()).collect(),
        })
        .collect();
    AccuracyTable {
        title: dimension.describe(),
        columns: columns.iter().map(|c| c.heading.clone()).collect(),
        rows,
        has_spread: columns.iter().any(|c| c.values.iter().flatten().any(|s| s.std.is_some())),
    }
}

/// Data, feature dimensions and numbers of images, in one line.
pub(super) fn heading(results: &Results) -> String {
    let dimensions: Vec<String> =
        summary::by_dimension(results).iter().map(|d| d.feature_dim.to_string()).collect();
    format!(
        "{} · feature dimension{} {} · trained on {} · tested on {} at each severity",
        results.data.name,
        if dimensions.len() == 1 { "" } else { "s" },
        if dimensions.is_empty() { "–".into() } else { dimensions.join(", ") },
        summary::count(results.data.train_images, "image"),
        summary::grouped(results.data.test_images),
    )
}

/// The results as text for a terminal of 110 columns.
pub fn summary_table(results: &Results) -> String {
    let mut text = heading(results) + "\n";
    if !results.complete {
        text += "Not complete: runs are missing.\n";
    }
    for table in tables(results) {
        text += &format!("\n{}\n{}\n", capitalised(&table.title), terminal(&table));
    }
    text += "\n";
    for note in NOTES {
        text += &format!("{}\n", note.replace("is marked", "has a *"));
    }
    text
}

fn terminal(table: &AccuracyTable) -> TerminalTable {
    let mut shown = TerminalTable::new();
    shown.load_style(if table.has_spread { presets::UTF8_FULL } else { presets::UTF8_FULL_CONDENSED });
    let right = |text: &str| TerminalCell::new(text).set_alignment(CellAlignment::Right);
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
            .chain(row.cells.iter().map(|cell| right(&cell_text(cell, table.has_spread))))
            .collect();
        shown.add_row(cells);
    }
    shown
}

/// Short, and with room for the mark, so that figures and headings stand in a line.
fn shifted(heading: &str) -> String {
    heading
        .lines()
        .map(|line| format!("{}\u{a0}", line.replace("severity", "sev.")))
        .collect::<Vec<_>>()
        .join("\n")
}

fn cell_text(cell: &Cell, spread_below: bool) -> String {
    let mark = if cell.best { '*' } else { '\u{a0}' };
    match &cell.spread {
        Some(spread) if spread_below => format!("{}{mark}\n{spread}\u{a0}", cell.mean),
        Some(spread) => format!("{}{mark} {spread}", cell.mean),
        None => format!("{}{mark}", cell.mean),
    }
}

/// The text with its first letter in upper case.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[Option<f64>], marked: bool) -> Column {
        let values = values.iter().map(|v| v.map(|mean| Spread { mean, std: None })).collect();
        Column { heading: String::new(), marked, decimals: 1, always_spread: false, values }
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
