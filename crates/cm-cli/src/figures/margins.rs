//! What each margin makes of the target's cosine.

use burn::tensor::Device;
use cm_loss_core::{
    Margin, MarginHeadConfig, NormMap, Preset,
    margin::{
        AdaFaceMargin, AngularMargin, AngularOverflow, CircleMargin, CosineMargin, CurricularMargin,
        MultiplicativeMargin, QuadraticMargin, RankedMargin,
    },
    norm_map::Constant,
};

use cm_report::{
    Figure,
    chart::{self, Axis, Color, Corner, Curve, Line, Panel},
};

use super::probe::{axes, feature, head, margin_curve, numbers, pairs, parts, rows, steps, targets};
use crate::error::CliError;

const ROW_HEIGHT: u32 = 330;

pub fn draw(device: &Device) -> Result<Figure, CliError> {
    let panels = [
        cosine(device)?,
        angular(device)?,
        multiplicative(device)?,
        adaface(device)?,
        magface(device)?,
        curricular(device)?,
        quadratic(device)?,
        ranked(device)?,
        circle(device)?,
    ];
    let (name, title) = ("margins", "What the margins make of the cosine");
    let subtitle =
        "Logit while training, divided by its scale, against the angle between feature and class center";
    Ok(chart::panels(name, title, subtitle, ROW_HEIGHT, (3, 3), &panels)?)
}

/// The curve with a gap wherever it jumps.
fn with_gaps(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    const JUMP: f64 = 0.06;
    let mut broken: Vec<(f64, f64)> = Vec::with_capacity(points.len() + 1);
    for point in points {
        if broken.last().is_some_and(|last| (point.1 - last.1).abs() > JUMP) {
            broken.push((point.0, f64::NAN));
        }
        broken.push(point);
    }
    broken
}

fn degrees() -> Vec<f64> {
    steps(0.0, 180.0, 360)
}

/// A margin with radius 1.
fn alone(margin: Margin) -> MarginHeadConfig {
    MarginHeadConfig::new(NormMap::Constant(Constant { scale: 1.0 }), margin)
}

/// `t` of a margin that does not look at the norm.
fn curve(margin: Margin, device: &Device) -> Result<Vec<(f64, f64)>, CliError> {
    Ok(margin_curve(&head(&alone(margin), &axes(1), device)?, &degrees(), 1.0, device))
}

fn no_margin(device: &Device) -> Result<Curve, CliError> {
    Ok(Curve::new("none: cos θ", Color::MUTED, curve(Margin::None, device)?).drawn(Line::Faint))
}

fn panel(title: &'static str, lowest: f64, legend: Corner, curves: Vec<Curve>) -> Panel {
    Panel {
        title: title.to_owned(),
        x: Axis::new(0.0..180.0, "θ (degrees)", 10, true),
        y: Axis::new(lowest..1.1, "t", 7, false),
        legend,
        curves,
        about_zero: None,
    }
}

fn cosine(device: &Device) -> Result<Panel, CliError> {
    let cosface = curve(Margin::Cosine(CosineMargin { margin: 0.4 }), device)?;
    let curves = vec![no_margin(device)?, Curve::new("CosFace, m = 0.4", Color::CURVES[0], cosface)];
    Ok(panel("CosFace", -1.6, Corner::TopRight, curves))
}

fn angular(device: &Device) -> Result<Panel, CliError> {
    let mut curves = vec![no_margin(device)?];
    let treatments = [
        ("Plain", AngularOverflow::Plain, Line::Wide),
        ("MonotoneTail", AngularOverflow::MonotoneTail, Line::Solid),
        ("Easy", AngularOverflow::Easy, Line::Dashed),
        ("Plateau", AngularOverflow::Plateau, Line::Dashed),
    ];
    for (color, (name, overflow, line)) in Color::CURVES.into_iter().zip(treatments) {
        let points = curve(Margin::Angular(AngularMargin { margin: 0.5, overflow }), device)?;
        curves.push(Curve::new(name, color, with_gaps(points)).drawn(line));
    }
    Ok(panel("ArcFace, m = 0.5, four treatments", -1.6, Corner::TopRight, curves))
}

fn multiplicative(device: &Device) -> Result<Panel, CliError> {
    let mut curves = vec![no_margin(device)?];
    for (color, margin) in Color::CURVES.into_iter().zip([1.7, 4.0]) {
        let points = curve(Margin::Multiplicative(MultiplicativeMargin { margin, annealing: None }), device)?;
        curves.push(Curve::new(format!("m = {margin}"), color, points));
    }
    let mut panel = panel("SphereFace", -7.6, Corner::BottomLeft, curves);
    panel.y.range.end = 1.6;
    Ok(panel)
}

fn adaface(device: &Device) -> Result<Panel, CliError> {
    // With the rate 1 the statistics are those of the last batch.
    let margin = AdaFaceMargin { margin: 0.4, concentration: 0.333, momentum: 1.0 };
    let head = head(&alone(Margin::AdaFace(margin)), &axes(1), device)?;
    let (mean, std) = (10.0, 1.0);
    let batch = norms_of(mean, std).map(|norm| vec![norm, 0.0]);
    head.forward(rows(&batch, device), targets(0, batch.len(), device));
    let mut curves = vec![no_margin(device)?];
    // `h (r − μ) / σ` beyond ±1 counts as ±1.
    let qualities = [("quality −1", mean - 4.0 * std), ("quality 0", mean), ("quality 1", mean + 4.0 * std)];
    for (color, (name, norm)) in Color::CURVES.into_iter().zip(qualities) {
        curves.push(Curve::new(name, color, margin_curve(&head, &degrees(), norm, device)));
    }
    Ok(panel("AdaFace, m = 0.4", -1.9, Corner::TopRight, curves))
}

/// Two norms with this mean and standard deviation (unbiased).
pub fn norms_of(mean: f64, std: f64) -> [f64; 2] {
    let half = std / 2f64.sqrt();
    [mean - half, mean + half]
}

fn magface(device: &Device) -> Result<Panel, CliError> {
    let head = head(&alone(parts(Preset::MagFace).margin), &axes(1), device)?;
    let mut curves = vec![no_margin(device)?];
    for (color, norm) in Color::CURVES.into_iter().zip([10.0, 60.0, 110.0]) {
        let points = with_gaps(margin_curve(&head, &degrees(), norm, device));
        curves.push(Curve::new(format!("norm {norm}"), color, points));
    }
    Ok(panel("MagFace (with Easy, as its authors)", -1.6, Corner::TopRight, curves))
}

/// The cosines of other classes, when the target is 60 degrees away.
fn curricular(device: &Device) -> Result<Panel, CliError> {
    let degrees = degrees();
    let on_circle = |degrees: &f64| vec![degrees.to_radians().cos(), degrees.to_radians().sin()];
    let feature = rows(&[vec![1.0, 0.0]], device);
    let (target, nearest) = (0, 1);
    let centers: Vec<Vec<f64>> = [60.0].iter().chain(&degrees).map(on_circle).collect();
    let mut curves = vec![no_margin(device)?];
    // The curriculum becomes the target cosine of the last batch, cos 60° or cos 0°.
    let curricula = [("c = 0", None), ("c = 0.5", Some(target)), ("c = 1", Some(nearest))];
    for (color, (name, last)) in Color::CURVES.into_iter().zip(curricula) {
        let margin = Margin::Curricular(CurricularMargin { margin: 0.5, momentum: 1.0 });
        let head = head(&alone(margin), &centers, device)?;
        if let Some(class) = last {
            head.forward(feature.clone(), targets(class, 1, device));
        }
        let logits = numbers(head.training_logits(feature.clone(), targets(target, 1, device)));
        curves.push(Curve::new(name, color, pairs(&degrees, logits[1..].to_vec())));
    }
    let mut panel = panel("CurricularFace, other classes (target at 60°)", -1.1, Corner::TopRight, curves);
    panel.y.range.end = 2.1;
    Ok(panel)
}

fn quadratic(device: &Device) -> Result<Panel, CliError> {
    let points = curve(Margin::Quadratic(QuadraticMargin::default()), device)?;
    let curves = vec![no_margin(device)?, Curve::new("X2-Softmax", Color::CURVES[0], points)];
    let mut panel = panel("X2-Softmax", -8.6, Corner::BottomLeft, curves);
    panel.y.range.end = 1.6;
    Ok(panel)
}

/// Each angle three times, with norms of three ranks. Only a step of a training knows the ranks; the logit comes from its
/// loss, `ln(1 + exp(−t))` beside one class at right angles.
fn ranked(device: &Device) -> Result<Panel, CliError> {
    let margin = RankedMargin { margin: 0.4, ..RankedMargin::default() };
    let head = head(&alone(Margin::Ranked(margin)), &axes(2), device)?;
    let degrees = degrees();
    let norms = [("shortest of the batch", 1.0), ("in the middle", 2.0), ("longest", 3.0)];
    let by_angle: Vec<Vec<f64>> = degrees
        .iter()
        .map(|&degrees| {
            let features = norms.map(|(_, norm)| feature(2, degrees, norm));
            let losses = numbers(head.loss(rows(&features, device), targets(0, 3, device)).loss);
            losses.into_iter().map(|loss| -loss.exp_m1().ln()).collect()
        })
        .collect();
    let mut curves = vec![no_margin(device)?];
    for (place, (name, _)) in norms.into_iter().enumerate() {
        let points = pairs(&degrees, by_angle.iter().map(|logits| logits[place]).collect());
        curves.push(Curve::new(name, Color::CURVES[place], points));
    }
    Ok(panel("By rank of the norm, m = 0.4", -1.7, Corner::TopRight, curves))
}

/// The target's, and that of another class at the same angle.
fn circle(device: &Device) -> Result<Panel, CliError> {
    let config = alone(Margin::Circle(CircleMargin::default()));
    let (degrees, on_axes) = (degrees(), axes(2));
    let head = head(&config, &on_axes, device)?;
    let of = |class: i32| -> Vec<(f64, f64)> {
        let features: Vec<Vec<f64>> = degrees.iter().map(|&degrees| feature(2, degrees, 1.0)).collect();
        let logits =
            numbers(head.training_logits(rows(&features, device), targets(class, features.len(), device)));
        pairs(&degrees, logits.chunks(2).map(|row| row[0]).collect())
    };
    let curves = vec![
        no_margin(device)?,
        Curve::new("target", Color::CURVES[0], of(0)),
        Curve::new("another class", Color::CURVES[1], of(1)),
    ];
    let mut panel = panel("CircleLoss, m = 0.25", -4.3, Corner::BottomLeft, curves);
    panel.y.range.end = 1.6;
    Ok(panel)
}
