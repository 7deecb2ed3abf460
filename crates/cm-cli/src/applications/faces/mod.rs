//! Faces: are two images of the same person? The people tested on are not among those who are learned.

mod baselines;
pub(super) mod config;
mod evaluation;
mod layout;
mod pooled;
mod report;
mod sets;
mod source;
mod study;
mod synthetic;

use std::path::Path;

use clap::Args;
use cm_models::BackboneConfig;
use cm_record::{RecordError, Results};
use cm_train::evaluation::Views;

use crate::{
    applications::{
        options::{StudyOptions, set},
        start::start,
    },
    error::CliError,
    values,
};

pub use study::FaceStudy;
pub use synthetic::drawn_face;

use config::{Config, DataChoice};

/// Name of the application in records.
pub const APPLICATION: &str = "faces";

/// Options of the study of faces. What is not given comes from the profile.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cm reproduce faces\n  cm reproduce faces --profile full --data-dir data\n  \
    cm reproduce faces --data synthetic --losses CosFace,CM-CosFace --backbone mobilefacenet --width 64"
)]
pub struct Options {
    #[command(flatten)]
    common: StudyOptions,
    /// Faces to use [default: auto]
    #[arg(long, value_enum, ignore_case = true, conflicts_with = "resume")]
    data: Option<DataChoice>,
    /// Network [default: iresnet18]
    #[arg(long, value_parser = values::backbone(), conflicts_with = "resume")]
    backbone: Option<String>,
    /// Height and width of the images in pixels
    #[arg(long, conflicts_with = "resume")]
    size: Option<usize>,
    /// Leave out people of whom there are fewer images to learn from
    #[arg(long, conflicts_with = "resume")]
    min_images: Option<usize>,
    /// What a network looks at of an image that it is tested on: it alone, or its mirror image as well
    #[arg(long, value_parser = values::mirrored(), conflicts_with = "resume")]
    views: Option<Views>,
    /// People that synthetic faces are drawn of
    #[arg(long, conflicts_with = "resume")]
    synthetic_people: Option<usize>,
}

impl Options {
    /// A configuration with what was given in its place.
    fn over(&self, mut config: Config) -> Result<Config, cm_train::Error> {
        config.plan = config.plan.with(&self.common);
        if let Some(name) = &self.backbone {
            config.backbone = name.parse::<BackboneConfig>()?;
        }
        set(&mut config.data, self.data.as_ref());
        set(&mut config.size, self.size.as_ref());
        set(&mut config.min_images, self.min_images.as_ref());
        set(&mut config.views, self.views.as_ref());
        set(&mut config.synthetic_people, self.synthetic_people.as_ref());
        Ok(config)
    }
}

/// Runs the study and prints its table.
pub fn run(options: Options) -> Result<(), CliError> {
    start::<FaceStudy>(&options.common, |config| options.over(config), &["reproduce", "faces"])
}

/// There are no records of faces in an older format.
pub fn read_older(_path: &Path, _text: &str, _format: u64) -> Option<Result<Results, RecordError>> {
    None
}
