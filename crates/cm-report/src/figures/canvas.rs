//! The sheet that every picture is drawn on: units, text, heading, axes.

use std::io;

use plotters::{
    chart::{ChartBuilder, ChartContext},
    coord::{Shift, types::RangedCoordf64},
    drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea},
    element::PathElement,
    prelude::{Cartesian2d, SVGBackend},
    style::{
        Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, TRANSPARENT, TextStyle, WHITE,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::{
    axis::{Axis, LABEL, NameLayout},
    style::{AXIS, GRID, INK, MUTED},
};
use crate::{ReportError, typeface};

/// Drawing units in a pixel: plotters rounds every coordinate to a whole unit.
const UNITS: u32 = 2;

/// Width of most pictures in pixels.
pub(crate) const WIDTH: u32 = 1080;

/// Pixels between the left edge of a picture and its texts.
pub(crate) const EDGE: f64 = 18.0;

/// Pixels from a line of the subtitle to the next.
const SUBTITLE_LINE: u32 = 18;
/// Size of its letters.
const SUBTITLE: f64 = 13.0;

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

/// Drawing units as pixels.
pub(crate) fn pixels(units: u32) -> f64 {
    f64::from(units) / f64::from(UNITS)
}

/// Where a text stands relative to its position.
pub(crate) const LEFT: Pos = Pos { h_pos: HPos::Left, v_pos: VPos::Center };
/// The text ends at its position.
pub(crate) const RIGHT: Pos = Pos { h_pos: HPos::Right, v_pos: VPos::Center };
/// Centered in both directions.
pub(crate) const CENTER: Pos = Pos { h_pos: HPos::Center, v_pos: VPos::Center };

/// Text of a height in pixels.
pub(crate) fn text(pixels: f64, style: FontStyle, color: RGBColor, pos: Pos) -> TextStyle<'static> {
    // Plotters writes its sizes into an SVG divided by 1.24.
    let font = FontDesc::new(FontFamily::Name(typeface::FAMILY), pixels * 1.24 * f64::from(UNITS), style);
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

/// Text that is read upwards.
pub(crate) fn upwards(style: TextStyle<'static>) -> TextStyle<'static> {
    TextStyle { font: style.font.transform(FontTransform::Rotate270), ..style }
}

/// Lines of the text under the title of a picture of this width.
fn subtitle_lines(width: u32, subtitle: &str) -> Vec<String> {
    typeface::wrapped(subtitle, SUBTITLE, f64::from(width) - 2.0 * EDGE)
}

/// Height of title and subtitle in pixels.
pub(crate) fn heading_height(width: u32, subtitle: &str) -> u32 {
    let lines = subtitle_lines(width, subtitle).len() as u32;
    44 + SUBTITLE_LINE * lines
}

/// Draws a picture of a width in pixels: heading above, and below it `body` on an area of a height
/// in pixels.
pub(crate) fn picture(
    figure: &str,
    (width, body_height): (u32, u32),
    title: &str,
    subtitle: &str,
    body: impl FnOnce(&Area<'_>) -> Draw<()>,
) -> Result<String, ReportError> {
    const TITLE: f64 = 17.0;
    typeface::register().map_err(|reason| ReportError::drawing(figure, reason))?;
    let heading_height = heading_height(width, subtitle);
    let height = heading_height + body_height;
    let (width_units, height_units) = (size(width), size(height));
    let mut svg = String::new();
    let draw = |svg: &mut String| -> Draw<()> {
        let sheet = SVGBackend::with_string(svg, (width_units, height_units)).into_drawing_area();
        sheet.fill(&WHITE)?;
        let (heading, rest) = sheet.split_vertically(size(heading_height));
        // Bold letters are a twelfth wider.
        let title = typeface::fitted(title, TITLE * 1.08, f64::from(width) - 2.0 * EDGE);
        heading.draw_text(&title, &bold(TITLE, INK, LEFT), (at(EDGE), at(24.0)))?;
        for (i, line) in subtitle_lines(width, subtitle).iter().enumerate() {
            let y = 46.0 + f64::from(SUBTITLE_LINE) * i as f64;
            heading.draw_text(line, &plain(SUBTITLE, MUTED, LEFT), (at(EDGE), at(y)))?;
        }
        body(&rest)?;
        sheet.present()
    };
    draw(&mut svg).map_err(|error| ReportError::drawing(figure, error.to_string()))?;
    // The units stay an affair of the file's inside; attributes at their default would be a third
    // of a scatter plot.
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

/// From the edges of an area to the axes of its chart, in pixels.
#[derive(Clone, Copy)]
pub(crate) struct Margins {
    pub top: u32,
    pub right: u32,
    pub left: u32,
    pub bottom: u32,
}

impl Margins {
    /// Where the names of the x axis of a chart in an area of this width in pixels find room.
    pub(crate) fn names(&self, width: f64, x: &Axis) -> NameLayout {
        NameLayout::new(&x.names, width - f64::from(self.left + self.right))
    }

    /// Pixels by which an area of this width must be higher for the names of the x axis.
    pub(crate) fn extra_height(&self, width: u32, x: &Axis) -> u32 {
        self.names(f64::from(width), x).extra_height()
    }
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
    const TITLE: f64 = 13.5;
    let (x_decimals, y_decimals) = (x.decimals(), y.decimals());
    let width = pixels(area.dim_in_pixel().0);
    let names = margins.names(width, x);
    let title = typeface::fitted(title, TITLE * 1.08, width - f64::from(margins.left));
    area.draw_text(&title, &bold(TITLE, INK, LEFT), (at(f64::from(margins.left)), at(TITLE_Y)))?;
    let mut chart = ChartBuilder::on(area)
        .margin_top(size(margins.top))
        .margin_right(size(margins.right))
        .margin_left(size(OUTSIDE))
        .margin_bottom(size(OUTSIDE))
        .y_label_area_size(size(margins.left - OUTSIDE))
        .x_label_area_size(size(margins.bottom - OUTSIDE + names.extra_height()))
        .build_cartesian_2d(x.range.clone(), y.range.clone())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID.stroke_width(UNITS))
        .axis_style(AXIS.stroke_width(UNITS))
        .set_all_tick_mark_size(size(4))
        .label_style(plain(LABEL, MUTED, CENTER))
        .axis_desc_style(plain(12.5, INK, CENTER))
        .x_desc(x.description.as_str())
        .y_desc(y.description.as_str())
        .x_labels(if x.names.is_empty() { x.ticks } else { 0 })
        .y_labels(y.ticks)
        .x_label_formatter(&|v| x.label(*v, x_decimals))
        .y_label_formatter(&|v| y.label(*v, y_decimals))
        .draw()?;
    if !x.names.is_empty() {
        draw_names(area, &chart, &names, y.range.start)?;
    }
    Ok(chart)
}

/// The names below the axis, each with its tick.
fn draw_names(area: &Area<'_>, chart: &Chart<'_>, names: &NameLayout, bottom: f64) -> Draw<()> {
    const TICK: f64 = 4.0;
    let (left, top) = area.get_base_pixel();
    let (style, below) = match names.turned {
        true => (upwards(plain(LABEL, MUTED, RIGHT)), 8.0),
        false => (plain(LABEL, MUTED, CENTER), 14.0),
    };
    for (i, lines) in names.names.iter().enumerate().step_by(names.every) {
        let (x, y) = chart.plotting_area().map_coordinate(&(i as f64, bottom));
        let (x, y) = (x - left, y - top);
        area.draw(&PathElement::new(vec![(x, y), (x, y + at(TICK))], AXIS.stroke_width(UNITS)))?;
        for (row, line) in lines.iter().enumerate() {
            area.draw_text(line, &style, (x, y + at(below + NameLayout::LINE * row as f64)))?;
        }
    }
    Ok(())
}
