//! `cm train`: a classifier from a user's own images.

mod choices;
mod dry_run;
mod options;
mod settings;
mod start;
mod study;

use std::path::Path;

use cm_data::{OpenOptions, SplitPlan, split};
use cm_record::Status;
use cm_train::{
    Error,
    study::{StudyFolder, run as run_study},
    training::{BEST, Display, LAST},
};

use super::images::Images;
use crate::{error::CliError, session::default_folder};

pub use options::Options;
use settings::Settings;
use study::OneTraining;

/// Name of the application in records.
const APPLICATION: &str = "train";

/// Trains, and says what was reached.
pub fn run(options: Options) -> Result<(), CliError> {
    let settings = options.settings()?;
    if options.print_config {
        print!("{}", settings.to_toml()?);
        return Ok(());
    }
    let Some(data) = &options.data else {
        return Err(CliError::Said("name the images to train on".to_owned()));
    };
    let mut session = options.session.open(options.retry_diverged)?;
    let (folder, settings) = match (&options.resume, options.dry_run) {
        (Some(folder), _) => resumed(folder, &options)?,
        (None, true) => (None, settings),
        (None, false) => {
            settings.validate()?;
            let out = options.out.clone().unwrap_or_else(|| default_folder(APPLICATION));
            (Some(StudyFolder::create(&out)?), settings)
        }
    };
    settings.validate()?;
    let images = Images::open(
        data,
        &OpenOptions::default(),
        settings.data.skip_bad,
        settings.data.group_by_name.as_deref(),
        session.display,
    )?;
    let plan = SplitPlan {
        validation: settings.data.validation,
        seed: settings.data.split_seed,
        ..SplitPlan::default()
    };
    let splits = split(&images.collection, &plan)?;
    let training = OneTraining::new(settings, images, &splits, options.cache, options.init.as_deref())?;
    if session.display != Display::Quiet {
        println!("{}", training.describe());
    }
    let Some(folder) = folder else {
        return dry_run::run(&session, &training);
    };
    session.resume = options.session.resume_command(&["train", &data.to_string_lossy()], folder.path());
    let results = run_study(&session, &folder, &training)?;
    let Some(run) = results.runs.first() else {
        return Err(CliError::Said("nothing was trained".to_owned()));
    };
    if let Status::Diverged { reason, .. } = &run.status {
        let reasons = vec![format!("training diverged: {reason}")];
        return Err(Error::Diverged { reasons, path: folder.path().to_owned() }.into());
    }
    let path = folder.path();
    for (stratum, images) in [("split=val", "validation images"), ("split=test", "test images")] {
        if let Some(accuracy) = run.measurement("accuracy", stratum) {
            let value = accuracy.value.unwrap_or(f64::NAN);
            println!("accuracy on {} {images}: {:.2} %", accuracy.count, 100.0 * value);
        }
    }
    println!("Model: {} (last epoch: {})", path.join(BEST).display(), path.join(LAST).display());
    println!("Report: {}", path.join("report.html").display());
    Ok(())
}

/// A training begun before, with as many epochs as are asked for now.
fn resumed(folder: &Path, options: &Options) -> Result<(Option<StudyFolder>, Settings), CliError> {
    let (folder, mut settings) = StudyFolder::resume::<Settings>(folder, APPLICATION)?;
    let begun = settings.clone();
    if let Some(epochs) = options.epochs {
        settings.training.epochs = epochs;
    }
    // A flag that says otherwise than what was chosen is not obeyed in silence.
    let asked = options.settings()?;
    let with_flags = |mut settings: Settings| {
        settings.training.epochs = begun.training.epochs;
        settings
    };
    let default = Settings::default();
    if with_flags(asked.clone()) != with_flags(default) && with_flags(asked) != with_flags(begun.clone()) {
        return Err(CliError::Said(format!(
            "--resume goes on with the settings in {}; of the flags only --epochs may be given",
            folder.path().join("config.json").display()
        )));
    }
    Ok((Some(folder), settings))
}
