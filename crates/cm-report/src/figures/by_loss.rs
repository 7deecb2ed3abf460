//! Accuracy of many losses: one row for each, the best on top.

use std::ops::Range;

use cm_record::{Level, Stratification};
use plotters::{
    element::{Circle, PathElement},
    style::{Color, RGBColor},
};

use super::{
    axis::ticks,
    canvas::{Area, CENTER, Draw, LEFT, RIGHT, WIDTH, at, picture, plain, size},
    legend::{LETTERS, ROW_HEIGHT, flowed},
    level_names,
    style::{GRID, INK, MUTED},
};
use crate::{
    Figure, Kind, ReportError,
    metric::ACCURACY,
    summary::{DimensionSummary, LossSummary, Spread},
    text::number,
    typeface,
};

/// More losses than this would hide each other as lines.
pub(crate) const MANY: usize = 8;

const ROW: f64 = 22.0;
/// Width of the names, at least and at most.
const NAMES: [f64; 2] = [190.0, 340.0];
const RIGHT_EDGE: f64 = WIDTH as f64 - 40.0;
/// Between the edge of the names and the names.
const AIR: f64 = 16.0;

/// Colors from the first level to the last.
const SHADES: [RGBColor; 5] = [
    RGBColor(0x08, 0x30, 0x6b),
    RGBColor(0x21, 0x71, 0xb5),
    RGBColor(0x4a, 0xa5, 0xc9),
    RGBColor(0xf0, 0x9a, 0x3c),
    RGBColor(0xc8, 0x3e, 0x1e),
];

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
    let levels = dimension.levels(strata, ACCURACY);
    let trained = dimension.trained();
    let mut rows: Vec<_> = trained.iter().filter_map(|(_, loss)| row(loss, strata, &levels)).collect();
    rows.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    let Some(Range { start, end }) = range(&rows) else { return Ok(None) };
    let width = |row: &Row<'_>| typeface::width(row.loss, LETTERS) + AIR + 8.0;
    let names = rows.iter().map(width).fold(NAMES[0], f64::max).min(NAMES[1]);
    let x = |percent: f64| names + (percent - start) / (end - start) * (RIGHT_EDGE - names);
    let learned = learned(&rows);

    let name = super::file_name("accuracy", &strata.name, dimension);
    let subtitle = super::subtitle(data, dimension);
    let title = format!("Accuracy by loss and {}", strata.title);
    let entries = entries(&levels, names);
    let bottom = ROW * rows.len() as f64 + 8.0;
    let height = bottom as u32 + 56 + ROW_HEIGHT * entries.last().map_or(1, |entry| entry.row + 1);
    let svg = picture(&name, (WIDTH, height), &title, &subtitle, |sheet| {
        for tick in ticks(start..end, 12) {
            let line = vec![(at(x(tick)), at(0.0)), (at(x(tick)), at(bottom))];
            sheet.draw(&PathElement::new(line, GRID.stroke_width(size(1))))?;
            let position = (at(x(tick)), at(bottom + 14.0));
            sheet.draw_text(&number(tick, 0), &plain(12.0, MUTED, CENTER), position)?;
        }
        let middle = (names + RIGHT_EDGE) / 2.0;
        let axis = "accuracy on the test images (%)";
        sheet.draw_text(axis, &plain(LETTERS, INK, CENTER), (at(middle), at(bottom + 36.0)))?;
        for (i, row) in rows.iter().enumerate() {
            let y = ROW * (i as f64 + 0.5) + 4.0;
            draw_name(sheet, row, y, names)?;
            match i < learned {
                true => draw_accuracies(sheet, row, y, levels.len(), &x)?,
                false => {
                    let left_out = format!("left of the axis: mean {} %", number(row.mean, 1));
                    sheet.draw_text(&left_out, &plain(LETTERS, MUTED, LEFT), (at(names + 6.0), at(y)))?;
                }
            }
        }
        let top = bottom + 66.0;
        let heading = typeface::fitted(&strata.name, LETTERS, names - AIR - 8.0);
        sheet.draw_text(&heading, &plain(LETTERS, MUTED, RIGHT), (at(names - AIR), at(top)))?;
        for (i, entry) in entries.iter().enumerate() {
            let (x, y) = (names + entry.x, top + f64::from(ROW_HEIGHT * entry.row));
            sheet.draw(&Circle::new((at(x), at(y)), at(5.0), shade(i, levels.len()).filled()))?;
            sheet.draw_text(&entry.name, &plain(LETTERS, INK, LEFT), (at(x + 12.0), at(y)))?;
        }
        Ok(())
    })?;
    let bars = match dimension.runs {
        1 => String::new(),
        _ => format!(" Points are means over the {}, bars one standard deviation.", dimension.repeats()),
    };
    let caption = format!(
        "{subtitle}. Accuracy on the test images by {}, sorted by the mean over its levels.{bars}",
        strata.title
    );
    Ok(Some(Figure { kind: Kind::Accuracy, name, caption, svg }))
}

/// How many of the sorted rows have learned: a mean below Tukey's outer fence would leave the others no room.
fn learned(rows: &[Row<'_>]) -> usize {
    let quartile = |k: usize| rows.get(rows.len().saturating_sub(1) * k / 4).map_or(0.0, |row| row.mean);
    let fence = quartile(3) - 3.0 * (quartile(1) - quartile(3)).max(5.0);
    rows.partition_point(|row| row.mean >= fence)
}

/// From a round number below the least accuracy of those that learned to one above the largest; `None` without any.
fn range(rows: &[Row<'_>]) -> Option<Range<f64>> {
    let learned = &rows[..learned(rows)];
    let ends = || learned.iter().flat_map(|row| &row.accuracies).map(|(_, a)| (a.mean, a.std.unwrap_or(0.0)));
    let least = ends().map(|(mean, std)| mean - std).reduce(f64::min)?;
    let most = ends().map(|(mean, std)| mean + std).reduce(f64::max)?;
    let step = if most - least > 40.0 { 10.0 } else { 5.0 };
    let start = ((least / step).floor() * step).clamp(0.0, 95.0);
    Some(start..((most / step).ceil() * step).clamp(start + step, 100.0))
}

fn row<'a>(loss: &LossSummary<'a>, strata: &Stratification, levels: &[&Level]) -> Option<Row<'a>> {
    let percent = |(i, level): (usize, &&Level)| {
        Some((i, loss.figure(ACCURACY, &strata.stratum(level))?.scaled(100.0)))
    };
    let accuracies: Vec<(usize, Spread)> = levels.iter().enumerate().filter_map(percent).collect();
    let mean = Spread::of(accuracies.iter().map(|(_, accuracy)| accuracy.mean))?.mean;
    Some(Row { loss: loss.loss, mean, accuracies })
}

fn draw_name(sheet: &Area<'_>, row: &Row<'_>, y: f64, names: f64) -> Draw<()> {
    let loss = typeface::fitted(row.loss, LETTERS, names - AIR - 8.0);
    sheet.draw_text(&loss, &plain(LETTERS, INK, RIGHT), (at(names - AIR), at(y)))?;
    let ends = [names, RIGHT_EDGE].map(|x| (at(x), at(y))).to_vec();
    sheet.draw(&PathElement::new(ends, GRID.stroke_width(size(1))))
}

fn draw_accuracies(
    sheet: &Area<'_>,
    row: &Row<'_>,
    y: f64,
    levels: usize,
    x: &dyn Fn(f64) -> f64,
) -> Draw<()> {
    for &(level, accuracy) in &row.accuracies {
        let color = shade(level, levels);
        if let Some(std) = accuracy.std {
            let bar = [-std, std].map(|by| (at(x(accuracy.mean + by)), at(y))).to_vec();
            sheet.draw(&PathElement::new(bar, color.mix(0.6).stroke_width(size(2))))?;
        }
        sheet.draw(&Circle::new((at(x(accuracy.mean)), at(y)), at(5.0), color.filled()))?;
    }
    Ok(())
}

/// A level in the legend.
struct Entry {
    name: String,
    x: f64,
    row: u32,
}

fn entries(levels: &[&Level], left: f64) -> Vec<Entry> {
    const BETWEEN: f64 = 28.0;
    let names = level_names(levels);
    let widths: Vec<f64> = names.iter().map(|name| 12.0 + typeface::width(name, LETTERS)).collect();
    let rows = flowed(&widths, RIGHT_EDGE - left, BETWEEN);
    let entry = |(row, &(i, x)): (usize, &(usize, f64))| Entry { name: names[i].clone(), x, row: row as u32 };
    rows.iter()
        .enumerate()
        .flat_map(|(row, entries)| entries.iter().map(move |at| (row, at)))
        .map(entry)
        .collect()
}

/// The color of a level: one of the shades, or between two of them.
fn shade(position: usize, levels: usize) -> RGBColor {
    let place = position as f64 / (levels.max(2) - 1) as f64 * (SHADES.len() - 1) as f64;
    let below = (place.floor() as usize).min(SHADES.len() - 1);
    let above = (below + 1).min(SHADES.len() - 1);
    let mix = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * place.fract()) as u8;
    let (from, to) = (SHADES[below], SHADES[above]);
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_round_numbers_and_never_beyond_all_images() {
        let of = |accuracies: &[f64]| {
            let spread = |mean: &f64| (0, Spread { mean: *mean, std: None });
            range(&[Row { loss: "a", mean: 0.0, accuracies: accuracies.iter().map(spread).collect() }])
        };
        assert_eq!(of(&[61.0, 88.0]), Some(60.0..90.0));
        assert_eq!(of(&[12.0, 99.9]), Some(10.0..100.0));
        assert_eq!(of(&[100.0, 100.0]), Some(95.0..100.0));
        assert_eq!(of(&[0.0]), Some(0.0..5.0));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_loss_that_has_not_learned_leaves_the_others_their_room() {
        let row = |mean: f64| Row { loss: "a", mean, accuracies: vec![(0, Spread { mean, std: None })] };
        let means = [92.0, 91.0, 90.5, 90.0, 89.0, 88.0, 84.0, 17.0];
        let rows: Vec<Row<'_>> = means.into_iter().map(row).collect();
        assert_eq!(range(&rows), Some(80.0..95.0));
        let spread: Vec<Row<'_>> = (2..10).rev().map(|ten| row(f64::from(10 * ten))).collect();
        assert_eq!(range(&spread), Some(20.0..90.0));
    }

    #[test]
    fn levels_have_different_colors_from_the_first_shade_to_the_last() {
        for levels in 2..30 {
            let colors: Vec<RGBColor> = (0..levels).map(|level| shade(level, levels)).collect();
            assert_eq!((colors[0], colors[levels - 1]), (SHADES[0], SHADES[4]));
            assert!(colors.windows(2).all(|pair| pair[0] != pair[1]), "{levels} levels");
        }
        assert_eq!(shade(2, 5), SHADES[2]);
        assert_eq!(shade(0, 1), SHADES[0]);
    }
}
