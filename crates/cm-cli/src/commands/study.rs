//! `cm study`: losses of your own choice, compared on data of known quality.

use std::path::PathBuf;

use clap::Args;
use cm_train::{Error, study::StudyFolder};

use crate::{
    applications::{self, options::StudyOptions, plan::Profile, study_file::StudyFile},
    error::CliError,
    files::read_toml,
    session::SessionOptions,
};

/// Options of `cm study`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cm study examples/recipes/study-digits.toml --data-dir data --out runs/digits\n  \
    cm study more-losses.toml --resume runs/digits"
)]
pub struct Options {
    /// The study as a TOML file; examples/recipes/study-digits.toml is one. With --resume, the losses, feature
    /// dimensions and seeds that are new in it are added to the study
    #[arg(required_unless_present = "resume")]
    file: Option<PathBuf>,
    /// Passes over the training images; the one choice that may be raised with --resume
    #[arg(long)]
    epochs: Option<usize>,
    /// Seeds, separated by commas, in place of those of the file
    #[arg(long, value_delimiter = ',', conflicts_with = "resume")]
    seeds: Option<Vec<u64>>,
    /// Folder that holds the data
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Folder for results [default: runs/NAME-TIME]
    #[arg(long, conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Go on with the study in this folder, with the choices made when it began
    #[arg(long, value_name = "FOLDER")]
    resume: Option<PathBuf>,
    /// With --resume: train again what diverged
    #[arg(long, requires = "resume")]
    retry_diverged: bool,
    /// Networks that are trained at once, each on its share of the cores: small ones take less time so
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: usize,
    #[command(flatten)]
    session: SessionOptions,
}

/// Trains and compares what the file names, and prints the table.
pub fn run(options: Options) -> Result<(), CliError> {
    let mut file = match &options.file {
        Some(path) => read_toml(path)?,
        None => StudyFile::default(),
    };
    if let Some(seeds) = options.seeds {
        file.seeds = Some(seeds);
    }
    if options.epochs.is_some() {
        file.epochs = options.epochs;
    }
    if let Some(folder) = &options.resume {
        let recorded = StudyFolder::application(folder)?;
        if options.file.is_some() && file.application != recorded {
            return Err(Error::OtherApplication { path: folder.clone(), recorded }.into());
        }
        file.application = recorded;
    }
    for arm in &file.arms {
        for warning in arm.head()?.warnings() {
            eprintln!("warning: {}: {warning}", arm.name);
        }
    }
    let asked = StudyOptions {
        profile: file.profile.unwrap_or(Profile::Quick),
        losses: None,
        feature_dim: None,
        seeds: None,
        epochs: options.epochs,
        batch_size: None,
        learning_rate: None,
        width: None,
        data_dir: options.data_dir,
        out: options.out,
        resume: options.resume,
        retry_diverged: options.retry_diverged,
        jobs: options.jobs,
        extend: options.file.is_some(),
        session: options.session,
    };
    applications::study(&file.application, &asked, &file)
}
