//! Pictures of panels with named curves, each with its legend inside: for whoever has curves to
//! show.

use plotters::{
    element::{DashedPathElement, PathElement, Polygon, Rectangle},
    style::{Color as _, RGBColor, ShapeStyle, WHITE},
};

pub use crate::figures::axis::{Axis, padded};
use crate::{
    Figure, Kind, ReportError,
    figures::{
        canvas::{Area, Chart, Draw, LEFT, Margins, RIGHT, WIDTH, at, chart, picture, pixels, plain, size},
        style::{AXIS, CURVES, INK, MUTED},
    },
    typeface,
};

/// The color of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(RGBColor);

impl Color {
    /// Colors of one panel's curves, for color-blind readers too.
    pub const CURVES: [Self; 5] =
        [Self(CURVES[0]), Self(CURVES[1]), Self(CURVES[2]), Self(CURVES[3]), Self(CURVES[4])];
    /// Of what the others are compared with.
    pub const MUTED: Self = Self(MUTED);
}

/// A picture of panels in rows and columns; the height of a row is in pixels.
///
/// ```
/// use cm_report::chart::{self, Axis, Color, Corner, Curve, Panel};
///
/// let points = (0..=90).map(|x| (f64::from(x), f64::from(x).to_radians().cos())).collect();
/// let panel = Panel {
///     title: "Cosine".to_owned(),
///     x: Axis::new(0.0..90.0, "θ (degrees)", 10, true),
///     y: Axis::new(0.0..1.1, "cos θ", 6, false),
///     legend: Corner::BottomLeft,
///     curves: vec![Curve::new("cos θ", Color::CURVES[0], points)],
///     about_zero: None,
/// };
/// let figure = chart::panels("cosine", "The cosine", "from 0 to 90 degrees", 330, (1, 1), &[panel])?;
/// assert!(figure.svg().contains("cos θ"));
/// # Ok::<(), cm_report::ReportError>(())
/// ```
///
/// # Errors
///
/// [`ReportError::Drawing`] if there are more panels than places, or it cannot be drawn.
pub fn panels(
    name: &str,
    title: &str,
    subtitle: &str,
    row_height: u32,
    (rows, columns): (usize, usize),
    panels: &[Panel],
) -> Result<Figure, ReportError> {
    if panels.len() > rows * columns {
        let reason = format!("{} panels do not fit into {rows} rows of {columns}", panels.len());
        return Err(ReportError::drawing(name, reason));
    }
    let height = row_height * rows as u32;
    let svg = picture(name, (WIDTH, height), title, subtitle, |sheet| {
        for (panel, area) in panels.iter().zip(sheet.split_evenly((rows, columns))) {
            panel.draw(&area)?;
        }
        Ok(())
    })?;
    Ok(Figure { kind: Kind::Other, name: name.to_owned(), caption: subtitle.to_owned(), svg })
}

const MARGINS: Margins = Margins { top: 36, right: 18, left: 62, bottom: 52 };

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// As a line.
    Solid,
    /// Seen beside what lies on it.
    Wide,
    /// So that what lies under it is seen.
    Dashed,
    /// To compare the others with.
    Faint,
}

/// A named curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its name in the legend, which a panel of curves without names does not have.
    pub name: String,
    /// Its color.
    pub color: Color,
    /// How it is drawn.
    pub line: Line,
    /// Its points from left to right; it is broken where one is not finite or outside the axis.
    pub points: Vec<(f64, f64)>,
    /// How sure it is: a place on the axis to the right, and the lower and the upper end of the interval there. Drawn pale, below all
    /// curves, cut at the axis.
    pub band: Vec<(f64, f64, f64)>,
}

impl Curve {
    /// A solid curve.
    pub fn new(name: impl Into<String>, color: Color, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), color, line: Line::Solid, points, band: Vec::new() }
    }

    /// The same curve with its band.
    pub fn with_band(self, band: Vec<(f64, f64, f64)>) -> Self {
        Self { band, ..self }
    }

    /// The same curve, drawn otherwise.
    pub fn drawn(self, line: Line) -> Self {
        Self { line, ..self }
    }

    fn style(&self) -> ShapeStyle {
        match self.line {
            Line::Solid | Line::Dashed => self.color.0.stroke_width(size(2)),
            Line::Wide => self.color.0.mix(0.35).stroke_width(size(6)),
            Line::Faint => self.color.0.stroke_width(size(1)),
        }
    }
}

/// Where the legend stands in its panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Corner {
    /// Above, on the left.
    TopLeft,
    /// Above, on the right.
    TopRight,
    /// Below, on the left.
    BottomLeft,
    /// Below, on the right.
    BottomRight,
}

/// A chart with curves.
#[derive(Debug, Clone)]
pub struct Panel {
    /// What stands above it.
    pub title: String,
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// Where the legend stands.
    pub legend: Corner,
    /// The curves, the first at the bottom.
    pub curves: Vec<Curve>,
    /// What it means to be above the line of 0, and to be below.
    pub about_zero: Option<[&'static str; 2]>,
}

impl Panel {
    fn draw(&self, area: &Area<'_>) -> Draw<()> {
        let mut chart = chart(area, &self.title, &MARGINS, &self.x, &self.y)?;
        if self.y.range.start < 0.0 && self.y.range.end > 0.0 {
            let zero = vec![(self.x.range.start, 0.0), (self.x.range.end, 0.0)];
            chart.draw_series([PathElement::new(zero, AXIS.stroke_width(size(1)))])?;
        }
        for curve in self.curves.iter().filter(|curve| !curve.band.is_empty()) {
            let cut = |y: f64| y.clamp(self.y.range.start, self.y.range.end);
            let lower = curve.band.iter().map(|&(x, low, _)| (x, cut(low)));
            let upper = curve.band.iter().rev().map(|&(x, _, high)| (x, cut(high)));
            let outline: Vec<(f64, f64)> = lower.chain(upper).collect();
            chart.draw_series([Polygon::new(outline, curve.color.0.mix(0.14).filled())])?;
        }
        for curve in &self.curves {
            for part in visible(&curve.points, &self.y) {
                match curve.line {
                    Line::Dashed => {
                        let (dash, gap) = (size(7) as i32, size(5) as i32);
                        let path = DashedPathElement::new(part, dash, gap, curve.style());
                        chart.draw_series([path])?
                    }
                    _ => chart.draw_series([PathElement::new(part, curve.style())])?,
                };
            }
        }
        if let Some(words) = self.about_zero {
            draw_about_zero(&chart, words)?;
        }
        self.draw_legend(&chart)
    }

    fn draw_legend(&self, chart: &Chart<'_>) -> Draw<()> {
        const LINE: f64 = 24.0;
        const GAP: f64 = 7.0;
        const ROW: f64 = 18.0;
        const EDGE: f64 = 10.0;
        const LETTERS: f64 = 12.0;
        if self.curves.iter().all(|curve| curve.name.is_empty()) {
            return Ok(());
        }
        let inside = chart.plotting_area().strip_coord_spec();
        let (width, height) = inside.dim_in_pixel();
        let (width, height) = (pixels(width), pixels(height));
        let text = plain(LETTERS, INK, LEFT);
        let widths = self.curves.iter().map(|curve| typeface::width(&curve.name, LETTERS));
        let widest = widths.fold(0.0, f64::max);
        let (own_width, own_height) = (LINE + GAP + widest, ROW * self.curves.len() as f64);
        let (left, top) = match self.legend {
            Corner::TopLeft => (EDGE, EDGE),
            Corner::TopRight => (width - EDGE - own_width, EDGE),
            Corner::BottomLeft => (EDGE, height - EDGE - own_height),
            Corner::BottomRight => (width - EDGE - own_width, height - EDGE - own_height),
        };
        let corners =
            [(at(left - 5.0), at(top - 3.0)), (at(left + own_width + 5.0), at(top + own_height + 3.0))];
        inside.draw(&Rectangle::new(corners, WHITE.mix(0.85).filled()))?;
        for (row, curve) in self.curves.iter().enumerate() {
            let y = top + ROW * (row as f64 + 0.5);
            let path = vec![(at(left), at(y)), (at(left + LINE), at(y))];
            match curve.line {
                Line::Dashed => {
                    for (from, to) in [(0.0, 7.0), (8.5, 15.5), (17.0, 24.0)] {
                        let dash = vec![(at(left + from), at(y)), (at(left + to), at(y))];
                        inside.draw(&PathElement::new(dash, curve.style()))?;
                    }
                }
                _ => inside.draw(&PathElement::new(path, curve.style()))?,
            }
            inside.draw_text(&curve.name, &text, (at(left + LINE + GAP), at(y)))?;
        }
        Ok(())
    }
}

/// Says at the line of 0 what is above and what is below.
fn draw_about_zero(chart: &Chart<'_>, [above, below]: [&str; 2]) -> Draw<()> {
    let inside = chart.plotting_area();
    let (_, zero) = inside.map_coordinate(&(0.0, 0.0));
    let (_, top) = inside.strip_coord_spec().get_base_pixel();
    let area = inside.strip_coord_spec();
    let (width, _) = area.dim_in_pixel();
    let (left, right) = (plain(12.0, MUTED, LEFT), plain(12.0, MUTED, RIGHT));
    area.draw_text(above, &left, (at(10.0), zero - top - at(11.0)))?;
    area.draw_text(below, &right, (width as i32 - at(10.0), zero - top + at(11.0)))
}

/// The parts of a curve within the range of the axis.
fn visible(points: &[(f64, f64)], y: &Axis) -> Vec<Vec<(f64, f64)>> {
    let inside = |point: &(f64, f64)| point.1.is_finite() && y.range.contains(&point.1);
    points.split(|point| !inside(point)).filter(|part| part.len() > 1).map(<[_]>::to_vec).collect()
}
