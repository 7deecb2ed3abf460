//! Training what has no results yet.

use std::{collections::HashMap, time::Instant};

use burn::{module::Module, tensor::Device};
use cm_record::{DataRecord, RESULTS_FORMAT, Results, RunKey, RunRecord, Status};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Session, Study, StudyFolder, Trial, jobs, norms, refuse_changes};
use crate::{
    Error,
    classifier::Classifier,
    evaluation::{Predictor, Views},
    training::{BEST, Display, Outcome, Training, check_devices, has_stopped_improving},
};

/// Trains and tests every network that has no results yet, and has the report drawn.
///
/// Every finished run is kept in `results.json` at once, so that an interrupted study loses at most the epoch that it
/// was in. A run that diverges is recorded as such and does not keep the others from being trained.
///
/// # Errors
///
/// Every variant of [`Error`]; what was finished before stays in the folder.
pub fn run(session: &Session, folder: &StudyFolder, study: &dyn Study) -> Result<Results, Error> {
    let devices = session.devices.open()?;
    let settings = study.settings()?;
    let earlier = folder.results()?;
    let is_new = earlier.is_none();
    let mut results = match earlier {
        Some(results) => continued(session, folder, study, results)?,
        None => Results {
            format: RESULTS_FORMAT,
            application: study.application().to_owned(),
            created: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
            complete: false,
            data: study.data(),
            config: settings.clone(),
            layout: study.layout(),
            runs: Vec::new(),
            comparisons: Vec::new(),
            pooled: None,
            wall_seconds: 0.0,
        },
    };
    try_networks(&devices, study)?;
    if is_new && session.interrupter.should_stop() {
        return Err(Error::Stopped);
    }
    // Before the first run, so that it is known from then on which data the folder belongs to, and how many epochs were
    // asked for last.
    folder.begin(study.application(), &settings)?;
    results.write(folder.path())?;
    let outcome = train_missing(session, &devices, folder, study, &mut results);
    // What is finished gets its report, however the rest ended; that error is the one to tell.
    let reported = if results.runs.is_empty() { Ok(()) } else { report(folder, study, &mut results) };
    outcome?;
    reported.map_err(|error| Error::Training {
        run: "the report".to_owned(),
        reason: error.to_string(),
        resume: session.resume.clone(),
    })?;
    Ok(results)
}

/// Adds what all runs together say, and draws the report.
fn report(
    folder: &StudyFolder,
    study: &dyn Study,
    results: &mut Results,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    results.pooled = study.pooled(folder.path(), results)?;
    results.write(folder.path())?;
    study.report(folder.path())
}

/// Makes a network of each size and lets it go, so that what cannot be made leaves nothing in the folder.
fn try_networks(devices: &[Device], study: &dyn Study) -> Result<(), Error> {
    let mut seen = Vec::new();
    for key in study.keys() {
        if seen.contains(&key.feature_dim) {
            continue;
        }
        let trial = study.trial(&key)?;
        check_devices(devices.len(), trial.recipe.batch_size, trial.train.len())?;
        let network = Classifier::new(trial.card.parts(), key.seed, &devices[0].clone().autodiff())?;
        if let Some(init) = &trial.init {
            init(network)?;
        }
        seen.push(key.feature_dim);
    }
    Ok(())
}

/// The results of an earlier session, if they are of the same data and settings.
fn continued(
    session: &Session,
    folder: &StudyFolder,
    study: &dyn Study,
    mut results: Results,
) -> Result<Results, Error> {
    let found = study.data();
    if !results.data.is_same_data(&found) {
        let difference = difference(&results.data, &found);
        return Err(Error::DataChanged { path: folder.path().to_owned(), difference });
    }
    let settings = study.settings()?;
    refuse_changes(folder.path(), &results.config, &settings)?;
    (results.config, results.layout, results.data) = (settings, study.layout(), found);
    let keys = study.keys();
    results.runs.retain(|run| keys.contains(&run.key));
    if session.retry_diverged {
        results.runs.retain(RunRecord::is_finished);
    }
    results.complete = false;
    Ok(results)
}

/// What tells two sets of data apart, in words.
fn difference(recorded: &DataRecord, found: &DataRecord) -> String {
    if recorded.checksums.is_empty() && recorded.name != found.name {
        return format!("{} then, {} now", recorded.name, found.name);
    }
    for (name, sum) in &recorded.checksums {
        match found.checksums.get(name) {
            Some(now) if now == sum => {}
            Some(now) => return format!("{name} had the checksum {sum} and now has {now}"),
            None => return format!("{name} is missing now"),
        }
    }
    if let Some(name) = found.checksums.keys().find(|name| !recorded.checksums.contains_key(*name)) {
        return format!("{name} was not there then");
    }
    for (before, now) in recorded.splits.iter().zip(&found.splits) {
        if before != now {
            let (name, then, now) = (&before.name, before.images, now.images);
            return match then == now {
                true => format!("other images are in {name}"),
                false => format!("{name} had {then} images and now has {now}"),
            };
        }
    }
    "its parts or what is recorded of it differ".to_owned()
}

fn train_missing(
    session: &Session,
    devices: &[Device],
    folder: &StudyFolder,
    study: &dyn Study,
    results: &mut Results,
) -> Result<(), Error> {
    let start = Instant::now();
    let seconds_before = results.wall_seconds;
    let keys = study.keys();
    let mut missing = Vec::new();
    for key in &keys {
        let trial = study.trial(key)?;
        if !results.run(key).is_some_and(|run| is_done(run, &trial)) {
            missing.push(key.clone());
        }
    }
    let jobs = session.jobs.clamp(1, missing.len().max(1));
    let session = &Session { workers: (session.workers / jobs).max(1), ..session.clone() };
    let train = |key: RunKey| {
        let trial = study.trial(&key)?;
        train_and_test(session, devices, folder, study, &trial, keys.len())
    };
    jobs::each(jobs, missing, train, |record| {
        results.runs.retain(|run| run.key != record.key);
        results.runs.push(record);
        results.runs.sort_by_key(|run| keys.iter().position(|key| *key == run.key));
        results.wall_seconds = seconds_before + start.elapsed().as_secs_f64();
        results.compare();
        Ok(results.write(folder.path())?)
    })?;
    results.complete = keys.iter().all(|key| results.run(key).is_some());
    results.compare();
    Ok(results.write(folder.path())?)
}

/// Whether a run was trained for as many epochs as asked for, or ended before for a reason that holds.
fn is_done(run: &RunRecord, trial: &Trial) -> bool {
    let recipe = &trial.recipe;
    match run.status {
        Status::Diverged { .. } => true,
        Status::Finished => {
            run.epochs.len() >= recipe.epochs || has_stopped_improving(&run.epochs, recipe.early_stopping)
        }
    }
}

fn train_and_test(
    session: &Session,
    devices: &[Device],
    folder: &StudyFolder,
    study: &dyn Study,
    trial: &Trial,
    runs: usize,
) -> Result<RunRecord, Error> {
    let slug = trial.key.slug();
    let directory = folder.path().join("runs").join(&slug);
    let label = if runs > 1 { padded(&trial.key) } else { trial.key.loss.clone() };
    let device = &devices[0];
    let autodiff = device.clone().autodiff();
    let network = Classifier::new(trial.card.parts(), trial.key.seed, &autodiff)?;
    let network = match &trial.init {
        Some(init) => init(network)?,
        None => network,
    };
    let training = Training {
        label: label.clone(),
        directory: &directory,
        models: if trial.models_on_top { folder.path() } else { &directory },
        resume: &session.resume,
        recipe: &trial.recipe,
        card: &trial.card,
        seed: trial.key.seed,
        train: trial.train.clone(),
        valid: trial.valid.clone(),
        validated: trial.validated,
        select_best: trial.select_best,
        workers: session.workers,
        devices,
        display: session.display,
        interrupter: session.interrupter.clone(),
    };
    let (outcome, epochs) = training.run(network)?;
    let train_seconds: f64 = epochs.iter().map(|epoch| epoch.seconds).sum();
    let mut record = RunRecord {
        key: trial.key.clone(),
        status: Status::Finished,
        environment: session.program.environment(&session.devices),
        measurements: Vec::new(),
        train_seconds,
        images_per_second: (trial.train.len() * epochs.len()) as f64 / train_seconds,
        epochs,
        features_file: None,
        warnings: Vec::new(),
    };
    let network = match outcome {
        Outcome::Trained(network) => network,
        Outcome::Diverged(found) => {
            let reason = found.describe(|index| trial.train.name(index));
            eprintln!("{} diverged: {reason}", trial.key.label());
            record.status = Status::Diverged { epoch: found.epoch, step: found.step, reason };
            return Ok(record);
        }
    };
    let bar = session.display.bar(study.test_images(), &label);
    bar.set_message("testing");
    let predictor = Predictor {
        input: &trial.card.input,
        views: Views::One,
        workers: session.workers,
        device,
        bar: &bar,
        interrupter: &session.interrupter,
    };
    let network = network.fork(device);
    let evaluated = study.evaluate(&network, trial, &predictor)?;
    bar.finish_and_clear();
    let interrupted = || Error::Interrupted { resume: session.resume.clone() };
    let Some(mut evaluated) = evaluated else { return Err(interrupted()) };
    if trial.models_on_top {
        let images = norms::chosen(&trial.train);
        let bar = session.display.bar(images.len(), &label);
        bar.set_message("norms of the training images");
        let predictor = Predictor { bar: &bar, ..predictor };
        let finished = norms::add(&folder.path().join(BEST), &network, images, &predictor)?;
        bar.finish_and_clear();
        if !finished {
            return Err(interrupted());
        }
    }
    if let Some(accuracy) = record.epochs.last().map(|epoch| epoch.train_accuracy) {
        let labels = (0..trial.train.len()).map(|index| trial.train.label(index));
        evaluated.warnings.extend(barely_learned(accuracy, labels));
    }
    if session.display != Display::Quiet {
        for warning in &evaluated.warnings {
            eprintln!("{label}  {warning}");
        }
    }
    if let Some(features) = evaluated.features {
        let file = format!("features/{slug}.csv");
        features.write(&folder.path().join(&file))?;
        record.features_file = Some(file);
    }
    (record.measurements, record.warnings) = (evaluated.measurements, evaluated.warnings);
    Ok(record)
}

/// A warning where the training ended hardly above what naming the most common class gives: less than a tenth of the way from
/// there to always right.
fn barely_learned(accuracy: f64, labels: impl Iterator<Item = u32>) -> Option<String> {
    let mut counts = HashMap::new();
    let mut images = 0;
    for label in labels {
        *counts.entry(label).or_insert(0) += 1;
        images += 1;
    }
    let most = counts.values().copied().max().unwrap_or(0);
    let guessing = f64::from(most) / f64::from(images.max(1));
    (accuracy < guessing + 0.1 * (1.0 - guessing)).then(|| {
        format!(
            "the training ended with {:.1} % of its images right, and naming the most common class gives {:.1} %: this \
             loss has hardly learned here; try more epochs, another learning rate, a smaller margin or a smaller weight \
             of its penalty",
            100.0 * accuracy,
            100.0 * guessing
        )
    })
}

/// Name for people, in columns.
fn padded(key: &RunKey) -> String {
    let fold = key.fold.map(|fold| format!(" fold {fold}")).unwrap_or_default();
    format!("{:<10} {:>3}-d seed {}{fold}", key.loss, key.feature_dim, key.seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_that_ends_where_it_could_have_guessed_is_named() {
        let labels = || [0, 1, 1, 2].into_iter();
        let warning = barely_learned(0.52, labels()).expect("hardly above a half");
        assert!(warning.contains("52.0 %") && warning.contains("50.0 %"), "{warning}");
        assert_eq!(barely_learned(0.56, labels()), None);
        assert!(barely_learned(0.1, (0..10).cycle().take(100)).is_some());
        assert_eq!(barely_learned(0.3, (0..10).cycle().take(100)), None);
    }
}
