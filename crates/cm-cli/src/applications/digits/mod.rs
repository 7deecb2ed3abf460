//! Handwritten digits of known quality: MNIST degraded by a known severity, or synthetic digits.

pub(super) mod config;
mod evaluation;
mod mnist;
mod older;
mod source;
mod strokes;
mod study;
mod synthetic;
#[cfg(test)]
mod tests;

use clap::Args;
use cm_data::Degradation;

use crate::{
    applications::{
        options::{StudyOptions, set},
        start::start,
    },
    error::CliError,
    values,
};

pub use study::Digits;

use config::{Config, DataChoice};
pub use older::read as read_older;

/// Name of the application in records.
pub const APPLICATION: &str = "digits";

/// Options of the study of digits. What is not given comes from the profile.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cm reproduce mnist\n  cm reproduce mnist --losses all --feature-dim 64 --seeds 0,1,2,3,4 --out runs/mnist\n  \
    cm reproduce mnist --resume runs/mnist"
)]
pub struct Options {
    #[command(flatten)]
    common: StudyOptions,
    /// Images to train on
    #[arg(long, conflicts_with = "resume")]
    train_images: Option<usize>,
    /// Images to test on
    #[arg(long, conflicts_with = "resume")]
    test_images: Option<usize>,
    /// Digits to use [default: auto]
    #[arg(long, value_enum, ignore_case = true, conflicts_with = "resume")]
    data: Option<DataChoice>,
    /// What spoils the low-quality images
    #[arg(long, value_parser = values::degradation(), conflicts_with = "resume")]
    degradation: Option<Degradation>,
    /// Share of training images with a severity of 1 to 4, from 0 to 1
    #[arg(long, conflicts_with = "resume")]
    low_quality_fraction: Option<f64>,
}

impl Options {
    /// A configuration with what was given in its place.
    fn over(&self, mut config: Config) -> Config {
        config.plan = config.plan.with(&self.common);
        set(&mut config.train_images, self.train_images.as_ref());
        set(&mut config.test_images, self.test_images.as_ref());
        set(&mut config.data, self.data.as_ref());
        set(&mut config.degradation, self.degradation.as_ref());
        set(&mut config.low_quality_fraction, self.low_quality_fraction.as_ref());
        config
    }
}

/// Runs the study and prints its table.
pub fn run(options: Options) -> Result<(), CliError> {
    start::<Digits>(&options.common, |config| Ok(options.over(config)), &["reproduce", "mnist"])
}
