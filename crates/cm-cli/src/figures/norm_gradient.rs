//! When a loss makes features longer, and when shorter.

use burn::tensor::Device;
use cm_loss_core::{Margin, MarginHeadConfig, NormMap, Preset};

use cm_report::{
    Figure,
    chart::{self, Axis, Color, Corner, Curve, Panel, padded},
};

use super::probe::{axes, head, loss_by_norm, parts, steps};
use crate::error::CliError;

const PANEL_HEIGHT: u32 = 390;
const CLASSES: usize = 10;

pub fn draw(device: &Device) -> Result<Figure, CliError> {
    let identity = MarginHeadConfig::new(NormMap::Identity, Margin::None);
    let panels = [
        panel("φ(r) = r: softmax on unit centers", &identity, [1.0, 5.0, 10.0, 20.0], device)?,
        panel("CM-Softmax", &parts(Preset::CmSoftmax), [0.5, 1.0, 2.0, 4.0], device)?,
        panel("CM-CosFace", &parts(Preset::CmCosFace), [0.5, 1.0, 2.0, 4.0], device)?,
    ];
    let (name, title) = ("norm-gradient", "When the norm grows, and when it shrinks");
    let subtitle = "Derivative of the loss by the feature norm; 10 classes, the 9 others at right angles to the feature. Descent \
                    goes against it";
    Ok(chart::panels(name, title, subtitle, PANEL_HEIGHT, (1, panels.len()), &panels)?)
}

fn panel(
    title: &'static str,
    config: &MarginHeadConfig,
    norms: [f64; 4],
    device: &Device,
) -> Result<Panel, CliError> {
    let head = head(config, &axes(CLASSES), device)?;
    let degrees = steps(0.0, 180.0, 360);
    let curve =
        |(norm, color)| Curve::new(format!("r = {norm}"), color, loss_by_norm(&head, &degrees, norm, device));
    let curves: Vec<Curve> = norms.into_iter().zip(Color::CURVES).map(curve).collect();
    let values = curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1));
    let range = padded(values).unwrap_or(-1.0..1.0);
    Ok(Panel {
        title: title.to_owned(),
        x: Axis::new(0.0..180.0, "angle θ to the target's center (degrees)", 10, true),
        y: Axis::new(range, "dL/dr", 8, false),
        legend: Corner::TopLeft,
        curves,
        about_zero: Some(["norm shrinks", "norm grows"]),
    })
}
