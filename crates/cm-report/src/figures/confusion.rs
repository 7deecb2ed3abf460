//! How often each class was taken for each, as a picture.

use plotters::{
    element::Rectangle,
    style::{Color, RGBColor, WHITE},
};

use super::{
    canvas::{CENTER, HEADING_HEIGHT, LEFT, RIGHT, at, picture, plain},
    style::{GRID, INK, MUTED},
};
use crate::{Figure, Kind, ReportError, summary::grouped};

/// More classes than this would be a carpet; then the most confused ones are shown.
const MOST: usize = 60;
/// Side of the matrix in pixels.
const SIDE: f64 = 720.0;
/// Room for the names of the classes on the left.
const NAMES: f64 = 190.0;
/// Letters of a name that find room.
const LETTERS: usize = 24;
const FULL: RGBColor = RGBColor(0x0b, 0x4f, 0x8a);
const WRONG: RGBColor = RGBColor(0xc8, 0x3e, 0x1e);

/// A picture of a confusion matrix, `counts[class][predicted]`: each row in shares of its class, right ones blue and wrong
/// ones red. Of more than 60 classes the ones with the most wrong images are shown.
///
/// # Errors
///
/// [`ReportError::Drawing`] if it cannot be drawn.
pub fn confusion(
    name: &str,
    title: &str,
    classes: &[String],
    counts: &[Vec<usize>],
) -> Result<Figure, ReportError> {
    let wrong = |class: usize| counts[class].iter().sum::<usize>() - counts[class][class];
    let mut shown: Vec<usize> = (0..counts.len()).collect();
    shown.sort_by_key(|&class| (std::cmp::Reverse(wrong(class)), class));
    shown.truncate(MOST);
    shown.sort_unstable();
    let images: usize = counts.iter().flatten().sum();
    let mut subtitle = format!("{} images, rows in shares of their class", grouped(images));
    if shown.len() < counts.len() {
        subtitle += &format!("; the {MOST} of {} classes with the most wrong images", counts.len());
    }
    let count = shown.len();
    let cell = SIDE / count.max(1) as f64;
    let text = (cell * 0.42).clamp(5.0, 13.0);
    let label = |class: usize| -> String {
        let name = classes.get(class).cloned().unwrap_or_else(|| class.to_string());
        // The embedded typeface has Latin letters only.
        let latin = name.chars().all(|letter| (letter as u32) < 0x250);
        let name = if latin { name } else { format!("class {class}") };
        match name.chars().count() > LETTERS {
            true => name.chars().take(LETTERS - 1).chain(['…']).collect(),
            false => name,
        }
    };
    let size = ((NAMES + SIDE + 30.0) as u32, HEADING_HEIGHT + (SIDE + 64.0) as u32);
    let svg = picture(name, size, title, &subtitle, |sheet| {
        for (row, &class) in shown.iter().enumerate() {
            let total: usize = counts[class].iter().sum();
            let y = cell * row as f64 + 4.0;
            let middle = at(y + cell / 2.0);
            sheet.draw_text(&label(class), &plain(text, INK, RIGHT), (at(NAMES - 8.0), middle))?;
            for (column, &predicted) in shown.iter().enumerate() {
                let x = NAMES + cell * column as f64;
                let corners = [(at(x), at(y)), (at(x + cell), at(y + cell))];
                let found = counts[class][predicted];
                let share = found as f64 / total.max(1) as f64;
                let color = if class == predicted { FULL } else { WRONG };
                // A root shows single mistakes among many images.
                sheet.draw(&Rectangle::new(corners, color.mix(share.sqrt()).filled()))?;
                sheet.draw(&Rectangle::new(corners, GRID.stroke_width(1)))?;
                if found > 0 && cell >= 13.0 {
                    let ink = if share > 0.3 { WHITE } else { INK };
                    let center = (at(x + cell / 2.0), middle);
                    sheet.draw_text(&found.to_string(), &plain(text, ink, CENTER), center)?;
                }
            }
        }
        let below = at(SIDE + 22.0);
        for (column, &predicted) in shown.iter().enumerate() {
            if cell >= 22.0 || column % (22.0 / cell).ceil() as usize == 0 {
                let x = at(NAMES + cell * (column as f64 + 0.5));
                sheet.draw_text(&predicted.to_string(), &plain(text.max(8.0), MUTED, CENTER), (x, below))?;
            }
        }
        let axis = "predicted class, by its number from 0";
        sheet.draw_text(axis, &plain(13.0, INK, LEFT), (at(NAMES), at(SIDE + 46.0)))
    })?;
    let caption = format!("{title}. {subtitle}. Blue: recognized; red: taken for another class.");
    Ok(Figure { kind: Kind::Other, name: name.to_owned(), caption, svg })
}
