//! Two-dimensional features of the test images, colored by class.

use std::collections::BTreeSet;

use cm_record::{FeatureRow, FeatureTable, Results, RunRecord, Stratification};
use plotters::{
    element::{Circle, Cross, EmptyElement, PathElement, Text},
    style::{Color, WHITE},
};

use super::{
    canvas::{
        Area, Axis, CENTER, Chart, Draw, HEADING_HEIGHT, LEFT, Margins, at, bold, chart, picture, plain, size,
    },
    style::{INK, MUTED, class_color},
};
use crate::{
    Figure, Kind, ReportError,
    summary::{count, grouped, number},
};

/// More points would not show more, but make the file larger.
const MAX_FIRST: usize = 1500;
const MAX_OTHER: usize = 800;
/// Opacity of the images of the first level, which the others stand out from.
const FIRST_OPACITY: f64 = 0.3;
/// Half the width of a cross.
const CROSS: f64 = 2.2;
/// Panels side by side; more losses than that continue below.
const COLUMNS: usize = 5;
/// Width and height of the square between the axes.
const SIDE: u32 = 252;
const MARGINS: Margins = Margins { top: 56, right: 8, left: 58, bottom: 52 };
const PANEL_WIDTH: u32 = SIDE + MARGINS.left + MARGINS.right;
const PANEL_HEIGHT: u32 = SIDE + MARGINS.top + MARGINS.bottom;
const LEGEND_HEIGHT: u32 = 56;
/// The heading and the legend need as much.
const LEAST_WIDTH: u32 = 900;

/// More classes than this would not all find room in the legend.
const NAMED_CLASSES: usize = 12;

/// One loss: its run, and the rows that are drawn.
struct Panel<'a> {
    run: &'a RunRecord,
    /// Of the first level of the first stratification, or all where there is none.
    first: Vec<&'a FeatureRow>,
    others: Vec<&'a FeatureRow>,
    accuracies: String,
}

impl<'a> Panel<'a> {
    fn new(run: &'a RunRecord, table: &'a FeatureTable, strata: Option<&Stratification>) -> Self {
        let first = strata.and_then(|strata| Some((table.position(&strata.name)?, strata.levels.first()?)));
        let is_first = |row: &FeatureRow| first.is_none_or(|(at, level)| row.levels[at] == level.name);
        let some = |wanted: bool, most| {
            let rows = table.rows.iter().filter(|row| is_first(row) == wanted);
            thinned(&rows.collect::<Vec<_>>(), most)
        };
        let percent = |stratum: &str, name: &str| {
            let accuracy = run.value("accuracy", stratum)?;
            Some(format!("{} % {name}", number(100.0 * accuracy, 1)))
        };
        let of_strata = strata.and_then(|strata| {
            let (first, last) = (strata.levels.first()?, strata.levels.last()?);
            let named = |level: &cm_record::Level| {
                percent(&strata.stratum(level), &format!("at {} {}", strata.name, level.name))
            };
            Some([named(first)?, named(last)?].join(", "))
        });
        Self {
            run,
            first: some(true, MAX_FIRST),
            others: some(false, MAX_OTHER),
            accuracies: of_strata.or_else(|| percent("", "recognized")).unwrap_or_default(),
        }
    }

    fn rows(&self) -> impl Iterator<Item = &&'a FeatureRow> {
        self.first.iter().chain(&self.others)
    }
}

pub(crate) fn draw(
    results: &Results,
    features: &[Option<FeatureTable>],
) -> Result<Option<Figure>, ReportError> {
    let strata = results.layout.stratifications.first();
    let mut panels: Vec<Panel<'_>> = Vec::new();
    for (run, table) in results.runs.iter().zip(features).filter(|(run, _)| run.key.feature_dim == 2) {
        let Some(table) = table.as_ref().filter(|table| !table.rows.is_empty()) else { continue };
        if panels.iter().all(|panel| panel.run.key.loss != run.key.loss) {
            panels.push(Panel::new(run, table, strata));
        }
    }
    let Some(seed) = panels.first().map(|panel| panel.run.key.seed) else { return Ok(None) };

    let columns = panels.len().min(COLUMNS);
    let rows = panels.len().div_ceil(columns) as u32;
    let classes: BTreeSet<u32> = panels.iter().flat_map(|panel| panel.rows().map(|row| row.label)).collect();
    let seeds = results.runs.iter().map(|run| run.key.seed).collect::<BTreeSet<_>>().len();
    let shown = if seeds > 1 {
        format!("seed {seed}, the first of {}", count(seeds, "seed"))
    } else {
        format!("1 seed ({seed})")
    };
    let subtitle = format!("{} · feature dimension 2, {shown}", results.data.name);
    let title = "Two-dimensional features of the test images";
    let width = (PANEL_WIDTH * columns as u32).max(LEAST_WIDTH);
    let height = HEADING_HEIGHT + PANEL_HEIGHT * rows + LEGEND_HEIGHT;
    let svg = picture("features", (width, height), title, &subtitle, |sheet| {
        let (charts, strip) = sheet.split_vertically(size(PANEL_HEIGHT * rows));
        for (i, panel) in panels.iter().enumerate() {
            let (left, top) = (at(f64::from(PANEL_WIDTH)), at(f64::from(PANEL_HEIGHT)));
            let (left, top) = (left * (i % columns) as i32, top * (i / columns) as i32);
            let cell = charts.margin(top, 0, left, 0);
            scatter(&cell.shrink((0, 0), (size(PANEL_WIDTH), size(PANEL_HEIGHT))), panel)?;
        }
        explanation(&strip, &classes, strata)
    })?;
    let marks = strata.and_then(|strata| Some((strata, strata.levels.first()?))).map_or_else(
        String::new,
        |(strata, level)| {
            format!(
                " Dots are images of {} {}, crosses the others; a panel shows at most {} and {} of them.",
                strata.name,
                level.name,
                grouped(MAX_FIRST),
                grouped(MAX_OTHER)
            )
        },
    );
    let caption = format!(
        "{subtitle}. Each point is a test image, colored by its class; the axes of a panel have the same unit, the cross \
         is the origin. The distance from the origin is the feature norm. Above each panel: accuracy.{marks}"
    );
    Ok(Some(Figure { kind: Kind::Features, name: "features".into(), caption, svg }))
}

/// At most about `most` rows, the same ones every time.
fn thinned<'a>(rows: &[&'a FeatureRow], most: usize) -> Vec<&'a FeatureRow> {
    /// 2^32 divided by the golden ratio: multiples of it are spread evenly whatever period the rows have, where
    /// every n-th row might be of one class.
    const GOLDEN: u32 = 2_654_435_769;
    let threshold =
        (most as f64 / rows.len().max(1) as f64 * f64::from(u32::MAX)).min(f64::from(u32::MAX)) as u32;
    rows.iter()
        .enumerate()
        .filter(|(i, _)| (*i as u32).wrapping_mul(GOLDEN) <= threshold)
        .map(|(_, row)| *row)
        .take(most)
        .collect()
}

fn scatter(area: &Area<'_>, panel: &Panel<'_>) -> Draw<()> {
    let reach = panel.rows().map(|row| f64::from(row.x.abs().max(row.y.abs()))).fold(0.0, f64::max);
    let reach = if reach > 0.0 { reach * 1.14 } else { 1.0 };
    let axis = |description: &str| Axis::new(-reach..reach, description, 6, false);
    let below = (at(f64::from(MARGINS.left)), at(f64::from(MARGINS.top) - 16.0));
    area.draw_text(&panel.accuracies, &plain(12.5, MUTED, LEFT), below)?;
    let (title, x, y) = (&panel.run.key.loss, axis("first coordinate"), axis("second coordinate"));
    let mut chart = chart(area, title, &MARGINS, &x, &y)?;
    let point = |row: &&FeatureRow| (f64::from(row.x), f64::from(row.y));
    chart.draw_series(
        panel
            .first
            .iter()
            .map(|row| Circle::new(point(row), at(1.7), class_color(row.label).mix(FIRST_OPACITY).filled())),
    )?;
    chart.draw_series(
        panel
            .others
            .iter()
            .map(|row| Cross::new(point(row), at(CROSS), class_color(row.label).stroke_width(size(1)))),
    )?;
    origin(&mut chart)?;
    class_labels(&mut chart, &panel.first, reach)
}

fn origin(chart: &mut Chart<'_>) -> Draw<()> {
    let arm = at(6.0);
    for (color, width) in [(WHITE, size(4)), (INK, size(2))] {
        let line = |path| PathElement::new(path, color.stroke_width(width));
        chart.draw_series([EmptyElement::at((0.0, 0.0))
            + line(vec![(-arm, 0), (arm, 0)])
            + line(vec![(0, -arm), (0, arm)])])?;
    }
    Ok(())
}

/// The class at the outer end of its features, so that the colors need not be told apart alone.
fn class_labels(chart: &mut Chart<'_>, shown: &[&FeatureRow], reach: f64) -> Draw<()> {
    let classes: BTreeSet<u32> = shown.iter().map(|row| row.label).collect();
    for class in classes {
        let rows = || shown.iter().filter(|row| row.label == class);
        let (x, y) = rows().fold((0.0, 0.0), |(x, y), row| (x + f64::from(row.x), y + f64::from(row.y)));
        let length = x.hypot(y);
        if length == 0.0 {
            continue;
        }
        let (x, y) = (x / length, y / length);
        let mut along: Vec<f64> = rows().map(|row| f64::from(row.x) * x + f64::from(row.y) * y).collect();
        along.sort_by(f64::total_cmp);
        let outer = along[along.len() * 97 / 100].max(0.0) + reach * 0.06;
        let position = (x * outer, y * outer);
        let text = Text::new(class.to_string(), (0, 0), bold(13.0, class_color(class), CENTER));
        chart.draw_series([EmptyElement::at(position)
            + Circle::new((0, 0), at(7.0), WHITE.mix(0.8).filled())
            + text])?;
    }
    Ok(())
}

/// In a line: the classes, and how quality and origin are shown.
fn explanation(strip: &Area<'_>, classes: &BTreeSet<u32>, strata: Option<&Stratification>) -> Draw<()> {
    const Y: f64 = 24.0;
    let label = plain(12.5, INK, LEFT);
    strip.draw_text("Class", &bold(13.0, INK, LEFT), (at(18.0), at(Y)))?;
    let mut x = 70.0;
    for &class in classes.iter().take(NAMED_CLASSES) {
        strip.draw(&Circle::new((at(x), at(Y)), at(5.0), class_color(class).filled()))?;
        strip.draw_text(&class.to_string(), &label, (at(x + 9.0), at(Y)))?;
        x += 34.0;
    }
    if classes.len() > NAMED_CLASSES {
        strip.draw_text("…", &label, (at(x), at(Y)))?;
        x += 22.0;
    }
    x += 12.0;
    if let Some((strata, level)) = strata.and_then(|strata| Some((strata, strata.levels.first()?))) {
        let first = format!("{} {}", strata.name, level.name);
        strip.draw(&Circle::new((at(x), at(Y)), at(1.7), INK.mix(FIRST_OPACITY).filled()))?;
        strip.draw_text(&first, &label, (at(x + 10.0), at(Y)))?;
        x += 34.0 + 7.0 * first.chars().count() as f64;
        strip.draw(&Cross::new((at(x), at(Y)), at(CROSS), INK.stroke_width(size(1))))?;
        strip.draw_text("others", &label, (at(x + 10.0), at(Y)))?;
        x += 84.0;
    }
    let arm = 6.0;
    let line = |from: (f64, f64), to: (f64, f64)| {
        PathElement::new(vec![(at(from.0), at(from.1)), (at(to.0), at(to.1))], INK.stroke_width(size(2)))
    };
    strip.draw(&line((x - arm, Y), (x + arm, Y)))?;
    strip.draw(&line((x, Y - arm), (x, Y + arm)))?;
    strip.draw_text("origin: feature norm 0", &label, (at(x + 14.0), at(Y)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_every_class_of_rows_in_turn() {
        let rows: Vec<FeatureRow> = (0..10_000)
            .map(|index| FeatureRow {
                index,
                label: (index % 10) as u32,
                predicted: 0,
                confidence: 0.5,
                norm: 1.0,
                x: 1.0,
                y: 0.0,
                levels: Vec::new(),
            })
            .collect();
        let rows: Vec<&FeatureRow> = rows.iter().collect();
        let kept = thinned(&rows, 1000);
        assert!((990..=1000).contains(&kept.len()), "{}", kept.len());
        for class in 0..10 {
            let count = kept.iter().filter(|row| row.label == class).count();
            assert!((90..=110).contains(&count), "class {class}: {count}");
        }
        assert_eq!(thinned(&rows[..500], 1000).len(), 500);
    }
}
