//! What a diagnosis says, on the terminal and on a page.

use std::path::Path;

use cm_eval::{Estimate, RiskCoverageCurve};
use cm_report::{
    Figure, Page, PageSection, PageTable,
    chart::{self, Axis, Color, Corner, Curve, Line, Panel},
    reliability,
};

use super::{Diagnosis, signals::Signal};
use crate::error::CliError;

/// Points of a curve.
type Points = Vec<(f64, f64)>;

/// Most points of a curve on the page.
const POINTS: usize = 400;

/// What it comes down to, in sentences.
pub fn verdict(diagnosis: &Diagnosis) -> Vec<String> {
    let mut sentences = Vec::new();
    let [norm, others @ ..] = &diagnosis.signals[..] else { return sentences };
    if let Some(target) = &diagnosis.target {
        sentences.push(match &norm.overall {
            None => format!("Nothing can be said of norm and quality ({target}): one of them does not vary."),
            Some(found) if found.is_reversed() => format!(
                "The norm goes the other way: it is longer for images of low quality ({target}), {}. A score made of it would be upside \
                 down.",
                correlation(found)
            ),
            Some(found) if found.interval.0 > 0.0 => {
                format!("The norm follows the quality ({target}): {}.", correlation(found))
            }
            Some(found) => format!("The norm does not follow the quality ({target}): {}.", correlation(found)),
        });
        let strength =
            |signal: &Signal| signal.overall.as_ref().map_or(f64::NEG_INFINITY, |found| found.value);
        let closest = others.iter().max_by(|a, b| strength(a).total_cmp(&strength(b)));
        if let (Some(other), Some(own)) = (closest, &norm.overall) {
            let (name, value) = (other.name, strength(other));
            sentences.push(match value > own.value {
                true => format!("The {name} follows it more closely ({value:.2}) and takes no network that was trained for it."),
                false => format!("Nothing that is had without it follows it as closely; the nearest is the {name} ({value:.2})."),
            });
        }
    }
    if let (Some((best, random)), Some(own)) = (diagnosis.known.bounds(), &norm.risk) {
        let own = own.area();
        let gained = |area: f64| 100.0 * (random - area) / (random - best).max(f64::MIN_POSITIVE);
        let confidence = others.first().and_then(|signal| signal.risk.as_ref()).map(RiskCoverageCurve::area);
        if random == 0.0 {
            sentences.push("Every image was recognized: there is no error for a norm to tell.".to_owned());
        } else {
            sentences.push(format!(
                "Leaving out images of short features first avoids {:.0} % of the errors that could be avoided so{}.",
                gained(own),
                confidence.map_or(String::new(), |area| format!("; by the confidence it is {:.0} %", gained(area)))
            ));
        }
    }
    if let Some((share, mean)) = diagnosis.saturation.filter(|(share, _)| *share > 0.1) {
        sentences.push(format!(
            "The norm map is flat for {:.0} % of the images (their mean norm is {mean:.1}): there it does not learn from quality.",
            100.0 * share
        ));
    }
    sentences
}

fn correlation(found: &Estimate) -> String {
    format!(
        "Spearman's correlation {:.2}, 95 % interval {:.2} to {:.2}",
        found.value, found.interval.0, found.interval.1
    )
}

/// A row for each signal, with what stands above the columns.
fn table(diagnosis: &Diagnosis) -> (Vec<String>, Vec<Vec<String>>) {
    let mut columns = vec!["signal".to_owned()];
    let known = diagnosis.target.is_some();
    let labeled = !diagnosis.known.right.is_empty();
    if known {
        columns.push("correlation with quality (95 %)".to_owned());
    }
    if known && labeled {
        columns.push("within classes (95 %)".to_owned());
    }
    if labeled {
        columns.extend(["risk-coverage area".to_owned(), "error-discard area".to_owned()]);
    }
    let interval = |found: &Option<Estimate>| {
        let shown = |c: &Estimate| format!("{:.3} ({:.3} to {:.3})", c.value, c.interval.0, c.interval.1);
        found.as_ref().map_or("–".to_owned(), shown)
    };
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
    let row = |signal: &Signal| {
        let mut row = vec![signal.name.to_owned()];
        if known {
            row.push(interval(&signal.overall));
        }
        if known && labeled {
            row.push(interval(&signal.within));
        }
        if labeled {
            row.extend([
                number(signal.risk.as_ref().map(RiskCoverageCurve::area)),
                number(signal.discard_area()),
            ]);
        }
        row
    };
    let mut rows: Vec<Vec<String>> = diagnosis.signals.iter().map(row).collect();
    if let Some((best, random)) = diagnosis.known.bounds() {
        let blanks = columns.len() - 3;
        let bound = |name: &str, risk: f64, discard: f64| {
            let mut row = vec![name.to_owned()];
            row.extend(vec![String::new(); blanks]);
            row.extend([number(Some(risk)), number(Some(discard))]);
            row
        };
        rows.push(bound("an order that knows every error", best, 0.0));
        rows.push(bound("no order", random, Signal::random_area()));
    }
    (columns, rows)
}

/// For the terminal.
pub fn text(diagnosis: &Diagnosis) -> String {
    let mut text = format!("{} on {} images of {}\n\n", diagnosis.model, diagnosis.images, diagnosis.data);
    let (columns, rows) = table(diagnosis);
    let all = || std::iter::once(&columns).chain(&rows);
    let widths: Vec<usize> =
        (0..columns.len()).map(|i| all().map(|row| row[i].chars().count()).max().unwrap_or(0)).collect();
    for row in all() {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text.push('\n');
    for sentence in verdict(diagnosis) {
        text += &sentence;
        text.push('\n');
    }
    if let Some(reliability) = &diagnosis.reliability {
        text += &format!(
            "Expected calibration error of the confidence: {:.2} %\n",
            100.0 * reliability.expected_error()
        );
    }
    text
}

/// Writes the page.
pub fn write(diagnosis: &Diagnosis, path: &Path) -> Result<(), CliError> {
    let (columns, rows) = table(diagnosis);
    let mut sections = vec![PageSection {
        title: "What it comes down to".to_owned(),
        paragraphs: verdict(diagnosis),
        table: Some(PageTable { columns, rows }),
        ..PageSection::default()
    }];
    if let Some(figure) = by_quality(diagnosis)? {
        sections.push(PageSection {
            title: "Norm and quality".to_owned(),
            figures: vec![figure],
            ..PageSection::default()
        });
    }
    let figures = curves(diagnosis)?;
    if !figures.is_empty() {
        sections.push(PageSection {
            title: "Errors, when images are left out".to_owned(),
            paragraphs: vec![
                "On the left: the share of misclassified images among those that are kept. On the right: the share of pairs of one class \
                 whose features are not alike (the threshold is fixed such that 5 % fail at first), when the pairs with the worse image \
                 are discarded. Lower is better; a signal that is worth nothing stays on the dashed line."
                    .to_owned(),
            ],
            figures,
            ..PageSection::default()
        });
    }
    if let Some(found) = &diagnosis.reliability {
        sections.push(PageSection {
            title: "Confidence".to_owned(),
            figures: vec![reliability("reliability", "Confidence and accuracy", found.bins())?],
            ..PageSection::default()
        });
    }
    let page = Page {
        title: format!("Does the norm tell quality? {} on {}", diagnosis.model, diagnosis.data),
        lead: format!("{} images.", diagnosis.images),
        sections,
    };
    Ok(page.write(path)?)
}

/// Quarters of the norm at every level of quality.
fn by_quality(diagnosis: &Diagnosis) -> Result<Option<Figure>, CliError> {
    const LEVELS: usize = 5;
    let known = &diagnosis.known;
    let Some(target) = &diagnosis.target else { return Ok(None) };
    let strata = cm_eval::Strata::quantiles(&known.qualities, LEVELS);
    let mut curves = vec![Vec::new(), Vec::new(), Vec::new()];
    for level in strata.levels() {
        let of = |values: &[f64]| -> Vec<f64> { level.indices.iter().map(|&i| values[i]).collect() };
        let (Some(norms), Some(quality)) =
            (cm_eval::Summary::of(&of(&known.norms)), cm_eval::Summary::of(&of(&known.qualities)))
        else {
            continue;
        };
        for (curve, share) in curves.iter_mut().zip([0.25, 0.5, 0.75]) {
            curve.push((100.0 * quality.mean, norms.quantile(share)));
        }
    }
    let most = curves.iter().flatten().map(|point| point.1).fold(f64::MIN_POSITIVE, f64::max);
    let named = ["a quarter is shorter", "median", "a quarter is longer"];
    let curves = curves
        .into_iter()
        .zip(named)
        .enumerate()
        .map(|(i, (points, name))| Curve::new(name, Color::CURVES[i], points));
    let panel = Panel {
        title: "Norms at each level of quality".to_owned(),
        x: Axis::new(0.0..100.0, "known quality, 0 to 100", 6, true),
        y: Axis::new(0.0..1.1 * most, "norm of the feature", 6, false),
        legend: Corner::TopLeft,
        curves: curves.collect(),
        about_zero: None,
    };
    let caption = format!("Quality: {target}.");
    Ok(Some(chart::panels("norm-by-quality", "Norm and quality", &caption, 330, (1, 1), &[panel])?))
}

/// Risk against coverage, and errors against what is discarded.
fn curves(diagnosis: &Diagnosis) -> Result<Vec<Figure>, CliError> {
    let Some((_, random)) = diagnosis.known.bounds() else { return Ok(Vec::new()) };
    let percent = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
        let every = points.len().div_ceil(POINTS).max(1);
        let last = points.len().saturating_sub(1);
        let kept = points.iter().enumerate().filter(|(i, _)| i % every == 0 || *i == last);
        kept.map(|(_, &(x, y))| (100.0 * x, 100.0 * y)).collect()
    };
    let panel = |title: &str, x: Axis, label: &str, curves: Vec<Curve>, corner| {
        let most = curves.iter().flat_map(|curve| &curve.points).map(|point| point.1).fold(0.01, f64::max);
        Panel {
            title: title.to_owned(),
            x,
            y: Axis::new(0.0..1.15 * most, label, 6, false),
            legend: corner,
            curves,
            about_zero: None,
        }
    };
    let named = |of: &dyn Fn(&Signal) -> Option<Points>, level: f64| -> Vec<Curve> {
        let signals = diagnosis.signals.iter().enumerate();
        let curves = signals
            .filter_map(|(i, signal)| Some(Curve::new(signal.name, Color::CURVES[i], percent(&of(signal)?))));
        let flat = Curve::new("no order", Color::MUTED, vec![(0.0, 100.0 * level), (100.0, 100.0 * level)]);
        std::iter::once(flat.drawn(Line::Dashed)).chain(curves).collect()
    };
    // Of the first few images a single one is a large share.
    let risk = |signal: &Signal| {
        let points = &signal.risk.as_ref()?.points;
        Some(points.iter().copied().filter(|point| point.0 >= 0.05).collect())
    };
    let discard = |signal: &Signal| {
        Some(signal.discard.as_ref()?.points.iter().copied().filter(|p| p.0 <= 0.9).collect())
    };
    let started =
        diagnosis.signals.first().and_then(|signal| Some(signal.discard.as_ref()?.points.first()?.1));
    let mut panels = vec![panel(
        "Classification",
        Axis::new(0.0..100.0, "images kept (%)", 6, true),
        "misclassified (%)",
        named(&risk, random),
        Corner::BottomRight,
    )];
    if let Some(started) = started {
        panels.push(panel(
            "Comparison",
            Axis::new(0.0..100.0, "pairs discarded (%)", 6, true),
            "pairs that fail (%)",
            named(&discard, started),
            Corner::BottomLeft,
        ));
    }
    let columns = panels.len();
    let caption = format!("{} images.", diagnosis.images);
    let figure = chart::panels(
        "errors",
        "Errors, when those of the lowest quality are left out",
        &caption,
        360,
        (1, columns),
        &panels,
    )?;
    Ok(vec![figure])
}
