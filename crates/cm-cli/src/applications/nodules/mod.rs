//! Lung nodules: images whose quality is uneven by nature. Radiologists disagree on them, some are barely visible, and how subtle
//! each is has been rated.

pub(super) mod config;
mod evaluation;
mod folds;
mod hounsfield;
mod list;
mod nodule;
mod pixels;
mod pooled;
mod report;
mod source;
mod study;
mod synthetic;
mod table;

use clap::Args;
use cm_data::Window;
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

pub use study::NoduleStudy;

use config::{Config, DataChoice};
use pixels::{Gray, Pixels};

/// What a network can look at of an image.
const VIEWS: [&str; 3] = ["one", "flip", "symmetries"];

/// Name of the application in records.
pub const APPLICATION: &str = "nodules";

/// Options of the study of nodules. What is not given comes from the profile.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cm reproduce nodules\n  cm reproduce nodules --profile full --data-dir data\n  \
    cm reproduce nodules --data synthetic --losses Softmax,CM-Softmax --folds 3"
)]
pub struct Options {
    #[command(flatten)]
    common: StudyOptions,
    /// Nodules to use [default: auto]
    #[arg(long, value_enum, ignore_case = true, conflicts_with = "resume")]
    data: Option<DataChoice>,
    /// Leave out nodules that fewer radiologists than this marked [default: 1]
    #[arg(long, conflicts_with = "resume")]
    min_raters: Option<usize>,
    /// Leave out nodules whose mean rating of malignancy is from the first to the second number [default: 3,3]
    #[arg(long, value_name = "LOW,HIGH", value_parser = range, conflicts_with = "resume")]
    undecided: Option<[f64; 2]>,
    /// Hounsfield units in the middle of the gray levels [default: -300]
    #[arg(long, conflicts_with_all = ["resume", "standardize"], allow_negative_numbers = true)]
    window_level: Option<f32>,
    /// Hounsfield units from black to white [default: 1400]
    #[arg(long, conflicts_with_all = ["resume", "standardize"])]
    window_width: Option<f32>,
    /// Gray levels by mean and deviation of each image, and not by a window
    #[arg(long, conflicts_with = "resume")]
    standardize: bool,
    /// Millimeters that every image shows, or `stored` for pixels as they were stored [default: 32]
    #[arg(long, value_parser = field_of_view, conflicts_with = "resume")]
    field_of_view: Option<FieldOfView>,
    /// Height and width of the images in pixels [default: 32]
    #[arg(long, conflicts_with = "resume")]
    size: Option<usize>,
    /// Parts that the patients are divided into [default: 5]
    #[arg(long, conflicts_with = "resume")]
    folds: Option<usize>,
    /// How many of the folds are tested on [default: 2, all in the full profile]
    #[arg(long, conflicts_with = "resume")]
    tested_folds: Option<usize>,
    /// Residual blocks in each stage of the network [default: 1]
    #[arg(long, conflicts_with = "resume")]
    blocks: Option<usize>,
    /// What a network looks at of an image that it is tested on: as it is, with its mirror image, or all eight symmetries [default: symmetries]
    #[arg(long, value_parser = values::named::<Views>(VIEWS), conflicts_with = "resume")]
    views: Option<Views>,
    /// Patients that synthetic nodules are drawn of [default: 300]
    #[arg(long, conflicts_with = "resume")]
    synthetic_patients: Option<usize>,
}

/// What an image shows: millimeters, or pixels as they were stored.
#[derive(Debug, Clone, Copy)]
struct FieldOfView(Option<f64>);

fn field_of_view(text: &str) -> Result<FieldOfView, String> {
    match text.trim() {
        stored if stored.eq_ignore_ascii_case("stored") => Ok(FieldOfView(None)),
        number => {
            let millimeters = number.parse().map_err(|_| "give millimeters, such as 40, or `stored`")?;
            Ok(FieldOfView(Some(millimeters)))
        }
    }
}

fn range(text: &str) -> Result<[f64; 2], String> {
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    match numbers.as_deref() {
        Ok(&[low, high]) => Ok([low, high]),
        _ => Err("give two numbers, such as 2.5,3.5".to_owned()),
    }
}

impl Options {
    /// A configuration with what was given in its place.
    fn over(&self, mut config: Config) -> Config {
        config.plan = config.plan.with(&self.common);
        set(&mut config.data, self.data.as_ref());
        set(&mut config.label.min_raters, self.min_raters.as_ref());
        set(&mut config.label.undecided, self.undecided.as_ref());
        set(&mut config.pixels.size, self.size.as_ref());
        let are_all_tested = config.tested_folds == config.folds;
        set(&mut config.folds, self.folds.as_ref());
        let tested = if are_all_tested { config.folds } else { config.tested_folds.min(config.folds) };
        config.tested_folds = tested;
        set(&mut config.tested_folds, self.tested_folds.as_ref());
        set(&mut config.blocks, self.blocks.as_ref());
        set(&mut config.views, self.views.as_ref());
        set(&mut config.synthetic_patients, self.synthetic_patients.as_ref());
        if let Some(FieldOfView(field)) = self.field_of_view {
            config.pixels.field_of_view = field;
        }
        if self.standardize {
            config.pixels.gray = Gray::Standardized(3.0);
        }
        if self.window_level.is_some() || self.window_width.is_some() {
            let mut window = match config.pixels.gray {
                Gray::Window(window) => window,
                Gray::Standardized(_) => Pixels::CHEST,
            };
            let Window { level, width } = &mut window;
            set(level, self.window_level.as_ref());
            set(width, self.window_width.as_ref());
            config.pixels.gray = Gray::Window(window);
        }
        config
    }
}

/// Runs the study and prints its table.
pub fn run(options: Options) -> Result<(), CliError> {
    start::<NoduleStudy>(&options.common, |config| Ok(options.over(config)), &["reproduce", "nodules"])
}

/// There are no records of nodules in an older format.
pub fn read_older(
    _path: &std::path::Path,
    _text: &str,
    _format: u64,
) -> Option<Result<Results, RecordError>> {
    None
}
