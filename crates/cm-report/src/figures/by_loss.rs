//! Accuracy of many losses: one row for each, the best on top.

use cm_record::Stratification;
use plotters::{
    element::{Circle, PathElement},
    style::{Color, RGBColor},
};

use super::{
    canvas::{CENTER, HEADING_HEIGHT, LEFT, RIGHT, WIDTH, at, picture, plain, size},
    style::{GRID, INK, MUTED},
};
use crate::{
    Figure, Kind, ReportError,
    summary::{DimensionSummary, Spread},
};

/// More losses than this would hide each other as lines.
pub(crate) const MANY: usize = 8;

const ROW: f64 = 22.0;
const NAMES: f64 = 190.0;
const RIGHT_EDGE: f64 = WIDTH as f64 - 40.0;

/// From the first level to the last: two ends, and colors between them.
const FIRST: (f64, f64, f64) = (8.0, 48.0, 107.0);
const MIDDLE: (f64, f64, f64) = (74.0, 165.0, 201.0);
const LAST: (f64, f64, f64) = (200.0, 62.0, 30.0);

/// A loss with its accuracy in percent at each level.
struct Row<'a> {
    loss: &'a str,
    mean: f64,
    accuracies: Vec<(usize, Spread)>,
}

pub(crate) fn draw(
    data: &str,
    dimension: &DimensionSummary<'_>,
    strata: &Stratification,
) -> Result<Option<Figure>, ReportError> {
    let levels = dimension.levels(strata, "accuracy");
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (_, loss) in dimension.trained() {
        let percent = |&(position, level): &(usize, &cm_record::Level)| {
            let accuracy = loss.over_seeds(|run| run.value("accuracy", &strata.stratum(level)))?;
            Some((position, accuracy.scaled(100.0)))
        };
        let accuracies: Vec<(usize, Spread)> = levels.iter().filter_map(percent).collect();
        let Some(mean) = Spread::of(accuracies.iter().map(|(_, accuracy)| accuracy.mean)) else { continue };
        rows.push(Row { loss: loss.loss, mean: mean.mean, accuracies });
    }
    rows.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    let least = rows.iter().flat_map(|row| &row.accuracies).map(|(_, a)| a.mean).fold(100.0, f64::min);
    if rows.is_empty() {
        return Ok(None);
    }
    let start = (least / 5.0).floor() * 5.0;
    let x = |percent: f64| NAMES + (percent - start) / (100.0 - start) * (RIGHT_EDGE - NAMES);

    let name = format!("accuracy-by-{}-{}d", strata.name, dimension.feature_dim);
    let subtitle = super::subtitle(data, dimension);
    let color = |position: usize| shade(position, strata.levels.len());
    let bottom = ROW * rows.len() as f64 + 8.0;
    let height = HEADING_HEIGHT + bottom as u32 + 86;
    let svg = picture(
        &name,
        (WIDTH, height),
        &format!("Accuracy by loss and {}", strata.title),
        &subtitle,
        |sheet| {
            let mut tick = start;
            while tick <= 100.0 {
                let line = vec![(at(x(tick)), at(0.0)), (at(x(tick)), at(bottom))];
                sheet.draw(&PathElement::new(line, GRID.stroke_width(size(1))))?;
                sheet.draw_text(
                    &format!("{tick:.0}"),
                    &plain(12.0, MUTED, CENTER),
                    (at(x(tick)), at(bottom + 14.0)),
                )?;
                tick += 5.0;
            }
            let middle = (NAMES + RIGHT_EDGE) / 2.0;
            let axis = "accuracy on the test images (%)";
            sheet.draw_text(axis, &plain(13.0, INK, CENTER), (at(middle), at(bottom + 36.0)))?;
            for (i, row) in rows.iter().enumerate() {
                let y = at(ROW * (i as f64 + 0.5) + 4.0);
                sheet.draw_text(row.loss, &plain(13.0, INK, RIGHT), (at(NAMES - 16.0), y))?;
                let ends = [NAMES, RIGHT_EDGE].map(|x| (at(x), y)).to_vec();
                sheet.draw(&PathElement::new(ends, GRID.stroke_width(size(1))))?;
                for (position, accuracy) in &row.accuracies {
                    let color = color(*position);
                    if let Some(std) = accuracy.std {
                        let bar = [-std, std].map(|by| (at(x(accuracy.mean + by)), y)).to_vec();
                        sheet.draw(&PathElement::new(bar, color.mix(0.6).stroke_width(size(2))))?;
                    }
                    sheet.draw(&Circle::new((at(x(accuracy.mean)), y), at(5.0), color.filled()))?;
                }
            }
            let mut left = NAMES;
            let y = at(bottom + 66.0);
            for (position, level) in &levels {
                let label = level.label.replace('\n', " ");
                sheet.draw(&Circle::new((at(left), y), at(5.0), color(*position).filled()))?;
                sheet.draw_text(&label, &plain(13.0, INK, LEFT), (at(left + 12.0), y))?;
                left += 34.0 + 7.0 * label.chars().count() as f64;
            }
            Ok(())
        },
    )?;
    let caption = format!(
        "{subtitle}. Accuracy on the test images by {}, sorted by the mean over its levels.{}",
        strata.title,
        if dimension.seeds.len() > 1 {
            " Points are means over the seeds, bars one standard deviation."
        } else {
            ""
        }
    );
    Ok(Some(Figure { kind: Kind::Accuracy, name, caption, svg }))
}

/// The color of a level.
fn shade(position: usize, levels: usize) -> RGBColor {
    let at = position as f64 / (levels.max(2) - 1) as f64;
    let (from, to, share) = if at < 0.5 { (FIRST, MIDDLE, 2.0 * at) } else { (MIDDLE, LAST, 2.0 * at - 1.0) };
    let mix = |from: f64, to: f64| (from + (to - from) * share) as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}
