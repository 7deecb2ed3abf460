//! `cm export`: a model for other programs.

use std::path::PathBuf;

use clap::Args;
use cm_train::{
    device::Backend,
    model::{Model, Pixels, onnx},
};

use super::rows::write;
use crate::{error::CliError, session::program};

/// Options of `cm export`.
#[derive(Debug, Args)]
#[command(
    after_help = "The ONNX file takes pixels [batch, channels, height, width] and gives features, norm, logits, probabilities and quality; \
    classes and preprocessing are in its metadata. (The model file itself is safetensors with the names of PyTorch.)\n\n\
    Examples:\n  cm export model.safetensors model.onnx\n  cm export model.safetensors model.onnx --raw-pixels"
)]
pub struct Options {
    /// A model file, as `cm train` leaves it
    model: PathBuf,
    /// The ONNX file
    onnx: PathBuf,
    /// Take values from 0 to 255, and have mean and deviation inside the graph
    #[arg(long)]
    raw_pixels: bool,
}

/// Writes the file.
pub fn run(options: &Options) -> Result<(), CliError> {
    // Only numbers are read here; any backend has them.
    let device = Backend::choose(None)?.device()?;
    let model = Model::read(&options.model, &device)?;
    let pixels = if options.raw_pixels { Pixels::Raw } else { Pixels::Normalized };
    write(&options.onnx, &onnx(&model, pixels, &program().version)?)?;
    eprintln!("wrote {}", options.onnx.display());
    Ok(())
}
