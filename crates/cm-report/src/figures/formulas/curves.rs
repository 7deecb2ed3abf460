//! Panels of named curves, each with its legend inside.

use plotters::{
    element::{DashedPathElement, PathElement, Rectangle},
    style::{Color, RGBColor, ShapeStyle, WHITE},
};

use super::super::{
    canvas::{Area, Axis, Chart, Draw, LEFT, Margins, at, chart, plain, size},
    style::{AXIS, INK},
};

const MARGINS: Margins = Margins { top: 36, right: 18, left: 62, bottom: 52 };

/// How a curve is drawn.
#[derive(Clone, Copy)]
pub(in crate::report::figures) enum Line {
    Solid,
    /// Seen beside what lies on it.
    Wide,
    /// So that what lies under it is seen.
    Dashed,
    /// To compare the others with.
    Faint,
}

pub(in crate::report::figures) struct Curve {
    pub name: String,
    pub colour: RGBColor,
    pub line: Line,
    pub points: Vec<(f64, f64)>,
}

impl Curve {
    pub fn new(name: impl Into<String>, colour: RGBColor, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), colour, line: Line::Solid, points }
    }

    pub fn drawn(self, line: Line) -> Self {
        Self { line, ..self }
    }

    fn style(&self) -> ShapeStyle {
        match self.line {
            Line::Solid | Line::Dashed => self.colour.stroke_width(size(2)),
            Line::Wide => self.colour.mix(0.35).stroke_width(size(6)),
            Line::Faint => self.colour.stroke_width(size(1)),
        }
    }
}

/// Where the legend stands in its panel.
#[derive(Clone, Copy)]
pub(in crate::report::figures) enum Corner {
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
}

pub(in crate::report::figures) struct Panel {
    pub title: &'static str,
    pub x: Axis,
    pub y: Axis,
    pub legend: Corner,
    pub curves: Vec<Curve>,
}

impl Panel {
    pub fn draw<'a>(&self, area: &Area<'a>) -> Draw<Chart<'a>> {
        let mut chart = chart(area, self.title, &MARGINS, &self.x, &self.y)?;
        if self.y.range.start < 0.0 && self.y.range.end > 0.0 {
            let zero = vec![(self.x.range.start, 0.0), (self.x.range.end, 0.0)];
            chart.draw_series([PathElement::new(zero, AXIS.stroke_width(size(1)))])?;
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
        self.draw_legend(&chart)?;
        Ok(chart)
    }

    fn draw_legend(&self, chart: &Chart<'_>) -> Draw<()> {
        const LINE: f64 = 24.0;
        const GAP: f64 = 7.0;
        const ROW: f64 = 18.0;
        const EDGE: f64 = 10.0;
        let inside = chart.plotting_area().strip_coord_spec();
        let pixels = |units: u32| f64::from(units) / f64::from(size(1));
        let (width, height) = inside.dim_in_pixel();
        let (width, height) = (pixels(width), pixels(height));
        let text = plain(12.0, INK, LEFT);
        let mut widest = 0f64;
        for curve in &self.curves {
            widest = widest.max(pixels(inside.estimate_text_size(&curve.name, &text)?.0));
        }
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

/// The parts of a curve within the range of the axis.
fn visible(points: &[(f64, f64)], y: &Axis) -> Vec<Vec<(f64, f64)>> {
    let inside = |point: &(f64, f64)| point.1.is_finite() && y.range.contains(&point.1);
    points.split(|point| !inside(point)).filter(|part| part.len() > 1).map(<[_]>::to_vec).collect()
}
