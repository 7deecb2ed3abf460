//! Pictures of the study of faces.

use cm_data::DataError;
use cm_eval::{RocCurve, auc};
use cm_record::Results;
use cm_report::{
    ContactImage, ContactRow, Figure,
    chart::{self, Axis, Color, Corner, Curve, Line, Panel},
    contact_sheet,
};

use super::{
    baselines::PCA,
    evaluation::STARTING_ERROR,
    pooled::{Case, Scores, methods},
    study::FaceStudy,
};
use crate::{
    applications::{
        common::Drawn,
        compared::{Method, OfLoss},
    },
    figures::discarded::{self, Pairs, Quality, Threshold},
};

/// Losses in a picture of curves.
const MOST_CURVES: usize = 5;
/// The severity that is shown beside untouched pairs.
const DEGRADED: usize = 3;
/// Images of each kind on the sheet: two lines.
const SHOWN: usize = 24;
/// The loss whose norm is shown, if it was trained.
const PREFERRED: &str = "CM-CosFace";
/// Losses that are drawn before others, where not all are.
const FIRST: [&str; 4] = ["Softmax", "CosFace", PREFERRED, "Calibrated-CM-CosFace"];

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
        let losses = chosen(scores.of_dim(dim), MOST_CURVES);
        let mut panels = Vec::new();
        for (severity, title) in [(0, "Untouched"), (DEGRADED, "Both images degraded, severity 3")] {
            let methods = methods(study, scores, dim, severity)?;
            let shown =
                |method: &&Method| method.name == PCA || losses.iter().any(|loss| loss.loss == method.name);
            panels.push(roc(study, methods.iter().filter(shown), title));
        }
        let name = format!("roc-{dim}d");
        let about = subtitle("mean score of the seeds");
        figures.push(chart::panels(&name, "Are they the same person?", &about, 430, (1, 2), &panels)?);
        let name = format!("left-out-{dim}d");
        let about = subtitle("severities mixed; first seed; losses by the shorter of the two features");
        // One color is that of the sharpness.
        let discards = Discards::of(study, &chosen(scores.of_dim(dim), MOST_CURVES - 1));
        let panels = [Threshold::Fixed(STARTING_ERROR), Threshold::Anew].map(|of| discards.panel(of));
        figures.push(chart::panels(
            &name,
            "Pairs of one person that are rejected",
            &about,
            430,
            (1, 2),
            &panels,
        )?);
        figures.extend(sheet(study, &losses, &format!("shortest-and-longest-{dim}d"), &subtitle)?);
    }
    Ok(figures)
}

fn roc<'a>(study: &FaceStudy, methods: impl Iterator<Item = &'a Method>, title: &str) -> Panel {
    let mut curves = Vec::new();
    for (i, method) in methods.enumerate() {
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

/// Pairs of one person that are rejected, when those of short features or of little sharpness are left out; severities are mixed.
struct Discards<'a> {
    study: &'a FaceStudy,
    /// What each loss says of every pair, with its norm: those of the first seed.
    losses: Vec<(&'a str, Vec<f64>, Vec<f64>)>,
    sharpness: Vec<f64>,
}

/// The quality that is measured, and not learned.
const SHARPNESS: &str = "sharpness";

impl<'a> Discards<'a> {
    fn of(study: &'a FaceStudy, losses: &[&'a OfLoss<Case>]) -> Self {
        let of = |loss: &&'a OfLoss<Case>| {
            let case = |pair: usize| loss.cases.get(&(FaceStudy::mixed_severity(pair), pair))?.first();
            let found: Option<Vec<_>> = (0..study.pairs.len()).map(case).collect();
            let found = found?;
            let (scores, norms) = found.iter().map(|score| (score.logit, score.norm)).unzip();
            Some((&*loss.loss, scores, norms))
        };
        let losses = losses.iter().filter_map(of).collect();
        Self { study, losses, sharpness: study.sharpness_of_pairs() }
    }

    fn panel(&self, threshold: Threshold) -> Panel {
        let same = &self.study.same;
        let losses = self.losses.iter().zip(Color::CURVES);
        let mut qualities: Vec<Quality<'_>> = losses
            .map(|((name, scores, norms), color)| Quality {
                name,
                color,
                pairs: Pairs { scores, same },
                values: norms,
            })
            .collect();
        let color = Color::CURVES[MOST_CURVES - 1];
        let sharpness = qualities.first().map(|first| Quality {
            name: SHARPNESS,
            color,
            pairs: first.pairs,
            values: &self.sharpness,
        });
        qualities.extend(sharpness);
        discarded::panel(&qualities, threshold)
    }
}

/// Those of many losses that are drawn: the ones that the method is about, and as many others as there is room for.
fn chosen<'a>(losses: impl Iterator<Item = &'a OfLoss<Case>>, most: usize) -> Vec<&'a OfLoss<Case>> {
    let mut order: Vec<(usize, &OfLoss<Case>)> = losses.enumerate().collect();
    let rank = |loss: &str| FIRST.iter().position(|first| *first == loss).unwrap_or(FIRST.len());
    order.sort_by_key(|(_, of)| rank(&of.loss));
    order.truncate(most);
    order.sort_by_key(|(place, _)| *place);
    order.into_iter().map(|(_, of)| of).collect()
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
