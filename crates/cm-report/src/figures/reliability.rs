//! Confidence against accuracy.

use cm_eval::ReliabilityBin;
use plotters::{
    element::{Circle, PathElement, Rectangle},
    style::Color,
};

use super::{
    axis::Axis,
    canvas::{Draw, Margins, at, chart, picture, size},
    style::{AXIS, CURVES},
};
use crate::{
    Figure, Kind, ReportError,
    text::{count, percent},
};

const MARGINS: Margins = Margins { top: 36, right: 24, left: 66, bottom: 52 };
const SIDE: u32 = 430;

/// A reliability diagram: the share of images that were recognized against their confidence, and
/// how many there are.
///
/// Under the title stands the expected calibration error, `Σ nᵢ |accᵢ − confᵢ| / Σ nᵢ` over the
/// bins.
///
/// # Errors
///
/// [`ReportError::Drawing`] if a confidence or an accuracy is not from 0 to 1, or the picture
/// cannot be drawn.
pub fn reliability(name: &str, title: &str, bins: &[ReliabilityBin]) -> Result<Figure, ReportError> {
    let is_share = |value: f64| (0.0..=1.0).contains(&value);
    if let Some(wrong) = bins.iter().find(|bin| !is_share(bin.confidence) || !is_share(bin.accuracy)) {
        let reason = format!("a confidence of {} and an accuracy of {}", wrong.confidence, wrong.accuracy);
        return Err(ReportError::drawing(name, reason + " are not both from 0 to 1"));
    }
    let bins: Vec<ReliabilityBin> = bins.iter().filter(|bin| bin.count > 0).copied().collect();
    let images: usize = bins.iter().map(|bin| bin.count).sum();
    let off = |bin: &ReliabilityBin| bin.count as f64 * (bin.accuracy - bin.confidence).abs();
    let error = bins.iter().map(off).sum::<f64>() / images.max(1) as f64;
    let subtitle = format!("{}, expected calibration error {}", count(images, "image"), percent(error, 2));
    let svg =
        picture(name, (2 * SIDE, SIDE), title, &subtitle, |sheet| draw(&sheet.split_evenly((1, 2)), &bins))?;
    let caption = format!(
        "{title}. {subtitle}. Left: the share of images recognized against their confidence; on the gray line a \
         confidence means what it says, below it it promises too much. A larger point is of more images. Right: how many \
         images there are of each confidence."
    );
    Ok(Figure { kind: Kind::Other, name: name.to_owned(), caption, svg })
}

fn draw(areas: &[super::canvas::Area<'_>], bins: &[ReliabilityBin]) -> Draw<()> {
    let color = CURVES[1];
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(1) as f64;
    // With room for the points at the ends.
    let share = |description: &str| Axis::new(-3.0..103.0, description, 6, true);
    let confidence = share("confidence (%)");
    let mut left = chart(&areas[0], "Accuracy", &MARGINS, &confidence, &share("accuracy (%)"))?;
    let ideal = vec![(0.0, 0.0), (100.0, 100.0)];
    left.draw_series([PathElement::new(ideal, AXIS.stroke_width(size(2)))])?;
    let point = |bin: &ReliabilityBin| (100.0 * bin.confidence, 100.0 * bin.accuracy);
    let gap = |bin: &ReliabilityBin| {
        let (x, y) = point(bin);
        PathElement::new(vec![(x, x), (x, y)], color.mix(0.45).stroke_width(size(1)))
    };
    left.draw_series(bins.iter().map(gap))?;
    left.draw_series([PathElement::new(
        bins.iter().map(point).collect::<Vec<_>>(),
        color.stroke_width(size(2)),
    )])?;
    let radius = |bin: &ReliabilityBin| at(3.0 + 5.0 * (bin.count as f64 / most).sqrt());
    left.draw_series(bins.iter().map(|bin| Circle::new(point(bin), radius(bin), color.filled())))?;

    let images = Axis::new(0.0..1.05 * most, "images", 6, true);
    let mut right = chart(&areas[1], "Images", &MARGINS, &confidence, &images)?;
    let half = half_width(bins);
    right.draw_series(bins.iter().map(|bin| {
        let middle = 100.0 * bin.confidence;
        let corners = [(middle - half, 0.0), (middle + half, bin.count as f64)];
        Rectangle::new(corners, color.mix(0.6).filled())
    }))?;
    Ok(())
}

/// Half the width of a bar in percent, so that none hides another.
fn half_width(bins: &[ReliabilityBin]) -> f64 {
    let mut confidences: Vec<f64> = bins.iter().map(|bin| bin.confidence).collect();
    confidences.sort_by(f64::total_cmp);
    let closest = confidences.windows(2).map(|pair| pair[1] - pair[0]).fold(1.0, f64::min);
    (45.0 * closest).clamp(0.3, 2.5)
}
