//! Differences between losses over the seeds, as sentences and tables show them.

use cm_record::{CONFIDENCE, Comparison, Results};
use comfy_table::{Table as TerminalTable, presets};

use crate::{
    summary::{count, number, signed},
    table::{capitalized, right},
};

/// The comparisons of one figure and feature dimension.
pub(crate) struct Family<'a> {
    /// `on untouched images (severity 0), feature dimension 64`.
    pub title: String,
    pub rows: Vec<Row<'a>>,
    /// What the table says, and what it does not.
    pub note: String,
}

/// One comparison, as it is shown.
pub(crate) struct Row<'a> {
    pub comparison: &'a Comparison,
    /// `CM-CosFace − CosFace`.
    pub pair: String,
    /// In percentage points.
    pub mean: String,
    pub interval: String,
    pub p: String,
}

/// The comparisons by figure and feature dimension. None where every loss has a single seed.
pub(crate) fn families(results: &Results) -> Vec<Family<'_>> {
    let mut families = Vec::new();
    let mut dims: Vec<usize> = results.comparisons.iter().map(|comparison| comparison.feature_dim).collect();
    dims.dedup();
    for headline in &results.layout.headlines {
        for &dim in &dims {
            let of = |comparison: &&Comparison| {
                comparison.interval.is_some()
                    && comparison.feature_dim == dim
                    && (&comparison.metric, &comparison.stratum) == (&headline.metric, &headline.stratum)
            };
            let rows: Vec<Row<'_>> = results.comparisons.iter().filter(of).map(row).collect();
            let Some(pairs) = rows.iter().map(|row| row.comparison.pairs).max() else { continue };
            families.push(Family {
                title: format!("{} {}, feature dimension {dim}", headline.metric, headline.phrase),
                note: format!(
                    "Differences in percentage points, seed by seed over {}, with the {:.0} % interval of a paired t-test; \
                     p values are corrected by Holm's method for the {} of this table, and a difference with p below {} \
                     is marked.",
                    count(pairs, "pair"),
                    100.0 * CONFIDENCE,
                    count(rows.len(), "comparison"),
                    number(1.0 - CONFIDENCE, 2),
                ),
                rows,
            });
        }
    }
    families.dedup_by(|a, b| a.title == b.title);
    families
}

fn row(comparison: &Comparison) -> Row<'_> {
    let (low, high) = comparison.interval.unwrap_or((f64::NAN, f64::NAN));
    Row {
        comparison,
        pair: format!("{} − {}", comparison.loss, comparison.baseline),
        mean: signed(100.0 * comparison.mean, 2),
        interval: format!("{} to {}", signed(100.0 * low, 2), signed(100.0 * high, 2)),
        p: comparison.p_adjusted.map_or("–".to_owned(), |p| match p < 0.0005 {
            true => "< 0.001".to_owned(),
            false => number(p, 3),
        }),
    }
}

/// The comparisons as text for a terminal.
pub(crate) fn terminal(results: &Results) -> String {
    let mut text = String::new();
    for family in families(results) {
        let mut table = TerminalTable::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_header(["Difference", "mean", "95 % interval", "p (Holm)"]);
        for row in &family.rows {
            let mark = if row.comparison.is_significant() { "*" } else { "\u{a0}" };
            let mean = format!("{}{mark}", row.mean);
            table.add_row([
                comfy_table::Cell::new(&row.pair),
                right(&mean),
                right(&row.interval),
                right(&row.p),
            ]);
        }
        text += &format!("\n{}\n{table}\n", capitalized(&family.title));
        text += &format!("{}\n", family.note.replace("is marked", "has a *"));
    }
    text
}
