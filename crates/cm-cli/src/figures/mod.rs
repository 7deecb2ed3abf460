//! Pictures of the formulas themselves, computed by the heads of `cm-loss-core`, and of measurements: what the documents
//! show.

pub mod discarded;
mod many_classes;
mod margins;
mod norm_gradient;
mod norm_maps;
mod probe;

use std::path::{Path, PathBuf};

use cm_train::device::Backend;

use crate::error::CliError;

/// Draws the margins, the norm maps and the gradient by the norm into a folder, each as SVG and PNG. The numbers are
/// computed on the backend `flex`. Returns the files written.
///
/// # Errors
///
/// When that backend was not compiled in, a picture cannot be drawn, or a file cannot be written.
pub fn draw_formulas(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let device = Backend::Flex.device()?.autodiff();
    let figures = [margins::draw(&device)?, norm_maps::draw(&device)?, norm_gradient::draw(&device)?];
    Ok(cm_report::write_figures(folder, &figures)?)
}

/// Draws time and memory of the loss of many classes into a folder, as SVG and PNG, from a file with the lines that
/// `cargo xtask bench head --json` prints. Returns the files written.
///
/// # Errors
///
/// When the file cannot be read or has another line in it, or a picture cannot be written.
pub fn draw_many_classes(measured: &Path, folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    Ok(cm_report::write_figures(folder, &[many_classes::draw(measured)?])?)
}
