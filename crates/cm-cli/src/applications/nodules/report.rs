//! Pictures of the study of nodules.

use cm_data::DataError;
use cm_eval::{
    Bootstrap, Comparison, ErrorDiscardCurve, Reliability, ReliabilityBin, RiskCoverageCurve, RocCurve, auc,
};
use cm_record::{CONFIDENCE, Results};
use cm_report::{
    ContactImage, ContactRow, Figure,
    chart::{self, Axis, Color, Corner, Curve, Line, Panel},
    contact_sheet,
};

use super::{
    evaluation::probability,
    pooled::{Case, Compared, DIAMETER},
    study::NoduleStudy,
};
use crate::applications::{
    common::Drawn,
    compared::{Score, Scores},
};

/// Places on the axis of a band.
const STEPS: usize = 41;
/// Bins of the picture of probabilities.
const BINS: usize = 10;
/// Images that a bin is drawn with.
const FEWEST: usize = 20;
/// Patches of each kind on the sheet: two lines.
const SHOWN: usize = 24;
/// The loss whose norm is shown, if it was trained.
const PREFERRED: &str = "CM-CosFace";

/// All pictures, for each feature dimension.
pub fn draw(study: &NoduleStudy, results: &Results, scores: &Scores<Case>) -> Drawn<Vec<Figure>> {
    let mut figures = Vec::new();
    for dim in scores.dims() {
        let Some(compared) = Compared::new(study, scores, dim, 0) else { continue };
        let shown = Shown { study, results, scores, compared: &compared, dim };
        figures.push(shown.roc()?);
        figures.push(shown.reliability()?);
        figures.push(shown.discarded()?);
        figures.push(shown.sheet()?);
    }
    Ok(figures)
}

struct Shown<'a> {
    study: &'a NoduleStudy,
    results: &'a Results,
    scores: &'a Scores<Case>,
    compared: &'a Compared,
    dim: usize,
}

impl Shown<'_> {
    fn subtitle(&self, what: &str) -> String {
        let count = self.compared.nodules.len();
        format!(
            "{}, {count} nodules of the test folds, feature dimension {} · {what}",
            self.results.data.name, self.dim
        )
    }

    /// What the networks of a loss say of each nodule compared, by seed.
    fn of_loss(&self, name: &str) -> Vec<Vec<Score>> {
        let found = self.scores.of_dim(self.dim).find(|found| found.loss == name);
        found.map_or(Vec::new(), |found| found.by_seed(self.compared.cases()))
    }

    /// The loss whose norm is shown.
    fn preferred(&self) -> &str {
        let names = || self.scores.of_dim(self.dim).map(|found| &*found.loss);
        names().find(|name| *name == PREFERRED).or_else(|| names().next()).unwrap_or(PREFERRED)
    }

    fn roc(&self) -> Drawn<Figure> {
        let positive = self.compared.positive(self.study);
        let patients: Vec<usize> =
            self.compared.nodules.iter().map(|&nodule| self.study.patients[nodule] as usize).collect();
        let mut panels = Vec::new();
        let networks = || self.compared.methods.iter().filter(|method| method.name != DIAMETER);
        // In the first panel all of them, in the second two with their bands.
        let mut curves = Vec::new();
        for (i, method) in self.compared.methods.iter().enumerate() {
            let mean = method.mean();
            let Some(curve) = RocCurve::new(&mean, &positive) else { continue };
            let area = auc(&mean, &positive).unwrap_or(f64::NAN);
            let (color, line) = style(i);
            curves.push(Curve::new(format!("{} {area:.3}", method.name), color, points(&curve)).drawn(line));
        }
        panels.push(panel("All methods, with their AUC", curves));
        let mut curves = Vec::new();
        let preferred = self.preferred();
        let others = networks().next().filter(|method| method.name != preferred);
        let chosen = others.into_iter().chain(networks().find(|method| method.name == preferred));
        for (method, color) in chosen.zip([Color::CURVES[0], Color::CURVES[1]]) {
            let mean = method.mean();
            let Some(curve) = RocCurve::new(&mean, &positive) else { continue };
            let bootstrap = Bootstrap { resamples: 400, ..Bootstrap::default() };
            let at = |step: usize| step as f64 / (STEPS - 1) as f64;
            let band = bootstrap.by_group(&patients, |drawn| -> [Option<f64>; STEPS] {
                let scores: Vec<f64> = drawn.iter().map(|&i| mean[i]).collect();
                let drawn: Vec<bool> = drawn.iter().map(|&i| positive[i]).collect();
                let curve = RocCurve::new(&scores, &drawn);
                std::array::from_fn(|step| curve.as_ref().map(|curve| curve.sensitivity_at(at(step))))
            });
            let band = band.iter().enumerate().filter_map(|(step, found)| {
                found.map(|found| (100.0 * at(step), 100.0 * found.interval.0, 100.0 * found.interval.1))
            });
            curves.push(Curve::new(&*method.name, color, points(&curve)).with_band(band.collect()));
        }
        panels.push(panel(&format!("With {:.0} % bands", 100.0 * CONFIDENCE), curves));
        let subtitle = self.subtitle("mean score of the seeds; bands from resamples of the patients");
        let name = format!("roc-{}d", self.dim);
        Ok(chart::panels(&name, "Receiver operating characteristic", &subtitle, 430, (1, 2), &panels)?)
    }

    /// The share of malignant nodules by the probability that a network gives them, for the first loss and the preferred one.
    fn reliability(&self) -> Drawn<Figure> {
        let positive = self.compared.positive(self.study);
        let ideal = Curve::new("what it should be", Color::MUTED, vec![(0.0, 0.0), (100.0, 100.0)]);
        let mut curves = vec![ideal.drawn(Line::Dashed)];
        let first = self.scores.of_dim(self.dim).next().map(|found| &*found.loss);
        let mut names: Vec<&str> = first.into_iter().chain([self.preferred()]).collect();
        names.dedup();
        for (name, color) in names.into_iter().zip(Color::CURVES) {
            let of_seed = |scores: &Vec<Score>| {
                let probabilities: Vec<f64> = scores.iter().map(|score| probability(score.logit)).collect();
                Reliability::new(&probabilities, &positive, BINS)
            };
            let seeds = self.of_loss(name);
            let found: Vec<Reliability> = seeds.iter().filter_map(of_seed).collect();
            let all = seeds.concat();
            let probabilities: Vec<f64> = all.iter().map(|score| probability(score.logit)).collect();
            let Some(together) = Reliability::new(&probabilities, &positive.repeat(seeds.len()), BINS) else {
                continue;
            };
            let error = found.iter().map(Reliability::expected_error).sum::<f64>() / found.len() as f64;
            let point = |bin: &ReliabilityBin| (100.0 * bin.confidence, 100.0 * bin.accuracy);
            // Of a few images a share says little.
            let enough = |bin: &&ReliabilityBin| bin.count >= FEWEST;
            let points = together.bins().iter().filter(enough).map(point).collect();
            curves.push(Curve::new(format!("{name}, calibration error {error:.3}"), color, points));
        }
        let panel = Panel {
            title: "Malignant nodules by probability".to_owned(),
            x: Axis::new(-2.0..102.0, "probability of malignancy (%)", 6, true),
            y: Axis::new(-2.0..102.0, "share that is malignant (%)", 6, true),
            legend: Corner::TopLeft,
            curves,
            about_zero: None,
        };
        let name = format!("reliability-{}d", self.dim);
        let about = self.subtitle("all seeds; the calibration error is the mean of theirs, as in the table");
        Ok(chart::panels(&name, "Do probabilities mean what they say?", &about, 430, (1, 1), &[panel])?)
    }

    /// The share of the nodules of the same fold that have a shorter feature: norms of different networks have different scales.
    fn ranks(&self, scores: &[Score]) -> Vec<f64> {
        let folds: Vec<Option<usize>> =
            self.compared.nodules.iter().map(|&nodule| self.study.fold_of(nodule)).collect();
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[a].norm.total_cmp(&scores[b].norm));
        let mut ranks = vec![0.0; scores.len()];
        for fold in 0..self.study.tested().len() {
            let of_fold: Vec<usize> = order.iter().copied().filter(|&i| folds[i] == Some(fold)).collect();
            let last = of_fold.len().saturating_sub(1).max(1) as f64;
            of_fold.into_iter().enumerate().for_each(|(rank, i)| ranks[i] = rank as f64 / last);
        }
        ranks
    }

    /// Errors that are left when the nodules of short features are left out.
    fn discarded(&self) -> Drawn<Figure> {
        let positive = self.compared.positive(self.study);
        let (mut risks, mut discards, mut worst) = (Vec::new(), Vec::new(), 0.0f64);
        let losses: Vec<&str> = self.scores.of_dim(self.dim).map(|found| &*found.loss).collect();
        for (i, name) in losses.into_iter().enumerate() {
            let (color, line) = style(i + 1);
            let Some(first) = self.of_loss(name).into_iter().next() else { continue };
            let ranks = self.ranks(&first);
            let right: Vec<bool> = first
                .iter()
                .zip(&positive)
                .map(|(score, &positive)| (score.logit >= 0.0) == positive)
                .collect();
            let percent = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
                points.iter().map(|&(x, y)| (100.0 * x, 100.0 * y)).collect()
            };
            if let Some(curve) = RiskCoverageCurve::new(&ranks, &right) {
                let title = format!("{name} {:.2}", 100.0 * curve.area());
                // Of a few images a share says little.
                let from = curve.points.partition_point(|point| point.0 < 0.05);
                let points = percent(&curve.points[from..]);
                worst = points.iter().fold(worst, |worst, point| worst.max(point.1));
                risks.push(Curve::new(title, color, points).drawn(line));
            }
            let error = right.iter().filter(|&&right| !right).count() as f64 / right.len().max(1) as f64;
            let comparisons: Vec<Comparison> = first
                .iter()
                .zip(&ranks)
                .zip(&positive)
                .map(|((score, &quality), &positive)| Comparison {
                    score: if positive { score.logit } else { -score.logit },
                    quality,
                })
                .collect();
            if let Some(curve) = ErrorDiscardCurve::fixed(&comparisons, error) {
                let to = curve.points.partition_point(|point| point.0 <= 0.95);
                discards.push(Curve::new(name, color, percent(&curve.points[..to])).drawn(line));
            }
        }
        // With room for the names above.
        let errors = || Axis::new(0.0..(1.7 * worst).max(1.0), "wrong among what is left (%)", 6, false);
        let panels = [
            Panel {
                title: "Risk and coverage, with the area below (%)".to_owned(),
                x: Axis::new(0.0..100.0, "share of the nodules kept, longest features first (%)", 6, true),
                y: errors(),
                legend: Corner::TopLeft,
                curves: risks,
                about_zero: None,
            },
            Panel {
                title: "Error and discard".to_owned(),
                x: Axis::new(0.0..100.0, "share left out, shortest features first (%)", 6, true),
                y: errors(),
                legend: Corner::TopRight,
                curves: discards,
                about_zero: None,
            },
        ];
        let name = format!("left-out-{}d", self.dim);
        let subtitle = self.subtitle(
            "first seed; the order is that of the norms within a fold; a falling curve on the right tells errors",
        );
        Ok(chart::panels(
            &name,
            "Errors when nodules of short features are left out",
            &subtitle,
            400,
            (1, 2),
            &panels,
        )?)
    }

    /// The patches with the shortest and the longest features, with their ratings.
    fn sheet(&self) -> Drawn<Figure> {
        let name = self.preferred();
        let first = self.of_loss(name).into_iter().next().unwrap_or_default();
        let ranks = self.ranks(&first);
        let mut order: Vec<(f64, usize, Score)> = self
            .compared
            .nodules
            .iter()
            .zip(ranks.into_iter().zip(first))
            .map(|(&nodule, (rank, score))| (rank, nodule, score))
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let order: Vec<(usize, Score)> =
            order.into_iter().map(|(_, nodule, score)| (nodule, score)).collect();
        let ends = SHOWN.min(order.len());
        let row = |what: &str, ends: &[(usize, Score)]| -> Result<ContactRow<'static>, DataError> {
            let subtlety: f64 =
                ends.iter().map(|(nodule, _)| self.study.nodules[*nodule].mean_subtlety()).sum();
            Ok(ContactRow {
                title: format!(
                    "The {what} features: mean subtlety {:.1}",
                    subtlety / ends.len().max(1) as f64
                ),
                images: ends.iter().map(|end| self.shown(end)).collect::<Result<_, _>>()?,
            })
        };
        Ok(contact_sheet(
            &format!("shortest-and-longest-{}d", self.dim),
            "The nodules with the shortest and the longest features",
            &self.subtitle(&format!(
                "{name}, first seed, by norm within a fold; below each its norm, then the mean ratings of malignancy (m) and subtlety (s); × is a wrong class"
            )),
            &[row("shortest", &order[..ends])?, row("longest", &order[order.len() - ends..])?],
        )?)
    }

    fn shown(&self, (nodule, score): &(usize, Score)) -> Result<ContactImage<'static>, DataError> {
        let image = self.study.image(*nodule)?;
        let known = &self.study.nodules[*nodule];
        let wrong = (score.logit >= 0.0) != (self.study.labels[*nodule] == 1);
        let mark = if wrong { " ×" } else { "" };
        Ok(ContactImage {
            width: image.width,
            height: image.height,
            pixels: image.pixels.clone().into(),
            caption: format!(
                "{:.2}{mark}\nm {:.1} s {:.1}",
                score.norm,
                known.mean_malignancy(),
                known.mean_subtlety()
            ),
        })
    }
}

/// The first curve is what the others are compared with; there are more losses than colors.
fn style(i: usize) -> (Color, Line) {
    match i.checked_sub(1) {
        None => (Color::MUTED, Line::Dashed),
        Some(i) => {
            let color = Color::CURVES[i % Color::CURVES.len()];
            (color, if i < Color::CURVES.len() { Line::Solid } else { Line::Dashed })
        }
    }
}

fn points(curve: &RocCurve) -> Vec<(f64, f64)> {
    curve
        .points
        .iter()
        .map(|point| (100.0 * point.false_positive_rate, 100.0 * point.true_positive_rate))
        .collect()
}

fn panel(title: &str, curves: Vec<Curve>) -> Panel {
    // With room for the lines at the ends.
    let share = |what: &str| Axis::new(-2.0..102.0, what, 6, true);
    Panel {
        title: title.to_owned(),
        x: share("1 − specificity (%)"),
        y: share("sensitivity (%)"),
        legend: Corner::BottomRight,
        curves,
        about_zero: None,
    }
}
