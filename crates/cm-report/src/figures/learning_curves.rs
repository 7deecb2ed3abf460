//! Accuracy and loss while training.

use cm_record::{EpochRecord, RunRecord};
use plotters::{element::PathElement, style::Color};

use super::{
    axis::{Axis, padded},
    canvas::{Chart, Draw, Margins, WIDTH, chart, picture, size},
    legend,
    mark::mark,
    style::LossStyle,
};
use crate::{
    Figure, Kind, ReportError,
    summary::{DimensionSummary, LossSummary, Spread},
};

const PANEL_HEIGHT: u32 = 330;
const MARGINS: Margins = Margins { top: 36, right: 20, left: 66, bottom: 52 };

struct Panel {
    title: &'static str,
    description: &'static str,
    value: fn(&RunRecord, &EpochRecord) -> f64,
    limit: f64,
    caption: &'static str,
}

const PANELS: [Panel; 3] = [
    Panel {
        title: "Validation images",
        description: "accuracy (%)",
        value: |_, epoch| epoch.valid_accuracy * 100.0,
        limit: 100.5,
        caption: "Accuracy on the validation images at the end of each epoch.",
    },
    Panel {
        title: "Training images",
        description: "accuracy (%)",
        value: |_, epoch| epoch.train_accuracy * 100.0,
        limit: 100.5,
        caption: "Accuracy on the training images while training.",
    },
    Panel {
        title: "Training loss",
        description: "loss ÷ loss of the first epoch",
        value: |run, epoch| epoch.train_loss / run.epochs.first().map_or(f64::NAN, |first| first.train_loss),
        limit: f64::INFINITY,
        caption: "The training loss, relative to that of the first epoch, since the losses are scaled differently.",
    },
];

/// A loss with one curve for each seed.
struct Curves<'a> {
    position: usize,
    loss: &'a str,
    seeds: Vec<Vec<(f64, f64)>>,
}

impl Curves<'_> {
    /// Mean over the seeds that reached an epoch.
    fn mean(&self) -> Vec<(f64, f64)> {
        let longest = self.seeds.iter().max_by_key(|curve| curve.len());
        let mean = |x: f64| {
            let at_x = self.seeds.iter().flatten().filter(|point| point.0 == x);
            Spread::of(at_x.map(|point| point.1)).map(|spread| (x, spread.mean))
        };
        longest.into_iter().flatten().filter_map(|point| mean(point.0)).collect()
    }
}

pub(crate) fn draw(data: &str, dimension: &DimensionSummary<'_>) -> Result<Option<Figure>, ReportError> {
    let losses = dimension.trained();
    let last = losses.iter().flat_map(|(_, l)| &l.runs).flat_map(|run| &run.epochs).map(|e| e.epoch).max();
    let Some(last) = last else { return Ok(None) };
    // Without validation images, or where every number left the range of numbers, a panel has
    // nothing to show.
    let panels: Vec<_> = PANELS
        .iter()
        .filter_map(|panel| {
            let curves: Vec<Curves<'_>> =
                losses.iter().map(|&(position, loss)| curves_of(panel, position, loss)).collect();
            let range = padded(curves.iter().flat_map(|c| c.seeds.iter().flatten().map(|point| point.1)))?;
            Some((panel, curves, range))
        })
        .collect();
    if panels.is_empty() {
        return Ok(None);
    }

    let name = format!("learning-curves-{}d", dimension.feature_dim);
    let subtitle = super::subtitle(data, dimension);
    let names: Vec<(usize, &str)> = losses.iter().map(|&(position, l)| (position, l.loss)).collect();
    let height = PANEL_HEIGHT + legend::strip_height(&names);
    let svg = picture(&name, (WIDTH, height), "Learning curves", &subtitle, |sheet| {
        let (areas, strip) = sheet.split_vertically(size(PANEL_HEIGHT));
        for ((panel, curves, range), area) in panels.iter().zip(areas.split_evenly((1, panels.len()))) {
            let air = (last as f64 - 1.0).max(1.0) * 0.05;
            let x = Axis::new(1.0 - air..last as f64 + air, "epoch", last.min(8), true);
            // Nothing is below zero but the losses that are.
            let from = if range.end > 0.0 { range.start.max(0.0) } else { range.start };
            let y = Axis::new(from..range.end.min(panel.limit), panel.description, 7, false);
            draw_curves(&mut chart(&area, panel.title, &MARGINS, &x, &y)?, curves)?;
        }
        legend::losses(&strip, &names)
    })?;
    let seeds = match dimension.runs {
        1 => String::new(),
        _ => format!(
            " Strong lines are means over the {}, faint ones single {}s.",
            dimension.repeats(),
            dimension.repeat()
        ),
    };
    let shown: Vec<&str> = panels.iter().map(|(panel, ..)| panel.caption).collect();
    let caption = format!("{subtitle}. {}{seeds}", shown.join(" "));
    Ok(Some(Figure { kind: Kind::LearningCurves, name, caption, svg }))
}

fn curves_of<'a>(panel: &Panel, position: usize, loss: &'a LossSummary<'_>) -> Curves<'a> {
    let curve = |run: &&RunRecord| {
        let points = run.epochs.iter().map(|epoch| (epoch.epoch as f64, (panel.value)(run, epoch)));
        points.filter(|point| point.1.is_finite()).collect()
    };
    Curves { position, loss: loss.loss, seeds: loss.runs.iter().map(curve).collect() }
}

fn draw_curves(chart: &mut Chart<'_>, curves: &[Curves<'_>]) -> Draw<()> {
    /// With more epochs, marks at every one would hide the line.
    const MARKED_EPOCHS: usize = 12;
    for curves in curves {
        let style = LossStyle::of(curves.loss, curves.position);
        if curves.seeds.len() > 1 {
            let faint =
                |seed: &Vec<_>| PathElement::new(seed.clone(), style.color.mix(0.3).stroke_width(size(1)));
            chart.draw_series(curves.seeds.iter().map(faint))?;
        }
        let mean = curves.mean();
        let step = mean.len().div_ceil(MARKED_EPOCHS).max(1);
        let marked: Vec<(f64, f64)> = mean.iter().rev().step_by(step).copied().collect();
        style.line(chart, mean)?;
        for point in marked {
            mark(chart.plotting_area(), point, style, 3.5)?;
        }
    }
    Ok(())
}
