//! Shapes that tell losses apart without color.

use plotters::{
    coord::CoordTranslate,
    drawing::DrawingArea,
    element::{Circle, EmptyElement, Polygon},
    prelude::SVGBackend,
    style::{Color, RGBColor},
};

use super::canvas::{Draw, at};

/// Corners around the center, of about the area of a circle of radius 1; the first shape is that circle.
const SHAPES: [&[(f64, f64)]; 5] = [
    &[],
    &[(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)],
    &[(0.0, -1.2), (1.12, 0.84), (-1.12, 0.84)],
    &[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)],
    &[(0.0, 1.2), (1.12, -0.84), (-1.12, -0.84)],
];

/// Draws the mark of a loss at a point of a chart or of an area. `position` is the place of the loss in the order
/// of the experiment, `radius` is in pixels.
pub(crate) fn mark<CT>(
    area: &DrawingArea<SVGBackend<'_>, CT>,
    point: CT::From,
    position: usize,
    radius: f64,
    color: RGBColor,
) -> Draw<()>
where
    CT: CoordTranslate,
    CT::From: Clone + 'static,
{
    match SHAPES[position % SHAPES.len()] {
        [] => area.draw(&(EmptyElement::at(point) + Circle::new((0, 0), at(radius), color.filled()))),
        corners => {
            let corners: Vec<(i32, i32)> =
                corners.iter().map(|(x, y)| (at(x * radius), at(y * radius))).collect();
            area.draw(&(EmptyElement::at(point) + Polygon::new(corners, color.filled())))
        }
    }
}
