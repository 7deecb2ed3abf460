//! Box plots of the feature norm at each level of a stratification.

use cm_record::{RunRecord, Stratification};
use plotters::{
    element::{PathElement, Rectangle},
    style::{Color, WHITE},
};

use super::{
    by_level::level_axis,
    canvas::{
        Area, Axis, Chart, Draw, HEADING_HEIGHT, LEFT, Margins, WIDTH, at, bold, chart, padded, picture,
        plain, size,
    },
    legend,
    style::{INK, MUTED, loss_color},
};
use crate::{
    Figure, Kind, ReportError,
    narrative::norm_sentence,
    summary::{DimensionSummary, LossSummary},
};

const PANEL_HEIGHT: u32 = 296;
const MARGINS: Margins = Margins { top: 36, right: 16, left: 66, bottom: 52 };
/// The ends of whiskers and box, and the median; the ends of an older record are the least and the largest norm.
const PERCENTILES: [&[&str]; 5] =
    [&["norm_p5", "norm_min"], &["norm_p25"], &["norm_p50"], &["norm_p75"], &["norm_p95", "norm_max"]];

/// The percentiles of the norm at a level, means over the seeds.
struct NormBox {
    x: f64,
    percentiles: [f64; 5],
}

pub(crate) fn draw(
    data: &str,
    dimension: &DimensionSummary<'_>,
    strata: &Stratification,
) -> Result<Option<Figure>, ReportError> {
    let levels = dimension.levels(strata, PERCENTILES[2][0]);
    let boxes = |loss: &LossSummary<'_>| -> Vec<NormBox> {
        let one = |(x, (_, level)): (usize, &(usize, &cm_record::Level))| {
            let stratum = strata.stratum(level);
            let at = |names: &[&str]| {
                let value = |run: &RunRecord| names.iter().find_map(|name| run.value(name, &stratum));
                Some(loss.over_seeds(value)?.mean)
            };
            let found: Vec<f64> = PERCENTILES.iter().filter_map(|names| at(names)).collect();
            Some(NormBox { x: x as f64, percentiles: found.try_into().ok()? })
        };
        levels.iter().enumerate().filter_map(one).collect()
    };
    let panels: Vec<(usize, &str, Vec<NormBox>)> = dimension
        .trained()
        .into_iter()
        .map(|(position, loss)| (position, loss.loss, boxes(loss)))
        .filter(|(_, _, boxes)| !boxes.is_empty())
        .collect();
    if panels.is_empty() {
        return Ok(None);
    }
    let whiskers_are_percentiles = dimension.levels(strata, PERCENTILES[0][0]).len() == levels.len();

    let (rows, columns) = legend::grid(panels.len());
    let name = format!("norm-by-{}-{}d", strata.name, dimension.feature_dim);
    let title = format!("Feature norm by {}", strata.title);
    let subtitle = super::subtitle(data, dimension);
    let svg =
        picture(&name, (WIDTH, HEADING_HEIGHT + PANEL_HEIGHT * rows as u32), &title, &subtitle, |sheet| {
            let cells = sheet.split_evenly((rows, columns));
            for ((position, loss, boxes), area) in panels.iter().zip(&cells) {
                let Some(range) = padded(boxes.iter().flat_map(|b| b.percentiles)) else { continue };
                // Zero is a natural end of a length, where it costs no resolution.
                let from = if range.start < range.end * 0.35 { 0.0 } else { range.start };
                let x = level_axis(strata, &levels);
                let y = Axis::new(from..range.end, "feature norm ‖x‖", 6, false);
                let color = loss_color(loss, *position);
                let mut chart = chart(area, loss, &MARGINS, &x, &y)?;
                for one in boxes {
                    draw_box(&mut chart, one, color)?;
                }
            }
            explanation(&cells[panels.len()], whiskers_are_percentiles)
        })?;
    let together = if dimension.seeds.len() > 1 { ", means over the seeds" } else { "" };
    let metric = format!("spearman_norm_{}", strata.name);
    let rank =
        norm_sentence(dimension, &metric, "").map(|sentence| format!(" {sentence}")).unwrap_or_default();
    let caption = format!(
        "{subtitle}. Norm of the features of the test images by {}{together}. Each loss has its own scale. A norm that \
         follows quality tells good images from bad ones.{rank}",
        strata.title
    );
    Ok(Some(Figure { kind: Kind::Norm, name, caption, svg }))
}

fn draw_box(chart: &mut Chart<'_>, one: &NormBox, color: plotters::style::RGBColor) -> Draw<()> {
    const HALF: f64 = 0.27;
    const CAP: f64 = 0.12;
    let x = one.x;
    let [p5, p25, p50, p75, p95] = one.percentiles;
    let line = |path, width| PathElement::new(path, color.stroke_width(width));
    chart.draw_series([
        line(vec![(x, p5), (x, p25)], size(1)),
        line(vec![(x, p75), (x, p95)], size(1)),
        line(vec![(x - CAP, p5), (x + CAP, p5)], size(1)),
        line(vec![(x - CAP, p95), (x + CAP, p95)], size(1)),
    ])?;
    let corners = [(x - HALF, p25), (x + HALF, p75)];
    chart.draw_series([
        Rectangle::new(corners, WHITE.filled()),
        Rectangle::new(corners, color.mix(0.28).filled()),
    ])?;
    let outline = vec![(x - HALF, p25), (x + HALF, p25), (x + HALF, p75), (x - HALF, p75), (x - HALF, p25)];
    chart.draw_series([line(outline, size(1)), line(vec![(x - HALF, p50), (x + HALF, p50)], size(3))])?;
    Ok(())
}

/// A box with its parts named.
fn explanation(cell: &Area<'_>, percentiles: bool) -> Draw<()> {
    let (lowest, highest) = match percentiles {
        true => ("5 % of the images are below", "5 % of the images are above"),
        false => ("shortest", "longest"),
    };
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
    for (height, name) in heights.iter().zip([lowest, "first quartile", "median", "third quartile", highest])
    {
        cell.draw_text(name, &plain(12.5, INK, LEFT), (at(names), at(*height)))?;
    }
    Ok(())
}
