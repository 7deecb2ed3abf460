//! Legends, and the grid of panels they share with the charts.

use plotters::{element::PathElement, style::Color};

use super::{
    canvas::{Area, Draw, LEFT, WIDTH, at, plain, size},
    mark::mark,
    style::{INK, loss_color},
};

/// Height of a row of [`losses`] in pixels.
const ROW_HEIGHT: u32 = 26;
const LINE: f64 = 26.0;
const GAP: f64 = 8.0;
const BETWEEN: f64 = 26.0;

/// Width of an entry with the space after it. The letters are counted and not measured, since the height of the picture
/// must be known before there is anything to measure with.
fn entry_width(loss: &str) -> f64 {
    LINE + GAP + 7.0 * loss.chars().count() as f64 + BETWEEN
}

/// The losses of each row: as many as fit beside each other.
fn rows<'a>(losses: &[(usize, &'a str)]) -> Vec<Vec<(usize, &'a str)>> {
    let mut rows: Vec<Vec<(usize, &str)>> = Vec::new();
    let mut left = 0.0;
    for &(position, loss) in losses {
        let width = entry_width(loss);
        match rows.last_mut() {
            Some(row) if left >= width => row.push((position, loss)),
            _ => {
                rows.push(vec![(position, loss)]);
                left = f64::from(WIDTH) - 36.0 + BETWEEN;
            }
        }
        left -= width;
    }
    rows
}

/// Height of [`losses`] in pixels.
pub(crate) fn strip_height(losses: &[(usize, &str)]) -> u32 {
    18 + ROW_HEIGHT * rows(losses).len() as u32
}

/// A line with a mark and a name for each loss, centered in a strip, in as many rows as it takes.
pub(crate) fn losses(strip: &Area<'_>, losses: &[(usize, &str)]) -> Draw<()> {
    let style = plain(13.0, INK, LEFT);
    for (i, row) in rows(losses).into_iter().enumerate() {
        let widths: Vec<f64> = row
            .iter()
            .map(|(_, loss)| Ok(f64::from(strip.estimate_text_size(loss, &style)?.0) / f64::from(size(1))))
            .collect::<Draw<_>>()?;
        let total = widths.iter().map(|w| LINE + GAP + w + BETWEEN).sum::<f64>() - BETWEEN;
        let mut x = ((f64::from(WIDTH) - total) / 2.0).max(18.0);
        let y = 22.0 + f64::from(ROW_HEIGHT) * i as f64;
        for ((position, loss), width) in row.iter().zip(widths) {
            let color = loss_color(loss, *position);
            strip.draw(&PathElement::new(
                vec![(at(x), at(y)), (at(x + LINE), at(y))],
                color.stroke_width(size(2)),
            ))?;
            mark(strip, (at(x + LINE / 2.0), at(y)), *position, 4.5, color)?;
            strip.draw_text(loss, &style, (at(x + LINE + GAP), at(y)))?;
            x += LINE + GAP + width + BETWEEN;
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
}
