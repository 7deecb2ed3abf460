//! Two-dimensional features of the test images, coloured by class.

use std::collections::BTreeSet;

use plotters::{
    element::{Circle, Cross, EmptyElement, PathElement, Text},
    style::{Color, WHITE},
};

use super::{
    Figure, Kind,
    canvas::{
        Area, Axis, CENTRE, Chart, Draw, HEADING_HEIGHT, LEFT, Margins, at, bold, chart, picture, plain, size,
    },
    style::{INK, MUTED, class_colour},
};
use crate::{
    experiment::{FeatureRow, Results, RunRecord},
    report::{
        ReportError,
        summary::{accuracy_at, count, grouped, low_quality_accuracy},
    },
};

/// More points would not show more, but make the file larger.
const MAX_CLEAN: usize = 1500;
const MAX_DEGRADED: usize = 800;
/// Opacity of the untouched images, which the degraded ones stand out from.
const UNTOUCHED: f64 = 0.3;
/// Half the width of a degraded image's mark.
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

/// One loss: its run, and the rows that are drawn.
struct Panel<'a> {
    run: &'a RunRecord,
    clean: Vec<FeatureRow>,
    degraded: Vec<FeatureRow>,
}

impl<'a> Panel<'a> {
    fn new(run: &'a RunRecord, rows: &[FeatureRow]) -> Self {
        let some = |degraded: bool, most| {
            let rows = rows
                .iter()
                .filter(|row| (row.severity > 0) == degraded && row.x.is_finite() && row.y.is_finite());
            thinned(&rows.copied().collect::<Vec<_>>(), most)
        };
        Self { run, clean: some(false, MAX_CLEAN), degraded: some(true, MAX_DEGRADED) }
    }

    fn rows(&self) -> impl Iterator<Item = &FeatureRow> {
        self.clean.iter().chain(&self.degraded)
    }

    /// What is reached on test images without and with degradation.
    fn accuracies(&self) -> String {
        let percent = |value: f64| format!("{:.1} %", value * 100.0);
        let parts = [
            accuracy_at(0)(self.run).map(|a| format!("{} clean", percent(a))),
            low_quality_accuracy(self.run).map(|a| format!("{} degraded", percent(a))),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

pub(super) fn draw(results: &Results, features: &[Vec<FeatureRow>]) -> Result<Option<Figure>, ReportError> {
    let mut panels: Vec<Panel<'_>> = Vec::new();
    for (run, rows) in results.runs.iter().zip(features).filter(|(run, _)| run.feature_dim == 2) {
        if !rows.is_empty() && panels.iter().all(|panel| panel.run.loss != run.loss) {
            panels.push(Panel::new(run, rows));
        }
    }
    let Some(seed) = panels.first().map(|panel| panel.run.seed) else { return Ok(None) };

    let columns = panels.len().min(COLUMNS);
    let rows = panels.len().div_ceil(columns) as u32;
    let classes: BTreeSet<u8> = panels.iter().flat_map(|panel| panel.rows().map(|row| row.label)).collect();
    let seeds = results.runs.iter().map(|run| run.seed).collect::<BTreeSet<_>>().len();
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
        explanation(&strip, &classes)
    })?;
    let caption = format!(
        "{subtitle}. Each point is a test image, coloured by its class; the axes of a panel have the same unit, the cross \
         is the origin. Dots are untouched images, crosses degraded ones. The distance from the origin is the feature norm. Above each panel: accuracy on untouched images \
         and mean over the degraded ones. A panel shows at most {} untouched and {} degraded images.",
        grouped(MAX_CLEAN),
        grouped(MAX_DEGRADED)
    );
    Ok(Some(Figure { kind: Kind::Features, name: "features".into(), caption, svg }))
}

/// At most about `most` rows, the same ones every time.
fn thinned(rows: &[FeatureRow], most: usize) -> Vec<FeatureRow> {
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
    let axis = |description: &str| Axis {
        range: -reach..reach,
        description: description.into(),
        ticks: 6,
        whole: false,
    };
    let below = (at(f64::from(MARGINS.left)), at(f64::from(MARGINS.top) - 16.0));
    area.draw_text(&panel.accuracies(), &plain(12.5, MUTED, LEFT), below)?;
    let (title, x, y) = (&panel.run.loss, axis("first coordinate"), axis("second coordinate"));
    let mut chart = chart(area, title, &MARGINS, &x, &y)?;
    let point = |row: &FeatureRow| (f64::from(row.x), f64::from(row.y));
    chart.draw_series(
        panel
            .clean
            .iter()
            .map(|row| Circle::new(point(row), at(1.7), class_colour(row.label).mix(UNTOUCHED).filled())),
    )?;
    chart.draw_series(
        panel
            .degraded
            .iter()
            .map(|row| Cross::new(point(row), at(CROSS), class_colour(row.label).stroke_width(size(1)))),
    )?;
    origin(&mut chart)?;
    class_labels(&mut chart, &panel.clean, reach)
}

fn origin(chart: &mut Chart<'_>) -> Draw<()> {
    let arm = at(6.0);
    for (colour, width) in [(WHITE, size(4)), (INK, size(2))] {
        let line = |path| PathElement::new(path, colour.stroke_width(width));
        chart.draw_series([EmptyElement::at((0.0, 0.0))
            + line(vec![(-arm, 0), (arm, 0)])
            + line(vec![(0, -arm), (0, arm)])])?;
    }
    Ok(())
}

/// The class at the outer end of its untouched features, so that the colours need not be told apart alone.
fn class_labels(chart: &mut Chart<'_>, clean: &[FeatureRow], reach: f64) -> Draw<()> {
    let classes: BTreeSet<u8> = clean.iter().map(|row| row.label).collect();
    for class in classes {
        let rows = || clean.iter().filter(|row| row.label == class);
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
        let text = Text::new(class.to_string(), (0, 0), bold(13.0, class_colour(class), CENTRE));
        chart.draw_series([EmptyElement::at(position)
            + Circle::new((0, 0), at(7.0), WHITE.mix(0.8).filled())
            + text])?;
    }
    Ok(())
}

/// In a line: the classes, and how quality and origin are shown.
fn explanation(strip: &Area<'_>, classes: &BTreeSet<u8>) -> Draw<()> {
    const Y: f64 = 24.0;
    let label = plain(12.5, INK, LEFT);
    strip.draw_text("Class", &bold(13.0, INK, LEFT), (at(18.0), at(Y)))?;
    let mut x = 70.0;
    for &class in classes {
        strip.draw(&Circle::new((at(x), at(Y)), at(5.0), class_colour(class).filled()))?;
        strip.draw_text(&class.to_string(), &label, (at(x + 9.0), at(Y)))?;
        x += 34.0;
    }
    x += 12.0;
    strip.draw(&Circle::new((at(x), at(Y)), at(1.7), INK.mix(UNTOUCHED).filled()))?;
    strip.draw_text("untouched", &label, (at(x + 10.0), at(Y)))?;
    x += 96.0;
    strip.draw(&Cross::new((at(x), at(Y)), at(CROSS), INK.stroke_width(size(1))))?;
    strip.draw_text("degraded (severity 1 to 4)", &label, (at(x + 10.0), at(Y)))?;
    x += 190.0;
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
                label: (index % 10) as u8,
                predicted: 0,
                severity: 0,
                norm: 1.0,
                x: 1.0,
                y: 0.0,
            })
            .collect();
        let kept = thinned(&rows, 1000);
        assert!((990..=1000).contains(&kept.len()), "{}", kept.len());
        for class in 0..10 {
            let count = kept.iter().filter(|row| row.label == class).count();
            assert!((90..=110).contains(&count), "class {class}: {count}");
        }
        assert_eq!(thinned(&rows[..500], 1000).len(), 500);
    }
}
