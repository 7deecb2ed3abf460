//! Traffic signs: real images whose quality is uneven by nature. Far, dark and blurred signs are beside near and bright
//! ones, and the resolution that the camera saw is known.

pub(super) mod config;
mod glyphs;
mod sheet;
mod source;
mod study;
mod synthetic;

use clap::Args;
use cm_record::{RecordError, Results};

use crate::{
    applications::{
        options::{StudyOptions, set},
        start::start,
    },
    error::CliError,
};

pub use study::SignStudy;

use config::{Config, DataChoice};
pub use source::{Quality, Signs};
pub use synthetic::{FRAMES, signs_with_quality};

/// Name of the application in records.
pub const APPLICATION: &str = "signs";

/// Options of the study of signs. What is not given comes from the profile.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cm reproduce signs\n  cm reproduce signs --losses CosFace,CM-CosFace --seeds 0,1,2 --data-dir data"
)]
pub struct Options {
    #[command(flatten)]
    common: StudyOptions,
    /// Signs to use [default: auto]
    #[arg(long, value_enum, ignore_case = true, conflicts_with = "resume")]
    data: Option<DataChoice>,
    /// Tracks of synthetic signs to train on
    #[arg(long, conflicts_with = "resume")]
    synthetic_tracks: Option<usize>,
}

impl Options {
    /// A configuration with what was given in its place.
    fn over(&self, mut config: Config) -> Config {
        config.plan = config.plan.with(&self.common);
        set(&mut config.data, self.data.as_ref());
        set(&mut config.synthetic_tracks, self.synthetic_tracks.as_ref());
        config
    }
}

/// Runs the study and prints its table.
pub fn run(options: Options) -> Result<(), CliError> {
    start::<SignStudy>(&options.common, |config| Ok(options.over(config)), &["reproduce", "signs"])
}

/// There are no records of signs in an older format.
pub fn read_older(
    _path: &std::path::Path,
    _text: &str,
    _format: u64,
) -> Option<Result<Results, RecordError>> {
    None
}
