//! When a loss makes features longer, and when shorter.

use burn::tensor::Device;
use cm_loss_core::{Margin, MarginHeadConfig, NormMap, Preset};

use super::{
    Drawing,
    curves::{Corner, Curve, Panel},
    probe::{axes, head, loss_by_norm, parts, steps},
};
use crate::{
    Error,
    report::figures::{
        canvas::{Axis, HEADING_HEIGHT, LEFT, RIGHT, WIDTH, at, padded, picture, plain},
        style::{CURVES, MUTED},
    },
};

const PANEL_HEIGHT: u32 = 390;
const CLASSES: usize = 10;

pub(super) fn draw(device: &Device) -> Result<Drawing, Error> {
    let identity = MarginHeadConfig::new(NormMap::Identity, Margin::None);
    let panels = [
        panel("φ(r) = r: softmax on unit centres", &identity, [1.0, 5.0, 10.0, 20.0], device)?,
        panel("CM-Softmax", &parts(Preset::CmSoftmax), [0.5, 1.0, 2.0, 4.0], device)?,
        panel("CM-CosFace", &parts(Preset::CmCosFace), [0.5, 1.0, 2.0, 4.0], device)?,
    ];
    let (name, title) = ("norm-gradient", "When the norm grows, and when it shrinks");
    let subtitle = "Derivative of the loss by the feature norm; 10 classes, the 9 others at right angles to the feature. Descent \
                    goes against it";
    let svg = picture(name, (WIDTH, HEADING_HEIGHT + PANEL_HEIGHT), title, subtitle, |sheet| {
        for (panel, area) in panels.iter().zip(sheet.split_evenly((1, panels.len()))) {
            let chart = panel.draw(&area)?;
            let inside = chart.plotting_area();
            let (_, zero) = inside.map_coordinate(&(0.0, 0.0));
            let (_, top) = inside.strip_coord_spec().get_base_pixel();
            let area = inside.strip_coord_spec();
            let (width, _) = area.dim_in_pixel();
            let (left, right) = (plain(12.0, MUTED, LEFT), plain(12.0, MUTED, RIGHT));
            area.draw_text("norm shrinks", &left, (at(10.0), zero - top - at(11.0)))?;
            area.draw_text("norm grows", &right, (width as i32 - at(10.0), zero - top + at(11.0)))?;
        }
        Ok(())
    })?;
    Ok(Drawing { name, svg })
}

fn panel(
    title: &'static str,
    config: &MarginHeadConfig,
    norms: [f64; 4],
    device: &Device,
) -> Result<Panel, Error> {
    let head = head(config, &axes(CLASSES), device)?;
    let degrees = steps(0.0, 180.0, 360);
    let curve = |(norm, colour)| {
        Curve::new(format!("r = {norm}"), colour, loss_by_norm(&head, &degrees, norm, device))
    };
    let curves: Vec<Curve> = norms.into_iter().zip(CURVES).map(curve).collect();
    let values = curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1));
    let range = padded(values).unwrap_or(-1.0..1.0);
    let axis = |range, description: &str, ticks, whole| Axis {
        range,
        description: description.into(),
        ticks,
        whole,
    };
    Ok(Panel {
        title,
        x: axis(0.0..180.0, "angle θ to the target's centre (degrees)", 10, true),
        y: axis(range, "dL/dr", 8, false),
        legend: Corner::TopLeft,
        curves,
    })
}
