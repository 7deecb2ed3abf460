//! Confidence against accuracy.

use cm_eval::Reliability;
use plotters::{
    element::{PathElement, Rectangle},
    style::Color,
};

use super::{
    canvas::{Axis, HEADING_HEIGHT, Margins, chart, picture, size},
    style::{AXIS, CURVES},
};
use crate::{Figure, Kind, ReportError, summary::number};

const MARGINS: Margins = Margins { top: 36, right: 24, left: 66, bottom: 52 };
const SIDE: u32 = 460;

/// A reliability diagram: what share of the images of each confidence was recognized, with the number of images below.
///
/// # Errors
///
/// [`ReportError::Drawing`] if it cannot be drawn.
pub fn reliability(name: &str, title: &str, found: &Reliability) -> Result<Figure, ReportError> {
    let error = number(100.0 * found.expected_error(), 2);
    let subtitle = format!("Expected calibration error {error} %");
    let most = found.bins().iter().map(|bin| bin.count).max().unwrap_or(1) as f64;
    let svg = picture(name, (2 * SIDE, HEADING_HEIGHT + SIDE), title, &subtitle, |sheet| {
        let areas = sheet.split_evenly((1, 2));
        let confidence = Axis::new(0.0..100.0, "confidence (%)", 6, true);
        let accuracy = Axis::new(0.0..100.0, "accuracy (%)", 6, true);
        let mut left = chart(&areas[0], "Accuracy", &MARGINS, &confidence, &accuracy)?;
        let ideal = vec![(0.0, 0.0), (100.0, 100.0)];
        left.draw_series([PathElement::new(ideal, AXIS.stroke_width(size(1)))])?;
        let points: Vec<(f64, f64)> =
            found.bins().iter().map(|bin| (100.0 * bin.confidence, 100.0 * bin.accuracy)).collect();
        left.draw_series([PathElement::new(points.clone(), CURVES[1].stroke_width(size(2)))])?;
        for point in points {
            super::mark::mark(left.plotting_area(), point, 0, 4.5, CURVES[1])?;
        }
        let images = Axis::new(0.0..1.05 * most, "images", 6, true);
        let mut right = chart(&areas[1], "Images", &MARGINS, &confidence, &images)?;
        right.draw_series(found.bins().iter().map(|bin| {
            let middle = 100.0 * bin.confidence;
            let corners = [((middle - 2.0).max(0.0), 0.0), ((middle + 2.0).min(100.0), bin.count as f64)];
            Rectangle::new(corners, CURVES[1].mix(0.6).filled())
        }))?;
        Ok(())
    })?;
    let caption = format!("{title}. {subtitle}. On the gray line a confidence means what it says.");
    Ok(Figure { kind: Kind::Other, name: name.to_owned(), caption, svg })
}
