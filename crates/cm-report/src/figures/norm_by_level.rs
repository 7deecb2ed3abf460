//! Box plots of the feature norm at each level of a stratification.

use cm_record::{Level, RunRecord, Stratification};
use plotters::{
    element::{PathElement, Rectangle},
    style::{Color, RGBColor, WHITE},
};

use super::{
    axis::{Axis, padded},
    canvas::{Area, Chart, Draw, LEFT, Margins, WIDTH, at, bold, chart, picture, plain, size},
    legend, level_names,
    style::{INK, LossStyle, MUTED},
};
use crate::{
    Figure, Kind, ReportError,
    narrative::closest_to_quality,
    summary::{DimensionSummary, LossSummary},
};

const PANEL_HEIGHT: u32 = 296;
const MARGINS: Margins = Margins { top: 36, right: 16, left: 66, bottom: 52 };
/// The ends of whiskers and box, and the median. An older record has the least and the largest
/// norm for whiskers.
const PERCENTILES: [&[&str]; 5] =
    [&["norm_p5", "norm_min"], &["norm_p25"], &["norm_p50"], &["norm_p75"], &["norm_p95", "norm_max"]];

/// The percentiles of the norm at a level, means over the seeds.
struct NormBox {
    x: f64,
    percentiles: [f64; 5],
}

/// The boxes of a loss.
struct Panel<'a> {
    position: usize,
    loss: &'a str,
    boxes: Vec<NormBox>,
}

pub(crate) fn draw(
    data: &str,
    dimension: &DimensionSummary<'_>,
    strata: &Stratification,
) -> Result<Option<Figure>, ReportError> {
    let levels = dimension.levels(strata, PERCENTILES[2][0]);
    let panel = |(position, loss): (usize, &LossSummary<'_>)| Panel {
        position,
        loss: dimension.losses[position].loss,
        boxes: boxes(loss, strata, &levels),
    };
    let panels: Vec<Panel<'_>> = dimension.trained().into_iter().map(panel).collect();
    let panels: Vec<Panel<'_>> = panels.into_iter().filter(|panel| !panel.boxes.is_empty()).collect();
    if panels.is_empty() {
        return Ok(None);
    }
    let percentiles = !dimension.levels(strata, PERCENTILES[0][0]).is_empty();

    let (rows, columns) = legend::grid(panels.len());
    let name = super::file_name("norm", &strata.name, dimension);
    let title = format!("Feature norm by {}", strata.title);
    let subtitle = super::subtitle(data, dimension);
    let x = Axis::named(level_names(&levels), strata.axis.as_str());
    let panel_height = PANEL_HEIGHT + MARGINS.extra_height(WIDTH / columns as u32, &x);
    let svg = picture(&name, (WIDTH, panel_height * rows as u32), &title, &subtitle, |sheet| {
        let cells = sheet.split_evenly((rows, columns));
        for (panel, area) in panels.iter().zip(&cells) {
            let Some(range) = padded(panel.boxes.iter().flat_map(|b| b.percentiles)) else { continue };
            // Zero is a natural end of a length, where it costs no resolution.
            let from = if range.start < range.end * 0.35 { 0.0 } else { range.start };
            let y = Axis::new(from..range.end, "feature norm ‖x‖", 6, false);
            let color = LossStyle::of(panel.loss, panel.position).color;
            let mut chart = chart(area, panel.loss, &MARGINS, &x, &y)?;
            for one in &panel.boxes {
                draw_box(&mut chart, one, color)?;
            }
        }
        explanation(&cells[panels.len()], percentiles)
    })?;
    let together = match dimension.runs {
        1 => String::new(),
        _ => format!(", means over the {}", dimension.repeats()),
    };
    let rank = closest_to_quality(dimension, &strata.name, &strata.title);
    let rank = rank.map(|sentence| format!(" {sentence}")).unwrap_or_default();
    let caption = format!(
        "{subtitle}. Norm of the features of the test images by {}{together}. Each loss has its own scale. A norm that \
         follows the quality tells good images from bad ones.{rank}",
        strata.title
    );
    Ok(Some(Figure { kind: Kind::Norm, name, caption, svg }))
}

fn boxes(loss: &LossSummary<'_>, strata: &Stratification, levels: &[&Level]) -> Vec<NormBox> {
    let one = |(x, level): (usize, &&Level)| {
        let stratum = strata.stratum(level);
        let at = |names: &[&str]| {
            let value = |run: &RunRecord| names.iter().find_map(|name| run.value(name, &stratum));
            Some(loss.over_seeds(value)?.mean)
        };
        let found: Vec<f64> = PERCENTILES.iter().filter_map(|names| at(names)).collect();
        Some(NormBox { x: x as f64, percentiles: found.try_into().ok()? })
    };
    levels.iter().enumerate().filter_map(one).collect()
}

fn draw_box(chart: &mut Chart<'_>, one: &NormBox, color: RGBColor) -> Draw<()> {
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
