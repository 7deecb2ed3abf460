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
use crate::report::ReportError;

/// The typeface of the pictures, also embedded in the HTML report.
pub(in crate::report) const REGULAR: &[u8] = include_bytes!("../../../assets/Roboto-Regular-subset.ttf");
/// Its bold style.
pub(in crate::report) const BOLD: &[u8] = include_bytes!("../../../assets/Roboto-Bold-subset.ttf");

const FAMILY: &str = "Roboto, Helvetica, Arial, sans-serif";

/// Drawing units in a pixel: plotters rounds every coordinate to a whole unit.
const UNITS: u32 = 2;

/// Width of most pictures in pixels.
pub(super) const WIDTH: u32 = 1080;

/// Height of title and subtitle in pixels.
pub(super) const HEADING_HEIGHT: u32 = 62;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
pub(super) type Draw<T> = Result<T, DrawingAreaErrorKind<io::Error>>;

/// Pixels as drawing units, for sizes.
pub(super) const fn size(pixels: u32) -> u32 {
    pixels * UNITS
}

/// Pixels as drawing units, for positions; halves are exact.
pub(super) fn at(pixels: f64) -> i32 {
    (pixels * f64::from(UNITS)).round() as i32
}

/// Where a text stands relative to its position.
pub(super) const LEFT: Pos = Pos { h_pos: HPos::Left, v_pos: VPos::Center };
/// The text ends at its position.
pub(super) const RIGHT: Pos = Pos { h_pos: HPos::Right, v_pos: VPos::Center };
/// Centred in both directions.
pub(super) const CENTRE: Pos = Pos { h_pos: HPos::Center, v_pos: VPos::Center };

/// Text of a height in pixels.
pub(super) fn text(pixels: f64, style: FontStyle, colour: RGBColor, pos: Pos) -> TextStyle<'static> {
    // Plotters writes its sizes into an SVG divided by 1.24.
    let font = FontDesc::new(FontFamily::Name(FAMILY), pixels * 1.24 * f64::from(UNITS), style);
    TextStyle { font, color: colour.to_backend_color(), pos }
}

/// Ordinary text.
pub(super) fn plain(pixels: f64, colour: RGBColor, pos: Pos) -> TextStyle<'static> {
    text(pixels, FontStyle::Normal, colour, pos)
}

/// Bold text.
pub(super) fn bold(pixels: f64, colour: RGBColor, pos: Pos) -> TextStyle<'static> {
    text(pixels, FontStyle::Bold, colour, pos)
}

/// Draws a picture of a width and a height in pixels: heading above, `body` on the rest.
pub(super) fn picture(
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
pub(super) struct Axis {
    pub range: Range<f64>,
    pub description: String,
    /// About how many numbers to show.
    pub ticks: usize,
    /// Show whole numbers only.
    pub whole: bool,
}

impl Axis {
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
        let text = format!("{value:.decimals$}");
        let is_zero = text.trim_matches(['-', '0', '.']).is_empty();
        if is_zero { text.replace('-', "") } else { text.replace('-', "−") }
    }
}

/// From the edges of an area to the axes of its chart, in pixels.
pub(super) struct Margins {
    pub top: u32,
    pub right: u32,
    pub left: u32,
    pub bottom: u32,
}

/// A chart with a title in bold at the top of its area.
pub(super) fn chart<'a>(
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
        .label_style(plain(12.0, MUTED, CENTRE))
        .axis_desc_style(plain(12.5, INK, CENTRE))
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
pub(super) fn padded(values: impl IntoIterator<Item = f64>) -> Option<Range<f64>> {
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
            let axis = Axis { range, description: String::new(), ticks: 5, whole };
            let decimals = if whole { 0 } else { axis.decimals() };
            axis.label(value, decimals)
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
}
