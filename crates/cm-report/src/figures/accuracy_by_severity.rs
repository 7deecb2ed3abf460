//! Accuracy against the severity of the degradation, absolute and relative to the baseline.

use std::ops::Range;

use plotters::{element::PathElement, style::Color};

use super::{
    Figure, Kind,
    canvas::{Axis, Chart, Draw, HEADING_HEIGHT, Margins, WIDTH, chart, padded, picture, size},
    legend,
    mark::mark,
    style::loss_colour,
};
use crate::{
    experiment::Results,
    report::{
        ReportError,
        summary::{self, DimensionSummary, Spread},
    },
};

const PANEL_HEIGHT: u32 = 390;
const MARGINS: Margins = Margins { top: 36, right: 22, left: 66, bottom: 52 };

/// A value with its spread at each severity.
struct Series<'a> {
    position: usize,
    loss: &'a str,
    points: Vec<(f64, Spread)>,
}

pub(super) fn draw(
    results: &Results,
    dimension: &DimensionSummary<'_>,
) -> Result<Option<Figure>, ReportError> {
    let losses = super::trained(dimension);
    let series = |value: &dyn Fn(&summary::LossSummary<'_>, u8) -> Option<Spread>| -> Vec<Series<'_>> {
        let points = |loss| {
            let percent = |&s: &u8| Some((f64::from(s), value(loss, s)?.scaled(100.0)));
            dimension.severities.iter().filter_map(percent).collect()
        };
        losses
            .iter()
            .map(|&(position, loss)| Series { position, loss: loss.loss, points: points(loss) })
            .collect()
    };
    let absolute = series(&|loss, severity| loss.over_seeds(summary::accuracy_at(severity)));
    let Some(accuracies) = range(&absolute) else { return Ok(None) };
    let Some(baseline) = dimension.baseline() else { return Ok(None) };
    // Seed by seed, so that what a seed does to both losses drops out of the spread.
    let relative =
        series(&|loss, severity| Spread::of(loss.differences(baseline, summary::accuracy_at(severity))));
    let difference = range(&relative).filter(|_| losses.len() > 1);

    let name = format!("accuracy-by-severity-{}d", dimension.feature_dim);
    let title = "Accuracy by severity of the degradation";
    let subtitle = super::subtitle(results, dimension);
    let names: Vec<(usize, &str)> = absolute.iter().map(|s| (s.position, s.loss)).collect();
    let height = HEADING_HEIGHT + PANEL_HEIGHT + legend::strip_height(&names);
    let svg = picture(&name, (WIDTH, height), title, &subtitle, |sheet| {
        let (panels, strip) = sheet.split_vertically(size(PANEL_HEIGHT));
        let panels = panels.split_evenly((1, if difference.is_some() { 2 } else { 1 }));
        let x = severity_axis(&dimension.severities);
        let y = Axis {
            range: accuracies.start.max(0.0)..accuracies.end.min(100.5),
            description: "accuracy on the test images (%)".into(),
            ticks: 8,
            whole: false,
        };
        lines(&mut chart(&panels[0], "Accuracy", &MARGINS, &x, &y)?, &absolute)?;
        if let (Some(panel), Some(range)) = (panels.get(1), difference) {
            let y =
                Axis { range, description: "difference (percentage points)".into(), ticks: 8, whole: false };
            let title = format!("Difference to {}", baseline.loss);
            lines(&mut chart(panel, &title, &MARGINS, &x, &y)?, &relative)?;
        }
        legend::losses(&strip, &names)
    })?;

    let bars = if dimension.seeds.len() > 1 {
        "Points are means over the seeds, bars one standard deviation; differences are taken seed by seed."
    } else {
        "One seed, hence no error bars: a small difference means nothing."
    };
    let what = if losses.len() > 1 {
        format!(
            "Left: accuracy on the test images at each severity. Right: the same as a difference to {}.",
            baseline.loss
        )
    } else {
        "Accuracy on the test images at each severity.".into()
    };
    let caption = format!("{subtitle}. {what} {bars}");
    Ok(Some(Figure { kind: Kind::Accuracy, name, caption, svg }))
}

fn range(series: &[Series<'_>]) -> Option<Range<f64>> {
    let ends = |s: &Spread| [s.mean - s.std.unwrap_or(0.0), s.mean + s.std.unwrap_or(0.0)];
    padded(series.iter().flat_map(|s| s.points.iter().flat_map(|(_, spread)| ends(spread))))
}

/// The severities on an axis, with half a step of air.
pub(super) fn severity_axis(severities: &[u8]) -> Axis {
    let end = |severity: Option<&u8>| f64::from(severity.copied().unwrap_or(0));
    Axis {
        range: end(severities.first()) - 0.5..end(severities.last()) + 0.5,
        description: "severity (0: untouched)".into(),
        ticks: 6,
        whole: true,
    }
}

fn lines(chart: &mut Chart<'_>, series: &[Series<'_>]) -> Draw<()> {
    const DODGE: f64 = 0.05;
    const CAP: f64 = 0.035;
    let middle = (series.len() as f64 - 1.0) / 2.0;
    for (i, series) in series.iter().enumerate() {
        let colour = loss_colour(series.loss, series.position);
        // Beside each other, or the error bars would hide each other.
        let has_bars = series.points.iter().any(|(_, s)| s.std.is_some());
        let shift = if has_bars { (i as f64 - middle) * DODGE } else { 0.0 };
        let points: Vec<(f64, f64)> = series.points.iter().map(|(x, s)| (x + shift, s.mean)).collect();
        for (&(x, y), (_, spread)) in points.iter().zip(&series.points) {
            if let Some(std) = spread.std {
                let bar = |path| PathElement::new(path, colour.mix(0.75).stroke_width(size(1)));
                let bars = [
                    vec![(x, y - std), (x, y + std)],
                    vec![(x - CAP, y - std), (x + CAP, y - std)],
                    vec![(x - CAP, y + std), (x + CAP, y + std)],
                ];
                chart.draw_series(bars.map(bar))?;
            }
        }
        chart.draw_series([PathElement::new(points.clone(), colour.stroke_width(size(2)))])?;
        for point in points {
            mark(chart.plotting_area(), point, series.position, 4.5, colour)?;
        }
    }
    Ok(())
}
