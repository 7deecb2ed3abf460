//! The norm maps and how fast they go flat.

use burn::tensor::Device;
use cm_loss_core::{
    Margin, MarginHeadConfig, NormMap, Preset, Saturation,
    norm_map::{Clamp, Constant, Logarithm, Rational, SigmoidContraction, Tanh},
};

use cm_report::{
    Figure,
    chart::{self, Axis, Color, Corner, Curve, Line, Panel},
};

use super::{
    margins::norms_of,
    probe::{axes, head, pairs, parts, radii, rows, steps, targets},
};
use crate::error::CliError;

const ROW_HEIGHT: u32 = 350;
const LONGEST: f64 = 25.0;
const LEAST_POWER: f64 = -8.0;

/// Radius and relative slope of a norm map.
struct Shape {
    name: &'static str,
    line: Line,
    radius: Vec<(f64, f64)>,
    slope: Vec<(f64, f64)>,
}

pub fn draw(device: &Device) -> Result<Figure, CliError> {
    let scale = 1.0;
    let bounded = [
        shape("constant", Line::Wide, NormMap::Constant(Constant { scale }), device)?,
        shape("sigmoid", Line::Solid, NormMap::Sigmoid(SigmoidContraction { scale }), device)?,
        shape("calibrated sigmoid", Line::Solid, parts(Preset::CalibratedCmSoftmax).norm_map, device)?,
        shape("tanh", Line::Solid, NormMap::Tanh(Tanh { scale }), device)?,
        shape("rational", Line::Solid, NormMap::Rational(Rational { scale }), device)?,
    ];
    let clamp = Clamp { scale, lower: 5.0, upper: 15.0 };
    let others = [
        shape("identity", Line::Wide, NormMap::Identity, device)?,
        shape("clamp to 5 … 15", Line::Solid, NormMap::Clamp(clamp), device)?,
        shape("logarithm", Line::Solid, NormMap::Logarithm(Logarithm { scale }), device)?,
    ];
    let panels = [
        radius_panel("Bounded: radius", 1.15, Corner::BottomRight, &bounded),
        radius_panel("Unbounded, or cut off: radius", 26.0, Corner::TopLeft, &others),
        slope_panel("Bounded: how flat", &bounded),
        slope_panel("Unbounded, or cut off: how flat", &others),
    ];
    let (name, title) = ("norm-maps", "Norm maps and where they go flat");
    let subtitle = "Above: radius of the logits by feature norm, for s = 1, the calibrated sigmoid for norms of 10 ± 3. Below: its \
                    derivative; a curve ends where 32-bit floats give 0";
    Ok(chart::panels(name, title, subtitle, ROW_HEIGHT, (2, 2), &panels)?)
}

/// Radii divided by the scale `s`, and slopes by the largest of them.
fn shape(name: &'static str, line: Line, map: NormMap, device: &Device) -> Result<Shape, CliError> {
    let scale = match &map {
        NormMap::CalibratedSigmoid(map) => map.scale,
        _ => 1.0,
    };
    let head = head(&MarginHeadConfig::new(map, Margin::None), &axes(1), device)?;
    // For the map that follows the norms: its statistics begin with those of the first batch.
    let batch = norms_of(10.0, 3.0).map(|norm| vec![norm, 0.0]);
    head.forward(rows(&batch, device), targets(0, batch.len(), device));
    // A zero feature has no direction; this one is nearly zero.
    let norms = steps(1e-3, LONGEST, 500);
    let (radii, slopes) = radii(&head, &norms, device);
    let radius = pairs(&norms, radii.into_iter().map(|radius| radius / scale).collect());
    let largest = slopes.iter().copied().fold(0.0, f64::max);
    let slope = pairs(&norms, slopes.into_iter().map(|slope| (slope / largest).log10()).collect());
    Ok(Shape { name, line, radius, slope })
}

fn norm_axis() -> Axis {
    Axis::new(0.0..LONGEST, "feature norm r", 6, true)
}

fn curves(shapes: &[Shape], points: impl Fn(&Shape) -> &Vec<(f64, f64)>) -> Vec<Curve> {
    let curve =
        |(shape, color): (&Shape, _)| Curve::new(shape.name, color, points(shape).clone()).drawn(shape.line);
    shapes.iter().zip(Color::CURVES).map(curve).collect()
}

fn radius_panel(title: &'static str, highest: f64, legend: Corner, shapes: &[Shape]) -> Panel {
    let y = Axis::new(0.0..highest, "φ(r) ÷ s", 6, false);
    let curves = curves(shapes, |shape| &shape.radius);
    Panel { title: title.to_owned(), x: norm_axis(), y, legend, curves, about_zero: None }
}

fn slope_panel(title: &'static str, shapes: &[Shape]) -> Panel {
    let y = Axis::new(LEAST_POWER..0.6, "log₁₀ of φ′(r) ÷ its maximum", 9, true);
    let mut curves = curves(shapes, |shape| &shape.slope);
    curves.retain(|curve| curve.points.iter().any(|point| point.1.is_finite()));
    let flat = Saturation::FLAT.log10();
    let line = vec![(0.0, flat), (LONGEST, flat)];
    curves.push(Curve::new("a thousandth: flat", Color::MUTED, line).drawn(Line::Faint));
    Panel {
        title: title.to_owned(),
        x: norm_axis(),
        y,
        legend: Corner::BottomRight,
        curves,
        about_zero: None,
    }
}
