//! Pictures of the formulas themselves, computed by the heads of `cm-loss-core`: what the documents show.

mod curves;
mod margins;
mod norm_gradient;
mod norm_maps;
mod probe;

pub(super) use curves::{Corner, Curve, Line, Panel};

use burn::tensor::Device;

use crate::Error;

/// A picture of formulas.
pub(in crate::report) struct Drawing {
    /// Name of its files, without extension.
    pub name: &'static str,
    pub svg: String,
}

/// All pictures of formulas, computed on a device with automatic differentiation.
pub(in crate::report) fn draw(device: &Device) -> Result<Vec<Drawing>, Error> {
    Ok(vec![margins::draw(device)?, norm_maps::draw(device)?, norm_gradient::draw(device)?])
}
