//! Pictures of the study of faces.

use cm_data::{DataError, SEVERITIES};
use cm_eval::{Comparison, RocCurve, auc};
use cm_record::Results;
use cm_report::{
    ContactImage, ContactRow, Figure,
    chart::{self, Axis, Color, Corner, Curve, Line, Panel},
    contact_sheet,
};

use super::{
    baselines::PIXELS,
    evaluation::STARTING_ERROR,
    pooled::{Case, Scores, methods},
    study::FaceStudy,
};
use crate::{
    applications::{
        common::Drawn,
        compared::{Method, OfLoss},
    },
    figures::discarded,
};

/// Losses in a picture of curves.
const MOST_CURVES: usize = 5;
/// The severity that is shown beside untouched pairs.
const DEGRADED: usize = 3;
/// Images of each kind on the sheet: two lines.
const SHOWN: usize = 24;
/// The loss whose norm is shown, if it was trained.
const PREFERRED: &str = "CM-CosFace";

/// All pictures, for each feature dimension.
pub fn draw(study: &FaceStudy, results: &Results, scores: &Scores) -> Drawn<Vec<Figure>> {
    let mut figures = Vec::new();
    if scores.losses.is_empty() {
        return Ok(figures);
    }
    for dim in scores.dims() {
        let subtitle = |what: &str| {
            format!("{}, {} pairs, feature dimension {dim} · {what}", results.data.name, study.pairs.len())
        };
        let mut panels = Vec::new();
        for (severity, title) in [(0, "Untouched"), (DEGRADED, "Both images degraded, severity 3")] {
            panels.push(roc(study, &methods(study, scores, dim, severity)?, title));
        }
        let name = format!("roc-{dim}d");
        let about = subtitle("mean score of the seeds");
        figures.push(chart::panels(&name, "Are they the same person?", &about, 430, (1, 2), &panels)?);
        let losses: Vec<&OfLoss<Case>> = scores.of_dim(dim).take(MOST_CURVES).collect();
        let name = format!("left-out-{dim}d");
        let about = subtitle("severities mixed; first seed");
        let panels = [errors(study, &losses)];
        figures.push(chart::panels(
            &name,
            "Pairs of one person that are rejected",
            &about,
            400,
            (1, 1),
            &panels,
        )?);
        figures.extend(sheet(study, &losses, &format!("shortest-and-longest-{dim}d"), &subtitle)?);
    }
    Ok(figures)
}

fn roc(study: &FaceStudy, methods: &[Method], title: &str) -> Panel {
    let mut curves = Vec::new();
    for (i, method) in methods.iter().filter(|method| method.name != PIXELS).enumerate().take(MOST_CURVES + 1)
    {
        let mean = method.mean();
        let Some(curve) = RocCurve::new(&mean, &study.same) else { continue };
        let area = auc(&mean, &study.same).unwrap_or(f64::NAN);
        let points = curve
            .points
            .iter()
            .map(|point| (100.0 * point.false_positive_rate, 100.0 * point.true_positive_rate));
        let (color, line) =
            if i == 0 { (Color::MUTED, Line::Dashed) } else { (Color::CURVES[i - 1], Line::Solid) };
        curves.push(Curve::new(format!("{} {area:.3}", method.name), color, points.collect()).drawn(line));
    }
    let share = |what: &str| Axis::new(-2.0..102.0, what, 6, true);
    Panel {
        title: format!("{title}, with AUC"),
        x: share("false accept rate (%)"),
        y: share("true accept rate (%)"),
        legend: Corner::BottomRight,
        curves,
        about_zero: None,
    }
}

/// Pairs of one person that are rejected, when those of short features are left out.
fn errors(study: &FaceStudy, losses: &[&OfLoss<Case>]) -> Panel {
    let of = |loss: &OfLoss<Case>, by_score: bool| -> Vec<Comparison> {
        let mated = study.same.iter().enumerate().filter(|(_, same)| **same);
        mated
            .filter_map(|(pair, _)| loss.cases.get(&(pair % SEVERITIES, pair))?.first())
            .map(|score| Comparison {
                score: score.logit,
                quality: if by_score { score.logit } else { score.norm },
            })
            .collect()
    };
    let mut curves: Vec<Curve> = losses
        .iter()
        .zip(Color::CURVES)
        .filter_map(|(loss, color)| discarded::curve(&loss.loss, color, &of(loss, false), STARTING_ERROR))
        .collect();
    let best = losses.first().map(|loss| of(loss, true));
    let best = best.and_then(|mated| discarded::curve("best order", Color::MUTED, &mated, STARTING_ERROR));
    curves.extend(best.map(|curve| curve.drawn(Line::Dashed)));
    discarded::panel(curves, STARTING_ERROR)
}

/// The pairs with the shortest and the longest features, untouched.
fn sheet(
    study: &FaceStudy,
    losses: &[&OfLoss<Case>],
    name: &str,
    subtitle: &dyn Fn(&str) -> String,
) -> Drawn<Option<Figure>> {
    let preferred = losses.iter().find(|loss| loss.loss == PREFERRED).or(losses.first());
    let Some(loss) = preferred else { return Ok(None) };
    let mut order: Vec<(usize, f64)> = (0..study.pairs.len())
        .filter_map(|pair| Some((pair, loss.cases.get(&(0, pair))?.first()?.norm)))
        .collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let ends = (SHOWN / 2).min(order.len());
    let row = |what: &str, ends: &[(usize, f64)]| -> Result<ContactRow<'static>, DataError> {
        let mut images = Vec::new();
        for (pair, norm) in ends {
            let of = &study.pairs[*pair];
            for image in of.images {
                let image = study.test.image(image)?;
                images.push(ContactImage {
                    width: image.width,
                    height: image.height,
                    pixels: image.pixels.clone().into(),
                    caption: format!("{norm:.2}\n{}", if of.same { "same" } else { "different" }),
                });
            }
        }
        Ok(ContactRow { title: format!("The {what} features"), images })
    };
    let rows = [row("shortest", &order[..ends])?, row("longest", &order[order.len() - ends..])?];
    let about =
        subtitle(&format!("{}, first seed; two images a pair, with the lower norm of the two", loss.loss));
    Ok(Some(contact_sheet(name, "The pairs with the shortest and the longest features", &about, &rows)?))
}
