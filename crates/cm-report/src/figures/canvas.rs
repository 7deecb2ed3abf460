//! The sheet that every picture is drawn on: units, text, heading, axes.

use std::{io, ops::Range, sync::OnceLock};

use plotters::{
    chart::{ChartBuilder, ChartContext},
    coord::{Shift, ranged1d::Ranged, types::RangedCoordf64},
    drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea},
    prelude::{Cartesian2d, SVGBackend},
    style::{
        Color, FontDesc, FontFamily, FontStyle, RGBColor, TRANSPARENT, TextStyle, WHITE, register_font,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::style::{AXIS, GRID, INK, MUTED};
use crate::{ReportError, summary::number};

/// The typeface of the pictures, also embedded in the HTML report.
pub(crate) const REGULAR: &[u8] = include_bytes!("../../assets/Roboto-Regular-subset.ttf");
/// Its bold style.
pub(crate) const BOLD: &[u8] = include_bytes!("../../assets/Roboto-Bold-subset.ttf");

const FAMILY: &str = "Roboto, Helvetica, Arial, sans-serif";

/// Drawing units in a pixel: plotters rounds every coordinate to a whole unit.
const UNITS: u32 = 2;

/// Width of most pictures in pixels.
pub(crate) const WIDTH: u32 = 1080;

/// Height of title and subtitle in pixels.
pub(crate) const HEADING_HEIGHT: u32 = 62;

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
pub(crate) type Draw<T> = Result<T, DrawingAreaErrorKind<io::Error>>;

/// Pixels as drawing units, for sizes.
pub(crate) const fn size(pixels: u32) -> u32 {
    pixels * UNITS
}

/// Pixels as drawing units, for positions; halves are exact.
pub(crate) fn at(pixels: f64) -> i32 {
    (pixels * f64::from(UNITS)).round() as i32
}

/// Where a text stands relative to its position.
pub(crate) const LEFT: Pos = Pos { h_pos: HPos::Left, v_pos: VPos::Center };
/// The text ends at its position.
pub(crate) const RIGHT: Pos = Pos { h_pos: HPos::Right, v_pos: VPos::Center };
/// Centred in both directions.
pub(crate) const CENTER: Pos = Pos { h_pos: HPos::Center, v_pos: VPos::Center };

/// Text of a height in pixels.
pub(crate) fn text(pixels: f64, style: FontStyle, color: RGBColor, pos: Pos) -> TextStyle<'static> {
    // Plotters writes its sizes into an SVG divided by 1.24.
    let font = FontDesc::new(FontFamily::Name(FAMILY), pixels * 1.24 * f64::from(UNITS), style);
    TextStyle { font, color: color.to_backend_color(), pos }
}

/// Ordinary text.
pub(crate) fn plain(pixels: f64, color: RGBColor, pos: Pos) -> TextStyle<'static> {
    text(pixels, FontStyle::Normal, color, pos)
}

/// Bold text.
pub(crate) fn bold(pixels: f64, color: RGBColor, pos: Pos) -> TextStyle<'static> {
    text(pixels, FontStyle::Bold, color, pos)
}

/// Draws a picture of a width and a height in pixels: heading above, `body` on the rest.
pub(crate) fn picture(
    figure: &str,
    (width, height): (u32, u32),
    title: &str,
    subtitle: &str,
    body: impl FnOnce(&Area<'_>) -> Draw<()>,
) -> Result<String, ReportError> {
    let failed = |reason: String| ReportError::Drawing { figure: figure.to_owned(), reason };
    register_fonts().map_err(|reason| failed(reason.to_owned()))?;
    let (width_units, height_units) = (size(width), size(height));
    let mut svg = String::new();
    let draw = |svg: &mut String| -> Draw<()> {
        let sheet = SVGBackend::with_string(svg, (width_units, height_units)).into_drawing_area();
        sheet.fill(&WHITE)?;
        let (heading, rest) = sheet.split_vertically(size(HEADING_HEIGHT));
        heading.draw_text(title, &bold(17.0, INK, LEFT), (at(18.0), at(24.0)))?;
        heading.draw_text(subtitle, &plain(13.0, MUTED, LEFT), (at(18.0), at(46.0)))?;
        body(&rest)?;
        sheet.present()
    };
    draw(&mut svg).map_err(|error| failed(error.to_string()))?;
    // The units stay an affair of the file's inside; attributes at their default would be a third of a scatter plot.
    let svg = svg
        .replacen(
            &format!("width=\"{width_units}\" height=\"{height_units}\""),
            &format!("width=\"{width}\" height=\"{height}\""),
            1,
        )
        .replace(" opacity=\"1\"", "")
        .replace(" stroke=\"none\" stroke-width=\"1\"", "");
    Ok(svg)
}

fn register_fonts() -> Result<(), &'static str> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let registered = *REGISTERED.get_or_init(|| {
        register_font(FAMILY, FontStyle::Normal, REGULAR).is_ok()
            && register_font(FAMILY, FontStyle::Bold, BOLD).is_ok()
    });
    registered.then_some(()).ok_or("the embedded typeface cannot be read")
}

/// One direction of a chart.
#[derive(Debug, Clone)]
pub struct Axis {
    /// From where to where.
    pub range: Range<f64>,
    /// What it shows, with its unit.
    pub description: String,
    /// About how many numbers to show.
    pub ticks: usize,
    /// Show whole numbers only.
    pub whole: bool,
    /// What to show at 0, 1, 2 ... in place of these numbers.
    pub names: Vec<String>,
}

impl Axis {
    /// An axis of numbers.
    pub fn new(range: Range<f64>, description: impl Into<String>, ticks: usize, whole: bool) -> Self {
        Self { range, description: description.into(), ticks, whole, names: Vec::new() }
    }

    /// An axis of names, with half a step of air at its ends.
    pub fn named(names: Vec<String>, description: impl Into<String>) -> Self {
        let count = names.len();
        let range = -0.5..count as f64 - 0.5;
        Self { range, description: description.into(), ticks: 2 * count + 1, whole: true, names }
    }

    /// The fewest decimals that tell the numbers shown from each other.
    fn decimals(&self) -> usize {
        const MOST: usize = 6;
        let shown = RangedCoordf64::from(self.range.clone()).key_points(self.ticks);
        let exact = |decimals: &usize| {
            let power = 10f64.powi(*decimals as i32);
            shown.iter().all(|v| (v * power - (v * power).round()).abs() < 1e-4)
        };
        (0..MOST).find(exact).unwrap_or(MOST)
    }

    fn label(&self, value: f64, decimals: usize) -> String {
        if self.whole && (value - value.round()).abs() > 1e-6 {
            return String::new();
        }
        if !self.names.is_empty() {
            return self.names.get(value.round() as usize).cloned().unwrap_or_default();
        }
        number(value, decimals)
    }
}

/// From the edges of an area to the axes of its chart, in pixels.
pub(crate) struct Margins {
    pub top: u32,
    pub right: u32,
    pub left: u32,
    pub bottom: u32,
}

/// A chart with a title in bold at the top of its area.
pub(crate) fn chart<'a>(
    area: &Area<'a>,
    title: &str,
    margins: &Margins,
    x: &Axis,
    y: &Axis,
) -> Draw<Chart<'a>> {
    /// Free of descriptions.
    const OUTSIDE: u32 = 10;
    const TITLE_Y: f64 = 21.0;
    let (x_decimals, y_decimals) =
        (if x.whole { 0 } else { x.decimals() }, if y.whole { 0 } else { y.decimals() });
    area.draw_text(title, &bold(13.5, INK, LEFT), (at(f64::from(margins.left)), at(TITLE_Y)))?;
    let mut chart = ChartBuilder::on(area)
        .margin_top(size(margins.top))
        .margin_right(size(margins.right))
        .margin_left(size(OUTSIDE))
        .margin_bottom(size(OUTSIDE))
        .y_label_area_size(size(margins.left - OUTSIDE))
        .x_label_area_size(size(margins.bottom - OUTSIDE))
        .build_cartesian_2d(x.range.clone(), y.range.clone())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID.stroke_width(UNITS))
        .axis_style(AXIS.stroke_width(UNITS))
        .set_all_tick_mark_size(size(4))
        .label_style(plain(12.0, MUTED, CENTER))
        .axis_desc_style(plain(12.5, INK, CENTER))
        .x_desc(x.description.as_str())
        .y_desc(y.description.as_str())
        .x_labels(x.ticks)
        .y_labels(y.ticks)
        .x_label_formatter(&|v| x.label(*v, x_decimals))
        .y_label_formatter(&|v| y.label(*v, y_decimals))
        .draw()?;
    Ok(chart)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tick_labels_have_the_decimals_that_their_steps_need() {
        let label = |range, whole, value| {
            let axis = Axis::new(range, "", 5, whole);
            let decimals = if whole { 0 } else { axis.decimals() };
            axis.label(value, decimals)
        };
        assert_eq!(label(0.0..100.0, false, 40.0), "40");
        assert_eq!(label(7.2..10.4, false, 8.0), "8");
        assert_eq!(label(98.0..99.0, false, 98.4), "98.4");
        assert_eq!(label(-1.0..1.0, false, -0.5), "−0.5");
        assert_eq!(label(-1.0..1.0, false, -0.0), "0.0");
        let named = Axis::named(vec!["low".into(), "high".into()], "");
        assert_eq!((named.label(1.0, 0), named.label(0.5, 0)), ("high".into(), String::new()));
        assert_eq!(label(0.5..4.5, true, 1.5), "");
        assert_eq!(label(0.5..4.5, true, 2.0), "2");
    }

    #[test]
    fn equal_values_still_make_a_range() {
        let range = padded([2.0, 2.0, f64::NAN]).expect("a range");
        assert!(range.start < 2.0 && 2.0 < range.end);
        assert_eq!(padded([f64::NAN]), None);
    }
}
