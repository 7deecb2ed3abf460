//! Data in, networks trained one after the other, results out.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use burn::{
    tensor::{Device, Tensor},
    train::Interrupter,
};
use cm_loss_core::Preset;
use cm_models::LeNetPpConfig;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    DataRecord, Environment, ExperimentConfig, RESULTS_FORMAT, Results, RunRecord, evaluation, folder::Folder,
};
use crate::{
    Error,
    classifier::Classifier,
    data::{
        self, DataChoice, DataSet, LabelledImages, LoadOptions, SEVERITIES, assign_severities, degrade_all,
    },
    device::Backend,
    files, report,
    training::{Display, Training},
};

/// What an experiment needs besides its config.
pub struct Session {
    /// Where to compute.
    pub backend: Backend,
    /// Folder with `mnist/`, if the user named one.
    pub data_dir: Option<PathBuf>,
    /// What to show.
    pub display: Display,
    /// Told to stop by Ctrl-C.
    pub interrupter: Interrupter,
}

/// Where an experiment writes.
pub enum Output {
    /// A folder for a new experiment; by default `runs/<data>-<time>`.
    New(Option<PathBuf>, Box<ExperimentConfig>),
    /// The folder of an experiment to go on with.
    Resume(PathBuf),
}

/// Trains and tests every loss, dimension and seed, and writes the report.
///
/// Every finished run is kept in `results.json` at once, so that an interrupted experiment loses at most the epoch
/// that it was in.
///
/// # Errors
///
/// Every variant of [`Error`]; what was finished before stays in the folder.
pub fn run(session: &Session, output: Output) -> Result<(PathBuf, Results), Error> {
    let device = session.backend.device()?;
    let (folder, config, data) = open(session, output)?;
    let data = prepare(&config, data);
    let mut results = match folder.results()? {
        Some(results) => results,
        None => Results {
            format: RESULTS_FORMAT,
            created: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
            complete: false,
            data: data.record.clone(),
            config: config.clone(),
            environment: Environment::current(session.backend),
            runs: Vec::new(),
            wall_seconds: 0.0,
        },
    };
    if results.data != data.record {
        let describe = |data: &DataRecord| format!("{} {:?}", data.name, data.checksums);
        return Err(Error::DataChanged {
            path: folder.path().to_owned(),
            recorded: describe(&results.data),
            found: describe(&data.record),
        });
    }
    if results.environment.backend != session.backend.name() {
        let recorded = results.environment.backend;
        return Err(Error::BackendChanged { path: folder.path().to_owned(), recorded });
    }
    // Before the first run, so that it is known from then on which data and backend the folder belongs to.
    report::write_results(folder.path(), &results)?;
    let outcome = train_missing(session, &device, &folder, &config, &data, &mut results);
    // What is finished gets its report, however the rest ended; that error is the one to tell.
    let rebuilt = if results.runs.is_empty() { Ok(Vec::new()) } else { report::rebuild(folder.path()) };
    outcome?;
    rebuilt?;
    Ok((folder.path().to_owned(), results))
}

/// Trains every run that has no results yet. A run that diverges does not keep the others from being trained.
fn train_missing(
    session: &Session,
    device: &Device,
    folder: &Folder,
    config: &ExperimentConfig,
    data: &Prepared,
    results: &mut Results,
) -> Result<(), Error> {
    let start = Instant::now();
    let seconds_before = results.wall_seconds;
    let mut diverged = None;
    for &feature_dim in &config.feature_dims {
        for &seed in &config.seeds {
            for &loss in &config.losses {
                let plan = Plan { loss, feature_dim, seed };
                if results.runs.iter().any(|run| plan.is(run)) {
                    continue;
                }
                match train_and_test(session, device, folder, config, data, plan) {
                    Ok(record) => results.runs.push(record),
                    Err(error @ Error::Diverged { .. }) => {
                        diverged.get_or_insert(error);
                        continue;
                    }
                    Err(error) => return Err(error),
                }
                results.wall_seconds = seconds_before + start.elapsed().as_secs_f64();
                results.complete = results.runs.len() == config.runs();
                report::write_results(folder.path(), results)?;
            }
        }
    }
    diverged.map_or(Ok(()), Err)
}

/// One network to train.
#[derive(Clone, Copy)]
struct Plan {
    loss: Preset,
    feature_dim: usize,
    seed: u64,
}

impl Plan {
    fn is(&self, run: &RunRecord) -> bool {
        run.loss == self.loss.name() && run.feature_dim == self.feature_dim && run.seed == self.seed
    }

    /// Name for files.
    fn slug(&self) -> String {
        format!("{}-d{}-s{}", self.loss.name().to_lowercase(), self.feature_dim, self.seed)
    }

    /// Name for people.
    fn label(&self) -> String {
        format!("{:<10} {:>3}-d seed {}", self.loss.name(), self.feature_dim, self.seed)
    }
}

fn open(session: &Session, output: Output) -> Result<(Folder, ExperimentConfig, DataSet), Error> {
    let load = |config: &ExperimentConfig| -> Result<DataSet, Error> {
        let options = LoadOptions {
            data_dir: session.data_dir.clone(),
            train_images: Some(config.train_images),
            test_images: Some(config.test_images),
            seed: config.data_seed,
            progress: session.display == Display::Bar,
        };
        let data = data::load(config.data, &options)?;
        if let Some(notice) = data.notice {
            eprintln!("{notice}");
        }
        if session.display != Display::Quiet {
            println!("{}: {}", data.name, data.source);
        }
        Ok(data)
    };
    match output {
        Output::New(path, mut config) => {
            config.validate()?;
            let data = load(&config)?;
            // What was found is what a resumed experiment must find again.
            config.data = if data.name == data::MNIST { DataChoice::Mnist } else { DataChoice::Synthetic };
            let path = path.unwrap_or_else(|| default_folder(data.name));
            Ok((Folder::create(&path, &config)?, *config, data))
        }
        Output::Resume(path) => {
            let (folder, config) = Folder::resume(&path)?;
            let data = load(&config)?;
            Ok((folder, config, data))
        }
    }
}

/// `runs/<data>-<time>`.
fn default_folder(data: &str) -> PathBuf {
    let format = time::macros::format_description!("[year][month][day]-[hour][minute][second]");
    let now = OffsetDateTime::now_utc().format(format).unwrap_or_default();
    Path::new("runs").join(format!("{}-{now}", data.to_lowercase().replace(' ', "-")))
}

/// Degraded images, and what to say of them.
struct Prepared {
    train: Arc<LabelledImages>,
    test: Vec<Arc<LabelledImages>>,
    record: DataRecord,
}

fn prepare(config: &ExperimentConfig, data: DataSet) -> Prepared {
    let kind = config.degradation;
    let severities = assign_severities(data.train.len(), config.low_quality_fraction, config.data_seed);
    let train_severities = (0..SEVERITIES)
        .map(|s| severities.iter().filter(|&&found| usize::from(found) == s).count())
        .collect();
    let record = DataRecord {
        name: data.name.to_owned(),
        source: data.source,
        checksums: data.checksums,
        train_images: data.train.len(),
        test_images: data.test.len(),
        train_severities,
    };
    let train = Arc::new(degrade_all(&data.train, kind, &severities, config.data_seed));
    // The test images are spoilt with other random numbers than the training images.
    let test_seed = config.data_seed.wrapping_add(1);
    let at =
        |severity: usize| degrade_all(&data.test, kind, &vec![severity as u8; data.test.len()], test_seed);
    let test = (0..SEVERITIES).map(|severity| Arc::new(at(severity))).collect();
    Prepared { train, test, record }
}

fn train_and_test(
    session: &Session,
    device: &Device,
    folder: &Folder,
    config: &ExperimentConfig,
    data: &Prepared,
    plan: Plan,
) -> Result<RunRecord, Error> {
    let directory = folder.path().join("runs").join(plan.slug());
    let backbone = LeNetPpConfig::new().with_width(config.width).with_feature_dim(plan.feature_dim);
    let max_grad_norm = config.recipe.max_grad_norm;
    let autodiff = device.clone().autodiff();
    let model = Classifier::new(&backbone, &plan.loss.config(), max_grad_norm, plan.seed, &autodiff)?;
    let training = Training {
        label: plan.label(),
        directory: &directory,
        experiment: folder.path(),
        recipe: &config.recipe,
        seed: plan.seed,
        train: data.train.clone(),
        valid: data.test[0].clone(),
        device,
        display: session.display,
        interrupter: session.interrupter.clone(),
    };
    let (model, epochs) = training.run(model)?;

    let rows = evaluation::features(
        &model,
        &data.test,
        device,
        session.display,
        &plan.label(),
        &session.interrupter,
    );
    let rows = rows.ok_or_else(|| Error::Interrupted { path: folder.path().to_owned() })?;
    let clean: Vec<f32> = rows.iter().filter(|row| row.severity == 0).map(|row| row.norm).collect();
    let saturation = model.head.saturation(Tensor::from_data(clean.as_slice(), device));
    if let Some(saturation) =
        saturation.filter(|found| found.is_serious() && session.display != Display::Quiet)
    {
        println!("{}  {saturation}", plan.label());
    }
    let features_file = format!("features/{}.csv", plan.slug());
    let features_path = folder.path().join(&features_file);
    files::create_dir(&folder.path().join("features"))?;
    report::write_features(&features_path, &rows)?;

    let train_seconds: f64 = epochs.iter().map(|epoch| epoch.seconds).sum();
    Ok(RunRecord {
        loss: plan.loss.name().to_owned(),
        feature_dim: plan.feature_dim,
        seed: plan.seed,
        severities: evaluation::severities(&rows),
        norm_quality_spearman: evaluation::norm_quality_spearman(&rows),
        train_seconds,
        images_per_second: (data.train.len() * epochs.len()) as f64 / train_seconds,
        epochs,
        features_file,
    })
}
