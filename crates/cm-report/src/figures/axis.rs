//! The axes of a chart: numbers, or names.

use std::ops::Range;

use plotters::coord::{ranged1d::Ranged, types::RangedCoordf64};

use crate::{text::number, typeface};

/// Size of the letters at an axis in pixels.
pub(crate) const LABEL: f64 = 12.0;

/// One direction of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// From where to where.
    pub range: Range<f64>,
    /// What it shows, with its unit.
    pub description: String,
    /// About how many numbers to show.
    pub ticks: usize,
    /// Show whole numbers only.
    pub whole: bool,
    /// What to show at 0, 1, 2 … in place of numbers; only along the bottom of a chart.
    pub names: Vec<String>,
}

impl Axis {
    /// An axis of numbers.
    pub fn new(range: Range<f64>, description: impl Into<String>, ticks: usize, whole: bool) -> Self {
        Self { range, description: description.into(), ticks, whole, names: Vec::new() }
    }

    /// An axis of names at 0, 1, 2 …, with half a step of air at its ends.
    pub fn named(names: Vec<String>, description: impl Into<String>) -> Self {
        let range = -0.5..names.len().max(1) as f64 - 0.5;
        Self { range, description: description.into(), ticks: 0, whole: true, names }
    }

    /// The fewest decimals that tell the numbers shown from each other.
    pub(crate) fn decimals(&self) -> usize {
        const MOST: usize = 6;
        if self.whole {
            return 0;
        }
        let shown = ticks(self.range.clone(), self.ticks);
        let exact = |decimals: &usize| {
            let power = 10f64.powi(*decimals as i32);
            shown.iter().all(|v| (v * power - (v * power).round()).abs() < 1e-4)
        };
        (0..MOST).find(exact).unwrap_or(MOST)
    }

    /// What stands at a value.
    pub(crate) fn label(&self, value: f64, decimals: usize) -> String {
        if self.whole && (value - value.round()).abs() > 1e-6 {
            return String::new();
        }
        number(value, decimals)
    }
}

/// How the names of an axis find room beside each other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NameLayout {
    /// Turned by a right angle, to be read upwards.
    pub turned: bool,
    /// Every so many-th name is shown.
    pub every: usize,
    /// The lines of each name. A turned one has a single line, shortened where it is very long.
    pub names: Vec<Vec<String>>,
    /// Pixels that they need below the axis.
    pub height: f64,
}

impl NameLayout {
    /// Room between two names beside each other.
    const GAP: f64 = 8.0;
    /// From a line to the next, and what a turned name needs along the axis.
    pub(crate) const LINE: f64 = 15.0;
    /// Longer names are shortened.
    const LONGEST: f64 = 130.0;
    /// Names of more lines are turned.
    const LINES: usize = 3;

    /// For an axis as wide as so many pixels.
    pub(crate) fn new(names: &[String], width: f64) -> Self {
        let slot = width / names.len().max(1) as f64;
        let room = slot - Self::GAP;
        let word_fits = |word: &str| typeface::width(word, LABEL) <= room;
        let wrapped: Vec<Vec<String>> =
            names.iter().map(|name| typeface::wrapped(name, LABEL, room.max(1.0))).collect();
        let lines = wrapped.iter().map(Vec::len).max().unwrap_or(1);
        if lines <= Self::LINES && names.iter().flat_map(|name| name.split_whitespace()).all(word_fits) {
            return Self { turned: false, every: 1, names: wrapped, height: Self::LINE * lines as f64 };
        }
        let every = (Self::LINE / slot).ceil().max(1.0) as usize;
        let shortened = |name: &String| typeface::fitted(name, LABEL, Self::LONGEST);
        let names: Vec<Vec<String>> = names.iter().map(|name| vec![shortened(name)]).collect();
        let widest = names.iter().flatten().map(|name| typeface::width(name, LABEL)).fold(0.0, f64::max);
        Self { turned: true, every, names, height: widest }
    }

    /// Pixels that they need beyond those of a line of numbers.
    pub(crate) fn extra_height(&self) -> u32 {
        (self.height - Self::LINE).max(0.0).ceil() as u32
    }
}

/// A range around values with some air; `None` without a finite value.
pub fn padded(values: impl IntoIterator<Item = f64>) -> Option<Range<f64>> {
    let (low, high) = values
        .into_iter()
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return None;
    }
    let air = if high > low { (high - low) * 0.07 } else { high.abs().max(1.0) * 0.05 };
    Some(low - air..high + air)
}

/// Numbers at round steps over a range, about so many.
pub(crate) fn ticks(range: Range<f64>, about: usize) -> Vec<f64> {
    RangedCoordf64::from(range).key_points(about)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tick_labels_have_the_decimals_that_their_steps_need() {
        let label = |range, whole, value| {
            let axis = Axis::new(range, "", 5, whole);
            axis.label(value, axis.decimals())
        };
        assert_eq!(label(0.0..100.0, false, 40.0), "40");
        assert_eq!(label(7.2..10.4, false, 8.0), "8");
        assert_eq!(label(98.0..99.0, false, 98.4), "98.4");
        assert_eq!(label(-1.0..1.0, false, -0.5), "−0.5");
        assert_eq!(label(-1.0..1.0, false, -0.0), "0.0");
        assert_eq!(label(0.5..4.5, true, 1.5), "");
        assert_eq!(label(0.5..4.5, true, 2.0), "2");
    }

    #[test]
    fn equal_values_still_make_a_range() {
        let range = padded([2.0, 2.0, f64::NAN]).expect("a range");
        assert!(range.start < 2.0 && 2.0 < range.end);
        assert_eq!(padded([f64::NAN]), None);
    }

    fn names(count: usize, name: &str) -> Vec<String> {
        vec![name.to_owned(); count]
    }

    #[test]
    fn names_are_turned_where_they_would_touch_and_left_out_where_lines_would() {
        let straight = NameLayout::new(&names(5, "25–34"), 450.0);
        assert_eq!((straight.turned, straight.every), (false, 1));
        let turned = NameLayout::new(&names(5, "25–34"), 160.0);
        assert_eq!((turned.turned, turned.every), (true, 1));
        let thinned = NameLayout::new(&names(40, "25–34"), 160.0);
        assert!(thinned.turned && thinned.every as f64 * 4.0 >= NameLayout::LINE, "{thinned:?}");
    }

    #[test]
    fn a_very_long_name_takes_no_more_than_its_share_of_the_picture() {
        let layout = NameLayout::new(&names(9, &"long ".repeat(40)), 300.0);
        assert!(layout.height <= NameLayout::LONGEST && layout.names[0][0].ends_with('…'), "{layout:?}");
    }

    #[test]
    fn a_name_of_several_words_goes_on_in_the_next_line_before_it_is_turned() {
        let layout = NameLayout::new(&names(4, "a contrast of 12–24 levels"), 440.0);
        assert!(!layout.turned && layout.names[0].len() == 2, "{layout:?}");
        assert_eq!(layout.extra_height(), 15);
    }
}
