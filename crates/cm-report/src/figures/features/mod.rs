//! Two-dimensional features of the test images, colored by class.

mod legend;

use std::collections::BTreeSet;

use cm_record::{FeatureRow, FeatureTable, Results, RunKey, RunRecord, Stratification};
use plotters::{
    element::{Circle, Cross, EmptyElement, PathElement, Text},
    style::{Color, WHITE},
};

use self::legend::Legend;
use super::{
    axis::Axis,
    canvas::{Area, CENTER, Chart, Draw, EDGE, LEFT, Margins, at, bold, chart, picture, plain, size},
    level_name,
    style::{INK, MUTED, class_color},
};
use crate::{
    Figure, Kind, ReportError,
    text::{count, grouped, percent},
    typeface,
};

/// More points would not show more, but make the file larger.
const MOST_OF_FIRST: usize = 1500;
const MOST_OF_OTHERS: usize = 800;
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
/// The heading and the legend need as much.
const LEAST_WIDTH: u32 = 900;

/// The two groups of images: those of the first level of the first stratification, and the others.
struct Groups<'a> {
    stratification: &'a str,
    /// Name of the level in features files.
    level: &'a str,
    first: String,
    others: String,
}

impl<'a> Groups<'a> {
    fn new(strata: Option<&'a Stratification>) -> Option<Self> {
        let strata = strata?;
        let [first, others @ ..] = strata.levels.as_slice() else { return None };
        let others = match others {
            [] => return None,
            [one] => level_name(one),
            [second, .., last] => format!("{} to {}", level_name(second), level_name(last)),
        };
        Some(Self {
            stratification: &strata.name,
            level: &first.name,
            first: format!("{} {}", strata.name, level_name(first)),
            others: format!("{} {others}", strata.name),
        })
    }
}

/// One loss: its run, and the rows that are drawn.
struct Panel<'a> {
    run: &'a RunRecord,
    first: Vec<&'a FeatureRow>,
    others: Vec<&'a FeatureRow>,
    accuracies: String,
}

impl<'a> Panel<'a> {
    fn new(run: &'a RunRecord, table: &'a FeatureTable, groups: Option<&Groups<'_>>) -> Self {
        let place = groups.and_then(|groups| Some((table.position(groups.stratification)?, groups.level)));
        let is_first =
            |row: &FeatureRow| place.is_none_or(|(at, level)| row.levels.get(at).is_some_and(|l| l == level));
        let (first, others): (Vec<&FeatureRow>, Vec<&FeatureRow>) =
            table.rows.iter().partition(|row| is_first(row));
        let accuracy = |rows: &[&FeatureRow]| {
            let right = rows.iter().filter(|row| row.label == row.predicted).count();
            (!rows.is_empty()).then(|| percent(right as f64 / rows.len() as f64, 1))
        };
        let named = |rows: &[&FeatureRow], name: &str| Some(format!("{name}: {}", accuracy(rows)?));
        let accuracies = match groups {
            Some(groups) => [named(&first, &groups.first), named(&others, "others")],
            None => [named(&first, "accuracy"), None],
        };
        let drawable = |rows: Vec<&'a FeatureRow>, most| {
            thinned(&rows.into_iter().filter(|row| coordinates(row).is_some()).collect::<Vec<_>>(), most)
        };
        Self {
            run,
            first: drawable(first, MOST_OF_FIRST),
            others: drawable(others, MOST_OF_OTHERS),
            accuracies: accuracies.into_iter().flatten().collect::<Vec<_>>().join(", "),
        }
    }

    fn rows(&self) -> impl Iterator<Item = &&'a FeatureRow> {
        self.first.iter().chain(&self.others)
    }
}

/// Where a row is drawn; `None` of a pair of images, and where the network diverged.
fn coordinates(row: &FeatureRow) -> Option<(f64, f64)> {
    let [x, y] = row.point.filter(|point| point.iter().all(|value| value.is_finite()))?;
    Some((f64::from(x), f64::from(y)))
}

pub(crate) fn draw(
    results: &Results,
    features: &[Option<FeatureTable>],
) -> Result<Option<Figure>, ReportError> {
    let groups = Groups::new(results.layout.stratifications.first());
    let mut panels: Vec<Panel<'_>> = Vec::new();
    for (run, table) in results.runs.iter().zip(features).filter(|(run, _)| super::needs_features(run)) {
        let has_points = |table: &&FeatureTable| table.rows.iter().any(|row| coordinates(row).is_some());
        let Some(table) = table.as_ref().filter(has_points) else { continue };
        if panels.iter().all(|panel| panel.run.key.loss != run.key.loss) {
            panels.push(Panel::new(run, table, groups.as_ref()));
        }
    }
    let Some(key) = panels.first().map(|panel| &panel.run.key) else { return Ok(None) };

    let columns = panels.len().min(COLUMNS);
    let rows = panels.len().div_ceil(columns) as u32;
    let classes: BTreeSet<u32> = panels.iter().flat_map(|panel| panel.rows().map(|row| row.label)).collect();
    let of_two = results.runs.iter().filter(|run| super::needs_features(run));
    let seeds = of_two.map(|run| run.key.seed).collect::<BTreeSet<_>>().len();
    let fold = key.fold.map(|fold| format!(", fold {fold}")).unwrap_or_default();
    let shown = match seeds {
        1 => format!("1 seed ({}){fold}", key.seed),
        _ => format!("seed {}, the first of {}{fold}", key.seed, count(seeds, "seed")),
    };
    let subtitle = format!("{} · feature dimension 2, {shown}", results.data.name);
    let title = "Two-dimensional features of the test images";
    let width = (PANEL_WIDTH * columns as u32).max(LEAST_WIDTH);
    let legend = Legend::new(&classes, groups.as_ref(), f64::from(width) - 2.0 * EDGE);
    let height = PANEL_HEIGHT * rows + legend.height();
    let svg = picture("features", (width, height), title, &subtitle, |sheet| {
        let (charts, strip) = sheet.split_vertically(size(PANEL_HEIGHT * rows));
        for (i, panel) in panels.iter().enumerate() {
            let (left, top) = (at(f64::from(PANEL_WIDTH)), at(f64::from(PANEL_HEIGHT)));
            let (left, top) = (left * (i % columns) as i32, top * (i / columns) as i32);
            let cell = charts.margin(top, 0, left, 0);
            let cell = cell.shrink((0, 0), (size(PANEL_WIDTH), size(PANEL_HEIGHT)));
            scatter(&cell, panel, key)?;
        }
        legend.draw(&strip)
    })?;
    let marks = groups.map_or_else(String::new, |groups| {
        format!(
            " Dots are images of {}, crosses of {}; a panel shows at most {} and {} of them.",
            groups.first,
            groups.others,
            grouped(MOST_OF_FIRST),
            grouped(MOST_OF_OTHERS)
        )
    });
    let caption = format!(
        "{subtitle}. Each point is a test image, colored by its class; the axes of a panel have the same unit, the cross \
         is the origin. The distance from the origin is the feature norm. Above each panel: the accuracy of its loss, \
         on all its test images.{marks}"
    );
    Ok(Some(Figure { kind: Kind::Features, name: "features".into(), caption, svg }))
}

/// At most about `most` rows, the same ones every time.
fn thinned<'a>(rows: &[&'a FeatureRow], most: usize) -> Vec<&'a FeatureRow> {
    /// 2^32 divided by the golden ratio: multiples of it are spread evenly whatever period the
    /// rows have, where every n-th row might be of one class.
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

/// One panel; `key` is of the run that the picture names.
fn scatter(area: &Area<'_>, panel: &Panel<'_>, key: &RunKey) -> Draw<()> {
    let points = panel.rows().filter_map(|row| coordinates(row));
    let reach = points.map(|(x, y)| x.abs().max(y.abs())).fold(0.0, f64::max);
    let reach = if reach > 0.0 { reach * 1.14 } else { 1.0 };
    let axis = |description: &str| Axis::new(-reach..reach, description, 6, false);
    let below = (at(f64::from(MARGINS.left)), at(f64::from(MARGINS.top) - 16.0));
    let accuracies = typeface::fitted(&panel.accuracies, 11.5, f64::from(SIDE + MARGINS.right));
    area.draw_text(&accuracies, &plain(11.5, MUTED, LEFT), below)?;
    let own = &panel.run.key;
    let title = match (own.seed, own.fold) == (key.seed, key.fold) {
        true => own.loss.clone(),
        false => own.label(),
    };
    let (x, y) = (axis("first coordinate"), axis("second coordinate"));
    let mut chart = chart(area, &title, &MARGINS, &x, &y)?;
    let dot = |row: &&FeatureRow| {
        Some(Circle::new(coordinates(row)?, at(1.7), class_color(row.label).mix(FIRST_OPACITY).filled()))
    };
    let cross = |row: &&FeatureRow| {
        Some(Cross::new(coordinates(row)?, at(CROSS), class_color(row.label).stroke_width(size(1))))
    };
    chart.draw_series(panel.first.iter().filter_map(dot))?;
    chart.draw_series(panel.others.iter().filter_map(cross))?;
    origin(&mut chart)?;
    class_labels(&mut chart, panel, reach)
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
/// One that would lie on another is left out.
fn class_labels(chart: &mut Chart<'_>, panel: &Panel<'_>, reach: f64) -> Draw<()> {
    const SIZE: f64 = 13.0;
    let mut taken: Vec<(i32, i32)> = Vec::new();
    let classes: BTreeSet<u32> = panel.rows().map(|row| row.label).collect();
    for class in classes {
        let of = |rows: &[&FeatureRow]| -> Vec<(f64, f64)> {
            rows.iter().filter(|row| row.label == class).filter_map(|row| coordinates(row)).collect()
        };
        let first = of(&panel.first);
        let points = if first.is_empty() { of(&panel.others) } else { first };
        let Some(position) = outer_end(&points, reach * 0.06) else { continue };
        let (x, y) = chart.plotting_area().map_coordinate(&position);
        let name = class.to_string();
        let half = typeface::width(&name, SIZE) / 2.0 + 2.0;
        let near = |&(other_x, other_y): &(i32, i32)| {
            (x - other_x).abs() < at(2.0 * half) && (y - other_y).abs() < at(SIZE)
        };
        if taken.iter().any(near) {
            continue;
        }
        taken.push((x, y));
        let text = Text::new(name, (0, 0), bold(SIZE, class_color(class), CENTER));
        chart.draw_series([EmptyElement::at(position)
            + Circle::new((0, 0), at(half.max(7.0)), WHITE.mix(0.8).filled())
            + text])?;
    }
    Ok(())
}

/// A point beyond nearly all of these in their mean direction; `None` where they have none.
fn outer_end(points: &[(f64, f64)], air: f64) -> Option<(f64, f64)> {
    let (x, y) = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    let length = x.hypot(y);
    if length == 0.0 {
        return None;
    }
    let (x, y) = (x / length, y / length);
    let mut along: Vec<f64> = points.iter().map(|point| point.0 * x + point.1 * y).collect();
    along.sort_by(f64::total_cmp);
    let outer = along[along.len() * 97 / 100].max(0.0) + air;
    Some((x * outer, y * outer))
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
                point: Some([1.0, 0.0]),
                logit: None,
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
