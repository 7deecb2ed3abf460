//! The legend of the two-dimensional features.

use std::collections::BTreeSet;

use plotters::{
    element::{Circle, Cross, PathElement},
    style::Color,
};

use super::{CROSS, FIRST_OPACITY, Groups};
use crate::{
    figures::{
        canvas::{Area, Draw, EDGE, LEFT, at, plain, size},
        legend::{ROW_HEIGHT, flowed},
        style::{CLASS_COLORS, INK, class_color},
    },
    text::grouped,
    typeface,
};

/// More classes than this are not listed; their numbers are in the picture.
const LISTED: usize = 20;
/// Size of the letters.
const LETTERS: f64 = 12.5;
/// Between two entries.
const BETWEEN: f64 = 20.0;
/// Between a sign and its name.
const GAP: f64 = 12.0;

/// The classes, and how quality and origin are shown, in as many rows as it takes.
pub(super) struct Legend {
    entries: Vec<Entry>,
    rows: Vec<Vec<(usize, f64)>>,
}

/// A name, and what stands in front of it.
struct Entry {
    sign: Sign,
    name: String,
}

enum Sign {
    Nothing,
    Class(u32),
    First,
    Other,
    Origin,
}

impl Legend {
    /// For a picture that has so many pixels for it.
    pub(super) fn new(classes: &BTreeSet<u32>, groups: Option<&Groups<'_>>, width: f64) -> Self {
        let entries = entries(classes, groups);
        let widths: Vec<f64> =
            entries.iter().map(|entry| entry.text_start() + typeface::width(&entry.name, LETTERS)).collect();
        Self { rows: flowed(&widths, width, BETWEEN), entries }
    }

    /// Pixels that it needs.
    pub(super) fn height(&self) -> u32 {
        30 + ROW_HEIGHT * self.rows.len() as u32
    }

    pub(super) fn draw(&self, strip: &Area<'_>) -> Draw<()> {
        for (row, entries) in self.rows.iter().enumerate() {
            let y = 24.0 + f64::from(ROW_HEIGHT) * row as f64;
            for &(i, x) in entries {
                self.entries[i].draw(strip, EDGE + x, y)?;
            }
        }
        Ok(())
    }
}

fn entries(classes: &BTreeSet<u32>, groups: Option<&Groups<'_>>) -> Vec<Entry> {
    let entry = |sign, name: &str| Entry { sign, name: name.to_owned() };
    let mut entries = Vec::new();
    if classes.len() > LISTED {
        let (classes, colors) = (grouped(classes.len()), CLASS_COLORS.len());
        let name = format!("{classes} classes, called by their numbers; every {colors}th has the same color");
        entries.push(entry(Sign::Nothing, &name));
    } else {
        entries.push(entry(Sign::Nothing, "Class"));
        entries.extend(classes.iter().map(|&class| entry(Sign::Class(class), &class.to_string())));
    }
    if let Some(groups) = groups {
        entries.push(entry(Sign::First, &groups.first));
        entries.push(entry(Sign::Other, &groups.others));
    }
    entries.push(entry(Sign::Origin, "origin: feature norm 0"));
    entries
}

impl Entry {
    fn text_start(&self) -> f64 {
        match self.sign {
            Sign::Nothing => 0.0,
            _ => GAP,
        }
    }

    fn draw(&self, strip: &Area<'_>, x: f64, y: f64) -> Draw<()> {
        let text = (at(x + self.text_start()), at(y));
        let point = (at(x), at(y));
        match self.sign {
            Sign::Nothing => {}
            Sign::Class(class) => strip.draw(&Circle::new(point, at(5.0), class_color(class).filled()))?,
            Sign::First => strip.draw(&Circle::new(point, at(1.7), INK.mix(FIRST_OPACITY).filled()))?,
            Sign::Other => strip.draw(&Cross::new(point, at(CROSS), INK.stroke_width(size(1))))?,
            Sign::Origin => {
                let arm = 6.0;
                for end in [(arm, 0.0), (0.0, arm)] {
                    let line = [-1.0, 1.0].map(|side| (at(x + side * end.0), at(y + side * end.1)));
                    strip.draw(&PathElement::new(line.to_vec(), INK.stroke_width(size(2))))?;
                }
            }
        }
        strip.draw_text(&self.name, &plain(LETTERS, INK, LEFT), text)
    }
}
