//! Accuracy by the levels of a stratification, absolute and relative to the baseline.

use std::ops::Range;

use cm_record::{Level, Stratification};
use plotters::{element::PathElement, style::Color};

use super::{
    axis::{Axis, padded},
    canvas::{Chart, Draw, Margins, WIDTH, chart, picture, size},
    legend, level_names,
    mark::mark,
    style::LossStyle,
};
use crate::{
    Figure, Kind, ReportError,
    metric::ACCURACY,
    summary::{DimensionSummary, LossSummary, Spread},
};

const PANEL_HEIGHT: u32 = 390;
const MARGINS: Margins = Margins { top: 36, right: 22, left: 66, bottom: 52 };

/// A value with its spread at each level.
struct Series<'a> {
    position: usize,
    loss: &'a str,
    points: Vec<(f64, Spread)>,
}

pub(crate) fn draw(
    data: &str,
    dimension: &DimensionSummary<'_>,
    strata: &Stratification,
) -> Result<Option<Figure>, ReportError> {
    let losses = dimension.trained();
    let levels = dimension.levels(strata, ACCURACY);
    let series = |value: &dyn Fn(&LossSummary<'_>, &str) -> Option<Spread>| -> Vec<Series<'_>> {
        let points = |loss: &LossSummary<'_>| {
            let percent = |(x, level): (usize, &&Level)| {
                Some((x as f64, value(loss, &strata.stratum(level))?.scaled(100.0)))
            };
            levels.iter().enumerate().filter_map(percent).collect()
        };
        losses
            .iter()
            .map(|&(position, loss)| Series { position, loss: loss.loss, points: points(loss) })
            .collect()
    };
    let absolute = series(&|loss, stratum| loss.figure(ACCURACY, stratum));
    let Some(accuracies) = range(&absolute) else { return Ok(None) };
    let Some(baseline) = dimension.baseline() else { return Ok(None) };
    // Seed by seed, so that what a seed does to both losses drops out of the spread.
    let relative = series(&|loss, stratum| Spread::of(loss.differences(baseline, ACCURACY, stratum)));
    let difference = range(&relative).filter(|_| losses.len() > 1);

    let name = super::file_name("accuracy", &strata.name, dimension);
    let title = format!("Accuracy by {}", strata.title);
    let subtitle = super::subtitle(data, dimension);
    let names: Vec<(usize, &str)> = absolute.iter().map(|s| (s.position, s.loss)).collect();
    let columns = if difference.is_some() { 2 } else { 1 };
    let x = Axis::named(level_names(&levels), strata.axis.as_str());
    let panel_height = PANEL_HEIGHT + MARGINS.extra_height(WIDTH / columns, &x);
    let height = panel_height + legend::strip_height(&names);
    let svg = picture(&name, (WIDTH, height), &title, &subtitle, |sheet| {
        let (panels, strip) = sheet.split_vertically(size(panel_height));
        let panels = panels.split_evenly((1, columns as usize));
        let y = Axis::new(
            accuracies.start.max(0.0)..accuracies.end.min(100.5),
            "accuracy on the test images (%)",
            8,
            false,
        );
        lines(&mut chart(&panels[0], "Accuracy", &MARGINS, &x, &y)?, &absolute)?;
        if let (Some(panel), Some(range)) = (panels.get(1), difference) {
            let y = Axis::new(range, "difference (percentage points)", 8, false);
            let title = format!("Difference to {}", baseline.loss);
            lines(&mut chart(panel, &title, &MARGINS, &x, &y)?, &relative)?;
        }
        legend::losses(&strip, &names)
    })?;

    let bars = match (dimension.runs, dimension.repeats()) {
        (1, _) => "One seed, hence no error bars: a small difference means nothing.".to_owned(),
        (_, repeats) => format!(
            "Points are means over the {repeats}, bars one standard deviation; differences are taken {} by {}.",
            dimension.repeat(),
            dimension.repeat()
        ),
    };
    let what = if losses.len() > 1 {
        format!(
            "Left: accuracy on the test images by {}. Right: the same as a difference to {}.",
            strata.title, baseline.loss
        )
    } else {
        format!("Accuracy on the test images by {}.", strata.title)
    };
    let caption = format!("{subtitle}. {what} {bars}");
    Ok(Some(Figure { kind: Kind::Accuracy, name, caption, svg }))
}

fn range(series: &[Series<'_>]) -> Option<Range<f64>> {
    let ends = |s: &Spread| [s.mean - s.std.unwrap_or(0.0), s.mean + s.std.unwrap_or(0.0)];
    padded(series.iter().flat_map(|s| s.points.iter().flat_map(|(_, spread)| ends(spread))))
}

fn lines(chart: &mut Chart<'_>, series: &[Series<'_>]) -> Draw<()> {
    const DODGE: f64 = 0.05;
    const CAP: f64 = 0.035;
    let middle = (series.len() as f64 - 1.0) / 2.0;
    for (i, series) in series.iter().enumerate() {
        let style = LossStyle::of(series.loss, series.position);
        // Beside each other, or the error bars would hide each other.
        let has_bars = series.points.iter().any(|(_, s)| s.std.is_some());
        let shift = if has_bars { (i as f64 - middle) * DODGE } else { 0.0 };
        let points: Vec<(f64, f64)> = series.points.iter().map(|(x, s)| (x + shift, s.mean)).collect();
        for (&(x, y), (_, spread)) in points.iter().zip(&series.points) {
            if let Some(std) = spread.std {
                let bar = |path| PathElement::new(path, style.color.mix(0.75).stroke_width(size(1)));
                let bars = [
                    vec![(x, y - std), (x, y + std)],
                    vec![(x - CAP, y - std), (x + CAP, y - std)],
                    vec![(x - CAP, y + std), (x + CAP, y + std)],
                ];
                chart.draw_series(bars.map(bar))?;
            }
        }
        style.line(chart, points.clone())?;
        for point in points {
            mark(chart.plotting_area(), point, style, 4.5)?;
        }
    }
    Ok(())
}
