//! Shapes that tell losses apart without color.

use plotters::{
    coord::CoordTranslate,
    drawing::DrawingArea,
    element::{Circle, EmptyElement, Polygon},
    prelude::SVGBackend,
    style::Color,
};

use super::{
    canvas::{Draw, at},
    style::{LossStyle, SHAPES},
};

/// Corners around the center, of about the area of a circle of radius 1; the first shape is that
/// circle.
const CORNERS: [&[(f64, f64)]; SHAPES] = [
    &[],
    &[(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)],
    &[(0.0, -1.2), (1.12, 0.84), (-1.12, 0.84)],
    &[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)],
    &[(0.0, 1.2), (1.12, -0.84), (-1.12, -0.84)],
];

/// Draws the mark of a loss at a point of a chart or of an area; `radius` is in pixels.
pub(crate) fn mark<CT>(
    area: &DrawingArea<SVGBackend<'_>, CT>,
    point: CT::From,
    style: LossStyle,
    radius: f64,
) -> Draw<()>
where
    CT: CoordTranslate,
    CT::From: Clone + 'static,
{
    let filled = style.color.filled();
    match CORNERS[style.shape % SHAPES] {
        [] => area.draw(&(EmptyElement::at(point) + Circle::new((0, 0), at(radius), filled))),
        corners => {
            let corners: Vec<(i32, i32)> =
                corners.iter().map(|(x, y)| (at(x * radius), at(y * radius))).collect();
            area.draw(&(EmptyElement::at(point) + Polygon::new(corners, filled)))
        }
    }
}
