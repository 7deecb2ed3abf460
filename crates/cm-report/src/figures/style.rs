//! Colors, marks and lines of the pictures.

use plotters::{
    element::{DashedPathElement, PathElement},
    style::{Color, RGBColor, ShapeStyle},
};

use super::canvas::{Area, Chart, Draw, at, size};

pub(crate) const INK: RGBColor = RGBColor(0x22, 0x26, 0x2b);
pub(crate) const MUTED: RGBColor = RGBColor(0x5b, 0x63, 0x6e);
pub(crate) const GRID: RGBColor = RGBColor(0xe3, 0xe6, 0xea);
pub(crate) const AXIS: RGBColor = RGBColor(0xa5, 0xac, 0xb5);

/// Ten colors that differ in lightness as well as hue, so that they stay apart for color-blind
/// readers.
pub(crate) const CLASS_COLORS: [RGBColor; 10] = [
    RGBColor(0x1f, 0x77, 0xb4),
    RGBColor(0xff, 0x8c, 0x0e),
    RGBColor(0x1e, 0x8a, 0x3a),
    RGBColor(0xd6, 0x27, 0x28),
    RGBColor(0x7b, 0x4f, 0xb5),
    RGBColor(0x7a, 0x4a, 0x3a),
    RGBColor(0xe8, 0x6f, 0xc0),
    RGBColor(0x55, 0x55, 0x55),
    RGBColor(0xb0, 0xa8, 0x10),
    RGBColor(0x12, 0xb5, 0xc9),
];

/// The losses of this workspace keep their color from report to report.
const LOSS_COLORS: [(&str, RGBColor); 5] = [
    ("Softmax", RGBColor(0x5a, 0x5f, 0x66)),
    ("L2-Softmax", RGBColor(0x00, 0x72, 0xb2)),
    ("CM-Softmax", RGBColor(0x00, 0x9e, 0x73)),
    ("CosFace", RGBColor(0xe0, 0x98, 0x00)),
    ("CM-CosFace", RGBColor(0xc8, 0x3e, 0x1e)),
];

/// For losses not named above, by position. Their number has no divisor in common with the number
/// of marks.
const OTHER_COLORS: [RGBColor; 7] = [
    RGBColor(0x8e, 0x44, 0xad),
    RGBColor(0x2f, 0xb5, 0xd0),
    RGBColor(0xd0, 0x2f, 0x8f),
    RGBColor(0x6b, 0x8e, 0x23),
    RGBColor(0x7a, 0x4a, 0x3a),
    RGBColor(0x1f, 0x2f, 0x7a),
    RGBColor(0xe8, 0x9b, 0xb4),
];

/// Dash and gap in pixels; none for a line without gaps.
const DASHES: [Option<(u32, u32)>; 3] = [None, Some((7, 4)), Some((2, 3))];

/// Different shapes of marks.
pub(crate) const SHAPES: usize = 5;

/// Curves of one chart, for color-blind readers too.
pub(crate) const CURVES: [RGBColor; 5] = [
    RGBColor(0xc8, 0x3e, 0x1e),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xe0, 0x98, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0x8e, 0x44, 0xad),
];

/// The color of a class; from the eleventh class on they come again.
pub(crate) fn class_color(class: u32) -> RGBColor {
    CLASS_COLORS[class as usize % CLASS_COLORS.len()]
}

/// How a loss is drawn. No two of the first 35 losses of a study have the same color and the same
/// mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LossStyle {
    pub color: RGBColor,
    /// The shape of its mark, below [`SHAPES`].
    pub shape: usize,
    dash: Option<(u32, u32)>,
}

impl LossStyle {
    /// The style of a loss; `position` is its place in the order of the study.
    pub(crate) fn of(loss: &str, position: usize) -> Self {
        let shape = position % SHAPES;
        match LOSS_COLORS.iter().find(|(name, _)| *name == loss) {
            Some((_, color)) => Self { color: *color, shape, dash: None },
            None => Self {
                color: OTHER_COLORS[position % OTHER_COLORS.len()],
                shape,
                dash: DASHES[position / OTHER_COLORS.len() % DASHES.len()],
            },
        }
    }

    fn stroke(&self) -> ShapeStyle {
        self.color.stroke_width(size(2))
    }

    /// A line through points of a chart.
    pub(crate) fn line(&self, chart: &mut Chart<'_>, points: Vec<(f64, f64)>) -> Draw<()> {
        match self.dash {
            Some((dash, gap)) => chart.draw_series([DashedPathElement::new(
                points,
                size(dash) as i32,
                size(gap) as i32,
                self.stroke(),
            )])?,
            None => chart.draw_series([PathElement::new(points, self.stroke())])?,
        };
        Ok(())
    }

    /// The same line in a legend, in pixels.
    pub(crate) fn sample(&self, strip: &Area<'_>, (from, to): (f64, f64), y: f64) -> Draw<()> {
        let points = vec![(at(from), at(y)), (at(to), at(y))];
        match self.dash {
            Some((dash, gap)) => strip.draw(&DashedPathElement::new(
                points,
                size(dash) as i32,
                size(gap) as i32,
                self.stroke(),
            )),
            None => strip.draw(&PathElement::new(points, self.stroke())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn losses_of_a_large_study_never_share_both_color_and_mark() {
        let named = LOSS_COLORS.iter().map(|(name, _)| *name);
        let others = (0..30).map(|_| "another loss");
        // The named ones come first, or last.
        for losses in [named.clone().chain(others.clone()).collect::<Vec<_>>(), others.chain(named).collect()]
        {
            let styles: HashSet<_> = losses
                .iter()
                .enumerate()
                .map(|(position, loss)| LossStyle::of(loss, position))
                .map(|style| ((style.color.0, style.color.1, style.color.2), style.shape))
                .collect();
            assert_eq!(styles.len(), losses.len());
        }
    }
}
