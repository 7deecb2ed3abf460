//! Box plots of the feature norm at each severity.

use std::collections::BTreeMap;

use plotters::{
    element::{PathElement, Rectangle},
    style::{Color, WHITE},
};

use super::{
    Figure, Kind,
    accuracy_by_severity::severity_axis,
    canvas::{
        Area, Axis, Chart, Draw, HEADING_HEIGHT, LEFT, Margins, WIDTH, at, bold, chart, padded, picture,
        plain, size,
    },
    legend,
    style::{INK, MUTED, loss_colour},
};
use crate::{
    experiment::{FeatureRow, Results},
    report::{ReportError, summary::DimensionSummary},
};

const PANEL_HEIGHT: u32 = 296;
const MARGINS: Margins = Margins { top: 36, right: 16, left: 66, bottom: 52 };
const PERCENTILES: [f64; 5] = [5.0, 25.0, 50.0, 75.0, 95.0];

/// The percentiles of the norm at a severity.
struct NormBox {
    severity: u8,
    percentiles: [f64; 5],
}

pub(super) fn draw(
    results: &Results,
    features: &[Vec<FeatureRow>],
    dimension: &DimensionSummary<'_>,
) -> Result<Option<Figure>, ReportError> {
    let rows_of = |loss: &str| -> Vec<FeatureRow> {
        let runs = results.runs.iter().zip(features);
        runs.filter(|(run, _)| run.loss == loss && run.feature_dim == dimension.feature_dim)
            .flat_map(|(_, rows)| rows.iter().copied())
            .collect()
    };
    let panels: Vec<(usize, &str, Vec<NormBox>)> = super::trained(dimension)
        .into_iter()
        .map(|(position, loss)| (position, loss.loss, boxes(&rows_of(loss.loss))))
        .filter(|(_, _, boxes)| !boxes.is_empty())
        .collect();
    if panels.is_empty() {
        return Ok(None);
    }

    let (rows, columns) = legend::grid(panels.len());
    let name = format!("norm-by-severity-{}d", dimension.feature_dim);
    let title = "Feature norm by severity of the degradation";
    let subtitle = super::subtitle(results, dimension);
    let svg =
        picture(&name, (WIDTH, HEADING_HEIGHT + PANEL_HEIGHT * rows as u32), title, &subtitle, |sheet| {
            let cells = sheet.split_evenly((rows, columns));
            for ((position, loss, boxes), area) in panels.iter().zip(&cells) {
                let Some(range) = padded(boxes.iter().flat_map(|b| b.percentiles)) else { continue };
                // Zero is a natural end of a length, where it costs no resolution.
                let from = if range.start < range.end * 0.35 { 0.0 } else { range.start };
                let x = severity_axis(&dimension.severities);
                let y = Axis {
                    range: from..range.end,
                    description: "feature norm ‖x‖".into(),
                    ticks: 6,
                    whole: false,
                };
                let colour = loss_colour(loss, *position);
                let mut chart = chart(area, loss, &MARGINS, &x, &y)?;
                for one in boxes {
                    draw_box(&mut chart, one, colour)?;
                }
            }
            explanation(&cells[panels.len()])
        })?;
    let together = if dimension.seeds.len() > 1 { ", the images of all seeds together" } else { "" };
    let rank = closest_to_quality(dimension);
    let caption = format!(
        "{subtitle}. Norm of the features of the test images at each severity{together}. Each loss has its own scale. \
         A norm that falls with the severity tells good images from bad ones.{rank}"
    );
    Ok(Some(Figure { kind: Kind::Norm, name, caption, svg }))
}

/// The loss whose norm follows the quality most closely, as a sentence.
fn closest_to_quality(dimension: &DimensionSummary<'_>) -> String {
    super::trained(dimension)
        .into_iter()
        .filter_map(|(_, loss)| Some((loss.loss, loss.over_seeds(|run| run.norm_quality_spearman)?.mean)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map_or_else(String::new, |(loss, rank)| {
            let rank = format!("{rank:.2}").replace('-', "−");
            format!(" It follows the quality most closely with {loss} (Spearman correlation {rank}).")
        })
}

fn boxes(rows: &[FeatureRow]) -> Vec<NormBox> {
    let mut norms: BTreeMap<u8, Vec<f64>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.norm.is_finite()) {
        norms.entry(row.severity).or_default().push(f64::from(row.norm));
    }
    norms
        .into_iter()
        .map(|(severity, mut norms)| {
            norms.sort_by(f64::total_cmp);
            NormBox { severity, percentiles: PERCENTILES.map(|p| percentile(&norms, p)) }
        })
        .collect()
}

/// Linear interpolation between the closest ranks.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let rank = percent / 100.0 * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
    below + (above - below) * rank.fract()
}

fn draw_box(chart: &mut Chart<'_>, one: &NormBox, colour: plotters::style::RGBColor) -> Draw<()> {
    const HALF: f64 = 0.27;
    const CAP: f64 = 0.12;
    let x = f64::from(one.severity);
    let [p5, p25, p50, p75, p95] = one.percentiles;
    let line = |path, width| PathElement::new(path, colour.stroke_width(width));
    chart.draw_series([
        line(vec![(x, p5), (x, p25)], size(1)),
        line(vec![(x, p75), (x, p95)], size(1)),
        line(vec![(x - CAP, p5), (x + CAP, p5)], size(1)),
        line(vec![(x - CAP, p95), (x + CAP, p95)], size(1)),
    ])?;
    let corners = [(x - HALF, p25), (x + HALF, p75)];
    chart.draw_series([
        Rectangle::new(corners, WHITE.filled()),
        Rectangle::new(corners, colour.mix(0.28).filled()),
    ])?;
    let outline = vec![(x - HALF, p25), (x + HALF, p25), (x + HALF, p75), (x - HALF, p75), (x - HALF, p25)];
    chart.draw_series([line(outline, size(1)), line(vec![(x - HALF, p50), (x + HALF, p50)], size(3))])?;
    Ok(())
}

/// A box with its parts named.
fn explanation(cell: &Area<'_>) -> Draw<()> {
    let (x, names) = (70.0, 112.0);
    let heights = [210.0, 172.0, 142.0, 112.0, 74.0];
    let [y5, y25, y50, y75, y95] = heights;
    cell.draw_text("How to read a box", &bold(13.5, INK, LEFT), (at(36.0), at(38.0)))?;
    let line = |path: [(f64, f64); 2], width| {
        PathElement::new(path.map(|(x, y)| (at(x), at(y))).to_vec(), MUTED.stroke_width(size(width)))
    };
    let (half, cap) = (26.0, 11.0);
    for path in [
        [(x, y5), (x, y25)],
        [(x, y75), (x, y95)],
        [(x - cap, y5), (x + cap, y5)],
        [(x - cap, y95), (x + cap, y95)],
    ] {
        cell.draw(&line(path, 1))?;
    }
    let corners = [(at(x - half), at(y75)), (at(x + half), at(y25))];
    cell.draw(&Rectangle::new(corners, MUTED.mix(0.25).filled()))?;
    cell.draw(&Rectangle::new(corners, MUTED.stroke_width(size(1))))?;
    cell.draw(&line([(x - half, y50), (x + half, y50)], 3))?;
    for (height, name) in heights.iter().zip([
        "5 % of the images are below",
        "first quartile",
        "median",
        "third quartile",
        "5 % of the images are above",
    ]) {
        cell.draw_text(name, &plain(12.5, INK, LEFT), (at(names), at(*height)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_interpolate_between_ranks() {
        // numpy.percentile([1, 2, 4, 8], [5, 25, 50, 75, 95]) == [1.15, 1.75, 3.0, 5.0, 7.4]
        let sorted = [1.0, 2.0, 4.0, 8.0];
        for (percent, expected) in PERCENTILES.into_iter().zip([1.15, 1.75, 3.0, 5.0, 7.4]) {
            assert!((percentile(&sorted, percent) - expected).abs() < 1e-12);
        }
        assert_eq!(percentile(&[3.0], 95.0), 3.0);
    }

    #[test]
    fn norms_that_are_not_finite_are_left_out() {
        let row = |norm| FeatureRow { index: 0, label: 0, predicted: 0, severity: 1, norm, x: 0.0, y: 0.0 };
        let boxes = boxes(&[row(f32::NAN), row(2.0)]);
        assert_eq!(boxes.len(), 1);
        assert_eq!((boxes[0].severity, boxes[0].percentiles), (1, [2.0; 5]));
    }
}
