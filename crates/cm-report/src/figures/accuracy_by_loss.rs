//! Accuracy of many losses: a row for each, the best on top.

use plotters::{
    element::{Circle, PathElement},
    style::{Color, RGBColor},
};

use super::{
    Figure, Kind,
    canvas::{CENTRE, HEADING_HEIGHT, LEFT, RIGHT, WIDTH, at, picture, plain, size},
    style::{GRID, INK, MUTED},
};
use crate::{
    experiment::Results,
    report::{
        ReportError,
        summary::{self, DimensionSummary, Spread},
    },
};

/// More losses than this would hide each other as lines.
pub(super) const MANY: usize = 8;

const ROW: f64 = 22.0;
const NAMES: f64 = 190.0;
const RIGHT_EDGE: f64 = WIDTH as f64 - 40.0;

/// From untouched to the most degraded.
const SEVERITIES: [RGBColor; 5] = [
    RGBColor(0x08, 0x30, 0x6b),
    RGBColor(0x21, 0x71, 0xb5),
    RGBColor(0x4a, 0xa5, 0xc9),
    RGBColor(0xf0, 0x9a, 0x3c),
    RGBColor(0xc8, 0x3e, 0x1e),
];

/// A loss with its accuracy in percent at each severity.
struct Row<'a> {
    loss: &'a str,
    low_quality: f64,
    accuracies: Vec<(u8, Spread)>,
}

pub(super) fn draw(
    results: &Results,
    dimension: &DimensionSummary<'_>,
) -> Result<Option<Figure>, ReportError> {
    let mut rows: Vec<Row<'_>> = super::trained(dimension)
        .into_iter()
        .filter_map(|(_, loss)| {
            let percent = |&severity: &u8| {
                Some((severity, loss.over_seeds(summary::accuracy_at(severity))?.scaled(100.0)))
            };
            Some(Row {
                loss: loss.loss,
                low_quality: loss.over_seeds(summary::low_quality_accuracy)?.mean,
                accuracies: dimension.severities.iter().filter_map(percent).collect(),
            })
        })
        .collect();
    rows.sort_by(|a, b| b.low_quality.total_cmp(&a.low_quality));
    let least = rows.iter().flat_map(|row| &row.accuracies).map(|(_, a)| a.mean).fold(100.0, f64::min);
    if rows.is_empty() {
        return Ok(None);
    }
    let start = (least / 5.0).floor() * 5.0;
    let x = |percent: f64| NAMES + (percent - start) / (100.0 - start) * (RIGHT_EDGE - NAMES);

    let name = format!("accuracy-by-severity-{}d", dimension.feature_dim);
    let subtitle = super::subtitle(results, dimension);
    let bottom = ROW * rows.len() as f64 + 8.0;
    let height = HEADING_HEIGHT + bottom as u32 + 86;
    let svg = picture(&name, (WIDTH, height), "Accuracy by loss and severity", &subtitle, |sheet| {
        let mut tick = start;
        while tick <= 100.0 {
            let line = vec![(at(x(tick)), at(0.0)), (at(x(tick)), at(bottom))];
            sheet.draw(&PathElement::new(line, GRID.stroke_width(size(1))))?;
            sheet.draw_text(
                &format!("{tick:.0}"),
                &plain(12.0, MUTED, CENTRE),
                (at(x(tick)), at(bottom + 14.0)),
            )?;
            tick += 5.0;
        }
        let middle = (NAMES + RIGHT_EDGE) / 2.0;
        let axis = "accuracy on the test images (%)";
        sheet.draw_text(axis, &plain(13.0, INK, CENTRE), (at(middle), at(bottom + 36.0)))?;
        for (i, row) in rows.iter().enumerate() {
            let y = at(ROW * (i as f64 + 0.5) + 4.0);
            sheet.draw_text(row.loss, &plain(13.0, INK, RIGHT), (at(NAMES - 16.0), y))?;
            let ends = [NAMES, RIGHT_EDGE].map(|x| (at(x), y)).to_vec();
            sheet.draw(&PathElement::new(ends, GRID.stroke_width(size(1))))?;
            for (severity, accuracy) in &row.accuracies {
                let colour = colour(*severity);
                if let Some(std) = accuracy.std {
                    let bar = [-std, std].map(|by| (at(x(accuracy.mean + by)), y)).to_vec();
                    sheet.draw(&PathElement::new(bar, colour.mix(0.6).stroke_width(size(2))))?;
                }
                sheet.draw(&Circle::new((at(x(accuracy.mean)), y), at(5.0), colour.filled()))?;
            }
        }
        let mut left = NAMES;
        let y = at(bottom + 66.0);
        for severity in &dimension.severities {
            let label = if *severity == 0 { "untouched".to_owned() } else { format!("severity {severity}") };
            sheet.draw(&Circle::new((at(left), y), at(5.0), colour(*severity).filled()))?;
            sheet.draw_text(&label, &plain(13.0, INK, LEFT), (at(left + 12.0), y))?;
            left += 110.0;
        }
        Ok(())
    })?;
    let caption = format!(
        "{subtitle}. Accuracy on the test images at each severity, sorted by the mean over the degraded ones.{}",
        if dimension.seeds.len() > 1 {
            " Points are means over the seeds, bars one standard deviation."
        } else {
            ""
        }
    );
    Ok(Some(Figure { kind: Kind::Accuracy, name, caption, svg }))
}

fn colour(severity: u8) -> RGBColor {
    SEVERITIES[usize::from(severity).min(SEVERITIES.len() - 1)]
}
