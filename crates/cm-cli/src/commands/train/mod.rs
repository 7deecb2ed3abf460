//! `cm train`: a classifier from a user's own images.

mod choices;
mod dry_run;
mod options;
mod parts;
mod settings;
mod start;
mod study;

use std::{fs, path::Path};

use cm_data::{OpenOptions, SplitPlan, split};
use cm_record::{RunRecord, Status};
use cm_train::{
    Error,
    study::{StudyFolder, refuse_changes, run as run_study},
    training::{BEST, Display, LAST, has_checkpoint},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::images::{Images, refuse_inside};
use crate::{
    error::CliError,
    files::hex,
    session::{ComputeOptions, SessionOptions, default_folder},
};

#[cfg(test)]
pub use choices::{Optimizer, ScheduleName};
pub use options::Options;
#[cfg(test)]
pub use options::SAMPLINGS;
pub use options::{RESIZES, STEMS, Size, size};
use settings::RunSettings;
pub use settings::{ModelSettings, Settings};
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
    let (folder, settings) = match (&options.resume, options.dry_run) {
        (Some(folder), _) => resumed(folder, &options)?,
        (None, true) => (None, with_checksum(settings)?),
        (None, false) => {
            settings.validate()?;
            let out = settings.run.out.clone().unwrap_or_else(|| default_folder(APPLICATION));
            refuse_inside(&out, data)?;
            let settings = with_checksum(settings)?;
            (Some(StudyFolder::create(&out)?), settings)
        }
    };
    settings.validate()?;
    let (backend, workers, devices) =
        (settings.run.backend, settings.run.workers, settings.run.devices.clone());
    let device = settings.run.server.as_ref().map(|url| url.parse()).transpose()?;
    let compute = ComputeOptions { backend, workers, device, ..options.session.compute.clone() };
    let session_options = SessionOptions { compute, devices, ..options.session.clone() };
    let mut session = session_options.open(options.retry_diverged)?;
    // Before every image is looked at.
    session.devices.open()?;
    let images = Images::open(
        data,
        &OpenOptions::default(),
        settings.data.skip_bad,
        settings.data.group_by_name.as_deref(),
        &session,
    )?;
    let plan = SplitPlan {
        validation: settings.data.validation,
        seed: settings.data.split_seed,
        allow_shared_groups: settings.data.allow_shared_groups,
        ..SplitPlan::default()
    };
    let splits = split(&images.collection, &plan)?;
    if splits.train.is_empty() {
        return Err(CliError::Said(format!(
            "{} has no images to train on: all of them are in its val and test parts; put those to learn from into a \
             folder train beside them, or into the split train of the list",
            data.display()
        )));
    }
    let resume = resume_words(data, &settings);
    let needs_init = !folder.as_ref().is_some_and(has_checkpoints);
    let training = OneTraining::new(settings, images, &splits, needs_init, session.display)?;
    if folder.is_some() && session.display != Display::Quiet {
        eprintln!("{}", training.describe());
    }
    let Some(folder) = folder else {
        println!("{}", training.describe());
        return dry_run::run(&session, &training);
    };
    session.resume = session_options.resume_command(&resume, folder.path());
    let results = run_study(&session, &folder, &training)?;
    let Some(run) = results.runs.first() else {
        return Err(CliError::Said("nothing was trained".to_owned()));
    };
    if let Status::Diverged { reason, .. } = &run.status {
        let reasons = vec![format!("training diverged: {reason}")];
        return Err(Error::Diverged { reasons, path: folder.path().to_owned() }.into());
    }
    let path = folder.path();
    if options.session.json {
        println!("{}", object(path, run));
        return Ok(());
    }
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

/// What came of a training, for other programs.
fn object(path: &Path, run: &RunRecord) -> Value {
    let accuracy = |split: &str| {
        let found = run.measurement("accuracy", &format!("split={split}"))?;
        Some(json!({"accuracy": found.value, "images": found.count}))
    };
    json!({
        "model": path.join(BEST),
        "last": path.join(LAST),
        "report": path.join("report.html"),
        "epochs": run.epochs.len(),
        "seconds": run.train_seconds,
        "validation": accuracy("val"),
        "test": accuracy("test"),
        "warnings": run.warnings,
    })
}

/// A training begun before, with as many epochs as are asked for now.
fn resumed(folder: &Path, options: &Options) -> Result<(Option<StudyFolder>, Settings), CliError> {
    let (folder, begun) = StudyFolder::resume::<Settings>(folder, APPLICATION)?;
    // A flag that says otherwise than what was chosen is not obeyed in silence.
    let asked = with_checksum(options.over(begun.clone()))?;
    refuse_changes(folder.path(), &study::recorded(&begun)?, &study::recorded(&asked)?)?;
    Ok((Some(folder), asked))
}

/// Settings that say what is in the file of weights to start from.
fn with_checksum(mut settings: Settings) -> Result<Settings, CliError> {
    if let Some(file) = &settings.model.init {
        let bytes = fs::read(file).map_err(Error::io("read", file))?;
        settings.model.init_checksum = Some(format!("sha256:{}", hex(&Sha256::digest(bytes))));
    }
    Ok(settings)
}

/// What goes on with a training, but for its folder.
fn resume_words(data: &Path, settings: &Settings) -> Vec<String> {
    let mut words = vec!["train".to_owned(), data.display().to_string()];
    if let Some(file) = &settings.model.init {
        words.extend(["--init".to_owned(), file.display().to_string()]);
    }
    if settings.data.skip_bad > 0 {
        words.extend(["--skip-bad".to_owned(), settings.data.skip_bad.to_string()]);
    }
    if settings.run.cache != RunSettings::default().cache {
        words.extend(["--cache".to_owned(), settings.run.cache.to_string()]);
    }
    words
}

/// Whether an epoch was finished before: from then on no other weights are needed.
fn has_checkpoints(folder: &StudyFolder) -> bool {
    let runs = fs::read_dir(folder.path().join("runs")).into_iter().flatten().flatten();
    runs.into_iter().any(|run| has_checkpoint(&run.path()))
}
