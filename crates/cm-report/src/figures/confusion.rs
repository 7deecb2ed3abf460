//! How often each class was taken for each, as a picture.

use plotters::{
    element::Rectangle,
    style::{Color, RGBColor, WHITE},
};

use super::{
    canvas::{Area, CENTER, Draw, EDGE, LEFT, RIGHT, at, bold, picture, plain, size, upwards},
    confused_pairs::{self, Pair},
    style::{GRID, INK, MUTED},
};
use crate::{
    Figure, Kind, ReportError,
    text::{count, grouped, percent},
    typeface,
};

/// More classes than this would be a carpet: then the most confused pairs are listed.
const MOST: usize = 60;
/// Side of the matrix in pixels: about that, with cells of whole pixels.
const SIDE: f64 = 760.0;
/// The largest cell.
const LARGEST: f64 = 56.0;
/// The smallest cell that a count is written into.
const WRITTEN: f64 = 26.0;
/// The longest name of a class in pixels.
const LONGEST: f64 = 190.0;
/// Pixels of the description of an axis.
const AXIS: f64 = 26.0;
/// Pairs listed beside a matrix whose counts are not written.
const LISTED: usize = 24;
/// Pairs listed instead of a matrix.
const ALONE: usize = 30;
const LIST_WIDTH: f64 = 400.0;

const RIGHT_CLASS: RGBColor = RGBColor(0x0b, 0x4f, 0x8a);
const WRONG_CLASS: RGBColor = RGBColor(0xc8, 0x3e, 0x1e);

/// A picture of a confusion matrix, `counts[class][predicted]`.
///
/// Up to 60 classes are a matrix, each row in shares of its class; where its cells are too small
/// for the counts, the most confused pairs are listed beside it. Of more classes there is the list
/// alone. A class whose name has letters that the typeface lacks is called by its index.
///
/// # Errors
///
/// [`ReportError::Drawing`] if there is not one row and one column for each class, or the picture
/// cannot be drawn.
pub fn confusion(
    name: &str,
    title: &str,
    classes: &[String],
    counts: &[Vec<usize>],
) -> Result<Figure, ReportError> {
    let square = counts.len() == classes.len() && counts.iter().all(|row| row.len() == classes.len());
    if !square || classes.is_empty() {
        let reason = format!("a matrix of {} classes needs as many rows and columns", classes.len());
        return Err(ReportError::drawing(name, reason));
    }
    let names: Vec<String> = classes.iter().enumerate().map(|(i, class)| class_name(class, i)).collect();
    let images: usize = counts.iter().flatten().sum();
    let right: usize = (0..counts.len()).map(|class| counts[class][class]).sum();
    let recognized = percent(right as f64 / images.max(1) as f64, 2);
    let subtitle = format!("{}, {recognized} of them recognized", count(images, "image"));
    let (svg, what) = match classes.len() > MOST {
        true => {
            let pairs = confused_pairs::most(&names, counts, ALONE);
            let draw = |sheet: &Area<'_>| confused_pairs::draw(sheet, &pairs, EDGE, 0.0, 700.0);
            let height = confused_pairs::height(&pairs) + 16;
            (
                picture(name, (760, height), title, &subtitle, draw)?,
                "The pairs of classes confused most often.",
            )
        }
        false => {
            let matrix = Matrix::new(&names, counts);
            let draw = |sheet: &Area<'_>| matrix.draw(sheet);
            let what = "Each row is a class, and its cells are the shares of its images that were taken for each class: \
                        blue for the class itself, red for another. The color grows with the root of the share, so that \
                        single mistakes are seen.";
            (picture(name, matrix.size(), title, &subtitle, draw)?, what)
        }
    };
    let caption = format!("{title}. {subtitle}. {what}");
    Ok(Figure { kind: Kind::Other, name: name.to_owned(), caption, svg })
}

/// The name of a class, or its index where the name cannot be written.
fn class_name(class: &str, index: usize) -> String {
    let writable = !class.trim().is_empty() && typeface::covers(class);
    if writable { class.replace('\n', " ") } else { index.to_string() }
}

struct Matrix<'a> {
    counts: &'a [Vec<usize>],
    /// The names as they are written.
    names: Vec<String>,
    /// Side of a cell, size of the letters, and room for the names, in pixels.
    cell: f64,
    letters: f64,
    room: f64,
    /// The names above stand upright.
    turned: bool,
    pairs: Vec<Pair>,
}

impl<'a> Matrix<'a> {
    fn new(names: &[String], counts: &'a [Vec<usize>]) -> Self {
        let cell = (SIDE / names.len() as f64).floor().clamp(1.0, LARGEST);
        let letters = (cell * 0.72).clamp(7.5, 13.0);
        let names: Vec<String> = names.iter().map(|name| typeface::fitted(name, letters, LONGEST)).collect();
        let room = names.iter().map(|name| typeface::width(name, letters)).fold(0.0, f64::max);
        let pairs = if cell < WRITTEN { confused_pairs::most(&names, counts, LISTED) } else { Vec::new() };
        Self { counts, cell, letters, room, turned: room + 6.0 > cell, names, pairs }
    }

    /// Left end and top of the cells.
    fn origin(&self) -> (f64, f64) {
        let above = if self.turned { self.room } else { self.letters };
        (EDGE + AXIS + self.room + 10.0, AXIS + above + 12.0)
    }

    fn size(&self) -> (u32, u32) {
        let side = self.cell * self.names.len() as f64;
        let (left, top) = self.origin();
        let list = if self.pairs.is_empty() { 0.0 } else { LIST_WIDTH + 24.0 };
        let height = (top + side).max(f64::from(confused_pairs::height(&self.pairs)));
        ((left + side + list + 24.0).max(420.0) as u32, height as u32 + 20)
    }

    fn draw(&self, sheet: &Area<'_>) -> Draw<()> {
        let (left, top) = self.origin();
        let side = self.cell * self.names.len() as f64;
        let description = bold(12.5, INK, CENTER);
        sheet.draw_text("predicted class", &description, (at(left + side / 2.0), at(12.0)))?;
        let down = (at(EDGE + 8.0), at(top + side / 2.0));
        sheet.draw_text("class", &upwards(description), down)?;
        for (row, class) in self.names.iter().enumerate() {
            let y = top + self.cell * (row as f64 + 0.5);
            sheet.draw_text(class, &plain(self.letters, INK, RIGHT), (at(left - 8.0), at(y)))?;
            let x = at(left + self.cell * (row as f64 + 0.5));
            match self.turned {
                true => {
                    let style = upwards(plain(self.letters, INK, LEFT));
                    sheet.draw_text(class, &style, (x, at(top - 8.0)))?;
                }
                false => {
                    let y = at(top - 8.0 - self.letters / 2.0);
                    sheet.draw_text(class, &plain(self.letters, INK, CENTER), (x, y))?;
                }
            }
            self.draw_row(sheet, row, left, top + self.cell * row as f64)?;
        }
        let frame = [(at(left), at(top)), (at(left + side), at(top + side))];
        sheet.draw(&Rectangle::new(frame, MUTED.stroke_width(size(1))))?;
        confused_pairs::draw(sheet, &self.pairs, left + side + 36.0, 0.0, LIST_WIDTH)
    }

    fn draw_row(&self, sheet: &Area<'_>, class: usize, left: f64, y: f64) -> Draw<()> {
        let total: usize = self.counts[class].iter().sum();
        let letters = (self.cell * 0.32).clamp(9.0, 14.0);
        for (predicted, &found) in self.counts[class].iter().enumerate() {
            let x = left + self.cell * predicted as f64;
            let corners = [(at(x), at(y)), (at(x + self.cell), at(y + self.cell))];
            let depth = (found as f64 / total.max(1) as f64).sqrt();
            let color = if class == predicted { RIGHT_CLASS } else { WRONG_CLASS };
            if found > 0 {
                sheet.draw(&Rectangle::new(corners, color.mix(depth.max(0.08)).filled()))?;
            }
            sheet.draw(&Rectangle::new(corners, GRID.stroke_width(1)))?;
            let text = grouped(found);
            if found > 0 && self.cell >= WRITTEN && typeface::width(&text, letters) < self.cell - 2.0 {
                let ink = if depth > 0.6 { WHITE } else { INK };
                let center = (at(x + self.cell / 2.0), at(y + self.cell / 2.0));
                sheet.draw_text(&text, &plain(letters, ink, CENTER), center)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_that_cannot_be_written_is_called_by_its_index() {
        assert_eq!(class_name("Vorfahrt", 3), "Vorfahrt");
        assert_eq!(class_name("停车让行", 3), "3");
        assert_eq!(class_name(" ", 4), "4");
    }
}
