//! The tables of a report: one for each feature dimension and stratification.

use cm_record::{Level, Results, RunRecord, Stratification};

use crate::{
    metric::{self, ACCURACY, Better},
    summary::{self, DimensionSummary, LossSummary, Spread},
    text::number,
};

/// What stands under every table, so that nobody reads more into a mark than it says.
pub(crate) const NOTE: &str = "The best value of a column is marked, except times. A lead smaller than the spread over \
                               seeds (±) is no lead.";

/// A table of one feature dimension.
pub(crate) struct Table {
    /// `feature dimension 64, 3 seeds: accuracy in percent by severity of the degradation`.
    pub title: String,
    /// What the first columns are levels of, and how many of them there are.
    pub group: Option<(String, usize)>,
    /// The columns after the loss.
    pub columns: Vec<Heading>,
    pub rows: Vec<Row>,
    /// Some cell has a spread.
    pub has_spread: bool,
}

/// The head of a column.
pub(crate) struct Heading {
    /// A line break separates its two lines.
    pub text: String,
    /// As short as it can be said.
    pub short: String,
    /// Test images that its figures are of.
    pub images: Option<String>,
}

/// One loss.
pub(crate) struct Row {
    pub loss: String,
    /// What is missing, if something is: `2/3 seeds`, `1 diverged`.
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
    heading: Heading,
    better: Better,
    decimals: usize,
    values: Vec<Option<Spread>>,
}

impl Column {
    fn cells(&self) -> Vec<Cell> {
        let shown = |v: f64| number(v, self.decimals);
        let means = || self.values.iter().flatten().map(|s| s.mean);
        let best = self.better.best(means()).filter(|_| means().count() > 1).map(shown);
        let cell = |value: &Option<Spread>| match value {
            None => Cell { mean: "–".into(), spread: None, best: false },
            Some(Spread { mean, std }) => Cell {
                mean: shown(*mean),
                spread: std.map(|std| format!("± {}", shown(std))),
                best: best.as_deref() == Some(&shown(*mean)),
            },
        };
        self.values.iter().map(cell).collect()
    }
}

/// How a level is called where there is one line for it: its label, unless that is a heading of
/// two lines.
pub(crate) fn one_line(level: &Level) -> &str {
    if level.label.contains('\n') { &level.name } else { &level.label }
}

/// The tables of a study.
pub(crate) fn tables(results: &Results) -> Vec<Table> {
    let mut tables = Vec::new();
    for dimension in summary::by_dimension(results) {
        let strata = &results.layout.stratifications;
        match strata.is_empty() {
            true => tables.push(table(results, &dimension, None)),
            false => tables.extend(strata.iter().map(|of| table(results, &dimension, Some(of)))),
        }
    }
    tables
}

fn table(results: &Results, dimension: &DimensionSummary<'_>, strata: Option<&Stratification>) -> Table {
    let levels = strata.map(|strata| (strata, dimension.levels(strata, ACCURACY)));
    let mut columns = Vec::new();
    if let Some((strata, levels)) = &levels {
        columns.extend(levels.iter().map(|level| {
            let stratum = strata.stratum(level);
            let short = one_line(level);
            figure(results, dimension, ACCURACY, &stratum, (&level.label, short), true)
        }));
    }
    columns.extend(results.layout.columns.iter().map(|column| {
        let heading = (column.heading.as_str(), column.heading.as_str());
        figure(results, dimension, &column.metric, &column.stratum, heading, column.percent)
    }));
    columns.push(time(dimension, "train\nseconds", 1, |run| run.train_seconds));
    columns.push(time(dimension, "images\nper s", 0, |run| run.images_per_second));

    let cells: Vec<Vec<Cell>> = columns.iter().map(Column::cells).collect();
    let row = |(i, loss): (usize, &LossSummary<'_>)| Row {
        loss: loss.loss.to_owned(),
        missing: missing(dimension, loss),
        cells: cells.iter().map(|column| column[i].clone()).collect(),
    };
    Table {
        title: match strata {
            Some(strata) => format!("{}: accuracy in percent by {}", dimension.describe(), strata.title),
            None => dimension.describe(),
        },
        group: levels
            .filter(|(_, levels)| !levels.is_empty())
            .map(|(of, levels)| (of.axis.clone(), levels.len())),
        rows: dimension.losses.iter().enumerate().map(row).collect(),
        has_spread: columns.iter().any(|c| c.values.iter().flatten().any(|s| s.std.is_some())),
        columns: columns.into_iter().map(|column| column.heading).collect(),
    }
}

/// A column of a figure that was measured.
fn figure(
    results: &Results,
    dimension: &DimensionSummary<'_>,
    metric: &str,
    stratum: &str,
    (text, short): (&str, &str),
    percent: bool,
) -> Column {
    let factor = if percent { 100.0 } else { 1.0 };
    let value = |loss: &LossSummary<'_>| Some(loss.figure(metric, stratum)?.scaled(factor));
    Column {
        heading: Heading {
            text: text.to_owned(),
            short: short.to_owned(),
            images: metric::images(results, dimension.feature_dim, metric, stratum),
        },
        better: Better::of(metric),
        decimals: if percent { 2 } else { 3 },
        values: dimension.losses.iter().map(value).collect(),
    }
}

/// A column of a time. None is marked as the best, and none has a spread: they are the machine's,
/// and differ by chance.
fn time(
    dimension: &DimensionSummary<'_>,
    heading: &str,
    decimals: usize,
    quantity: fn(&RunRecord) -> f64,
) -> Column {
    let mean = |loss: &LossSummary<'_>| {
        loss.over_seeds(|run| Some(quantity(run))).map(|spread| Spread { std: None, ..spread })
    };
    Column {
        heading: Heading { text: heading.to_owned(), short: heading.to_owned(), images: None },
        better: Better::Neither,
        decimals,
        values: dimension.losses.iter().map(mean).collect(),
    }
}

/// What is not there of a loss.
fn missing(dimension: &DimensionSummary<'_>, loss: &LossSummary<'_>) -> Option<String> {
    let (finished, diverged, runs) = (loss.runs.len(), loss.diverged, dimension.runs);
    let found = match finished {
        0 if diverged == 0 => Some("missing".to_owned()),
        0 => None,
        _ if finished < runs => Some(format!("{finished}/{runs} {}s", dimension.repeat())),
        _ => None,
    };
    let diverged = match diverged {
        0 => None,
        1 if runs == 1 => Some("diverged".to_owned()),
        _ => Some(format!("{diverged} diverged")),
    };
    let parts: Vec<String> = [found, diverged].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[Option<f64>], better: Better) -> Column {
        let values = values.iter().map(|v| v.map(|mean| Spread { mean, std: None })).collect();
        let heading = Heading { text: String::new(), short: String::new(), images: None };
        Column { heading, better, decimals: 1, values }
    }

    fn marks(column: &Column) -> Vec<bool> {
        column.cells().iter().map(|cell| cell.best).collect()
    }

    #[test]
    fn values_that_look_equal_are_marked_together() {
        let found = marks(&column(&[Some(98.71), Some(98.74), Some(98.2), None], Better::Higher));
        assert_eq!(found, [true, true, false, false]);
    }

    #[test]
    fn the_least_error_is_the_best_and_a_time_never() {
        assert_eq!(marks(&column(&[Some(3.0), Some(1.0)], Better::Lower)), [false, true]);
        assert_eq!(marks(&column(&[Some(3.0), Some(1.0)], Better::Neither)), [false, false]);
    }

    #[test]
    fn a_lone_value_is_not_the_best_of_anything() {
        assert_eq!(marks(&column(&[Some(3.0), None], Better::Higher)), [false, false]);
    }

    #[test]
    fn a_correlation_that_rounds_to_zero_has_no_minus() {
        let cells = column(&[Some(-0.04), Some(-0.06)], Better::Higher).cells();
        assert_eq!((cells[0].mean.as_str(), cells[1].mean.as_str()), ("0.0", "−0.1"));
        assert_eq!((cells[0].best, cells[1].best), (true, false));
    }

    #[test]
    fn a_heading_of_two_lines_is_called_by_its_name_where_there_is_one_line() {
        let level = |label: &str| Level { name: "3".to_owned(), label: label.to_owned() };
        assert_eq!(one_line(&level("severity\n3")), "3");
        assert_eq!(one_line(&level("25–34")), "25–34");
    }
}
