//! Legends, and the grid of panels they share with the charts.

use super::{
    canvas::{Area, Draw, EDGE, LEFT, WIDTH, at, plain},
    mark::mark,
    style::{INK, LossStyle},
};
use crate::typeface;

/// Height of a row of a legend in pixels.
pub(crate) const ROW_HEIGHT: u32 = 26;
/// Size of its letters.
pub(crate) const LETTERS: f64 = 13.0;
const LINE: f64 = 26.0;
const GAP: f64 = 8.0;
const BETWEEN: f64 = 26.0;

/// Entries of a legend of these widths in pixels, as many in a row as fit beside each other. Each
/// row has the positions of its entries, and where they begin.
pub(crate) fn flowed(widths: &[f64], available: f64, between: f64) -> Vec<Vec<(usize, f64)>> {
    let mut rows: Vec<Vec<(usize, f64)>> = Vec::new();
    let mut x = f64::INFINITY;
    for (i, width) in widths.iter().enumerate() {
        if x + width > available {
            rows.push(Vec::new());
            x = 0.0;
        }
        if let Some(row) = rows.last_mut() {
            row.push((i, x));
        }
        x += width + between;
    }
    rows
}

fn widths(losses: &[(usize, &str)]) -> Vec<f64> {
    losses.iter().map(|(_, loss)| LINE + GAP + typeface::width(loss, LETTERS)).collect()
}

fn rows(losses: &[(usize, &str)]) -> Vec<Vec<(usize, f64)>> {
    flowed(&widths(losses), f64::from(WIDTH) - 2.0 * EDGE, BETWEEN)
}

/// Height of [`losses`] in pixels.
pub(crate) fn strip_height(losses: &[(usize, &str)]) -> u32 {
    18 + ROW_HEIGHT * rows(losses).len() as u32
}

/// A line with a mark and a name for each loss, centered in a strip, in as many rows as it takes.
/// A loss comes with its place in the order of the study.
pub(crate) fn losses(strip: &Area<'_>, losses: &[(usize, &str)]) -> Draw<()> {
    let widths = widths(losses);
    for (i, row) in rows(losses).into_iter().enumerate() {
        let Some(&(last, start)) = row.last() else { continue };
        let left = ((f64::from(WIDTH) - start - widths[last]) / 2.0).max(EDGE);
        let y = 22.0 + f64::from(ROW_HEIGHT) * i as f64;
        for (entry, start) in row {
            let (position, loss) = losses[entry];
            let (x, style) = (left + start, LossStyle::of(loss, position));
            style.sample(strip, (x, x + LINE), y)?;
            mark(strip, (at(x + LINE / 2.0), at(y)), style, 4.5)?;
            strip.draw_text(loss, &plain(LETTERS, INK, LEFT), (at(x + LINE + GAP), at(y)))?;
        }
    }
    Ok(())
}

/// Rows and columns for panels and, in the last cell, their legend.
pub(crate) fn grid(panels: usize) -> (usize, usize) {
    let cells = panels + 1;
    let columns = match cells {
        0..=3 => cells,
        4 => 2,
        5..=9 => 3,
        _ => 4,
    };
    (cells.div_ceil(columns), columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_has_a_cell_for_every_panel_and_the_legend() {
        for panels in 1..20 {
            let (rows, columns) = grid(panels);
            assert!(rows * columns > panels, "{panels} panels in {rows} × {columns}");
        }
        assert_eq!(grid(5), (2, 3));
    }

    #[test]
    fn entries_that_do_not_fit_go_on_in_the_next_row() {
        let rows = flowed(&[40.0, 40.0, 40.0], 100.0, 10.0);
        assert_eq!(rows, [vec![(0, 0.0), (1, 50.0)], vec![(2, 0.0)]]);
        assert_eq!(flowed(&[400.0], 100.0, 10.0), [vec![(0, 0.0)]]);
        assert!(flowed(&[], 100.0, 10.0).is_empty());
    }
}
