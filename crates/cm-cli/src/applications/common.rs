//! What the studies share: profiles, the losses compared, options, folders of data and of results.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use burn::tensor::{Device, Tensor};
use clap::Args;
use cm_eval::Summary;
use cm_loss_core::Preset;
use cm_record::{FeatureRow, Measurement, RunKey};
use cm_train::{
    Error,
    classifier::Classifier,
    evaluation::Prediction,
    study::StudyFolder,
    training::{Recipe, check},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use time::OffsetDateTime;

use crate::{error::CliError, session::SessionOptions};

/// The losses that are compared unless others are asked for: those of the method's authors.
pub const COMPARED: [Preset; 5] =
    [Preset::Softmax, Preset::L2Softmax, Preset::CmSoftmax, Preset::CosFace, Preset::CmCosFace];

/// Beside the comparisons with the baseline: what the contraction mapping adds to the loss that it extends. Its form
/// without a margin extends the constant scale.
pub fn pairs() -> Vec<(String, String)> {
    let pair = |loss: Preset, extended: Preset| (loss.name().to_owned(), extended.name().to_owned());
    vec![
        pair(Preset::CmSoftmax, Preset::L2Softmax),
        pair(Preset::CmCosFace, Preset::CosFace),
        pair(Preset::CmArcFace, Preset::ArcFace),
        pair(Preset::CmAdaFace, Preset::AdaFace),
    ]
}

/// A set of choices with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Minutes on two CPU cores.
    Quick,
    /// All images and many epochs; for a GPU.
    Full,
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quick => "quick",
            Self::Full => "full",
        })
    }
}

impl FromStr for Profile {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "quick" => Ok(Self::Quick),
            "full" => Ok(Self::Full),
            _ => Err(Error::option("profile", "quick or full", name)),
        }
    }
}

/// One loss, or every one.
#[derive(Debug, Clone, Copy)]
pub enum Losses {
    /// Every preset.
    All,
    /// This one.
    One(Preset),
}

impl FromStr for Losses {
    type Err = cm_loss_core::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.trim().eq_ignore_ascii_case("all") {
            true => Ok(Self::All),
            false => name.parse().map(Self::One),
        }
    }
}

impl Losses {
    /// The losses asked for, in the order given, none twice.
    pub fn listed(choices: &[Self]) -> Vec<Preset> {
        let mut losses = Vec::new();
        for choice in choices {
            let presets = match choice {
                Self::All => Preset::ALL,
                Self::One(preset) => std::slice::from_ref(preset),
            };
            for preset in presets {
                if !losses.contains(preset) {
                    losses.push(*preset);
                }
            }
        }
        losses
    }
}

/// Options that every study has.
#[derive(Debug, Clone, Args)]
pub struct StudyOptions {
    /// quick (minutes on two CPU cores) or full (all images, many epochs; for a GPU)
    #[arg(long, default_value = "quick")]
    pub profile: Profile,
    /// Losses, separated by commas, by their names in the literature, or all; a wrong name lists them
    /// [default: Softmax,L2-Softmax,CM-Softmax,CosFace,CM-CosFace]
    #[arg(long, value_delimiter = ',')]
    pub losses: Option<Vec<Losses>>,
    /// Feature dimensions, separated by commas
    #[arg(long, value_delimiter = ',')]
    pub feature_dim: Option<Vec<usize>>,
    /// Seeds, separated by commas; more than one gives the spread
    #[arg(long, value_delimiter = ',')]
    pub seeds: Option<Vec<u64>>,
    /// Passes over the training images; the one choice that may be raised with --resume
    #[arg(long)]
    pub epochs: Option<usize>,
    /// Images a step
    #[arg(long)]
    pub batch_size: Option<usize>,
    /// Largest learning rate
    #[arg(long)]
    pub learning_rate: Option<f64>,
    /// Channels of the first stage of the network
    #[arg(long)]
    pub width: Option<usize>,
    /// Folder that holds the data
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    /// Folder for results [default: runs/NAME-TIME]
    #[arg(long, conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Go on with the study in this folder, with the choices made when it began
    #[arg(
        long,
        value_name = "FOLDER",
        conflicts_with_all = [
            "profile", "losses", "feature_dim", "seeds", "batch_size", "learning_rate", "width",
        ]
    )]
    pub resume: Option<PathBuf>,
    /// With --resume: train again what diverged
    #[arg(long, requires = "resume")]
    pub retry_diverged: bool,
    #[command(flatten)]
    pub session: SessionOptions,
}

impl StudyOptions {
    /// Puts what was given in the place of a profile's values.
    pub fn apply(
        &self,
        losses: &mut Vec<Preset>,
        feature_dims: &mut Vec<usize>,
        seeds: &mut Vec<u64>,
        width: &mut usize,
        recipe: &mut Recipe,
    ) {
        if let Some(given) = &self.losses {
            *losses = Losses::listed(given);
        }
        set(feature_dims, self.feature_dim.as_ref());
        set(seeds, self.seeds.as_ref());
        set(width, self.width.as_ref());
        set(&mut recipe.epochs, self.epochs.as_ref());
        set(&mut recipe.batch_size, self.batch_size.as_ref());
        set(&mut recipe.schedule.learning_rate, self.learning_rate.as_ref());
    }

    /// The folder of the study, and what was chosen: `config` for a new one, which is valid by then, or what was chosen
    /// when it began, with as many epochs as are asked for now. The folder is looked at before any data are loaded.
    ///
    /// # Errors
    ///
    /// Every error of [`StudyFolder`], and of `validate`.
    pub fn open<C: DeserializeOwned>(
        &self,
        application: &'static str,
        config: C,
        validate: impl Fn(&C) -> Result<(), Error>,
        epochs: impl Fn(&mut C) -> &mut usize,
    ) -> Result<(StudyFolder, C, bool), CliError> {
        let Some(folder) = &self.resume else {
            validate(&config)?;
            let path = self.out.clone().unwrap_or_else(|| default_folder(application));
            return Ok((StudyFolder::create(&path)?, config, true));
        };
        let (folder, mut config) = StudyFolder::resume::<C>(folder, application)?;
        if let Some(asked) = self.epochs {
            *epochs(&mut config) = asked;
        }
        validate(&config)?;
        Ok((folder, config, false))
    }
}

/// Replaces a value by an option, if it was given.
pub fn set<T: Clone>(value: &mut T, option: Option<&T>) {
    if let Some(given) = option {
        value.clone_from(given);
    }
}

/// `runs/<name>-<time>`.
fn default_folder(name: &str) -> PathBuf {
    let format = time::macros::format_description!("[year][month][day]-[hour][minute][second]");
    let now = OffsetDateTime::now_utc().format(format).unwrap_or_default();
    Path::new("runs").join(format!("{name}-{now}"))
}

/// Checks that there is at least one value, and none twice.
pub fn unique<T: PartialEq + fmt::Display>(option: &'static str, values: &[T]) -> Result<(), Error> {
    let list = || values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    check(option, "at least one value", "empty", !values.is_empty())?;
    let repeated = (1..values.len()).any(|i| values[..i].contains(&values[i]));
    check(option, "values that differ", list(), !repeated)
}

/// Where data were found.
pub enum Found {
    /// In this folder.
    In(PathBuf),
    /// Nowhere; these folders were looked at.
    Nowhere(Vec<PathBuf>),
}

/// Looks for data in `--data-dir`, in the folder that the environment variable `CM_DATA_DIR` names, and in the user's
/// data folder; in each below every one of `below`.
///
/// # Errors
///
/// A folder named by the user that is not there, or that holds none of the data.
pub fn find(
    name: &str,
    data_dir: Option<&Path>,
    below: &[&str],
    is_there: impl Fn(&Path) -> bool,
) -> Result<Found, CliError> {
    let variable = env::var_os("CM_DATA_DIR").filter(|value| !value.is_empty()).map(PathBuf::from);
    let named = [(data_dir.map(Path::to_owned), "--data-dir"), (variable, "CM_DATA_DIR")];
    let mut looked = Vec::new();
    for (path, origin) in named {
        let Some(path) = path else { continue };
        if !path.is_dir() {
            return Err(CliError::Said(format!(
                "the data folder {} ({origin}) does not exist; name the folder that holds {name}",
                path.display()
            )));
        }
        let folders: Vec<PathBuf> = below.iter().map(|below| path.join(below)).collect();
        if let Some(folder) = folders.iter().find(|folder| is_there(folder)) {
            return Ok(Found::In(folder.clone()));
        }
        if origin == "--data-dir" {
            return Err(CliError::Said(format!(
                "there is nothing of {name} in {}: looked at {}",
                path.display(),
                shown(&folders)
            )));
        }
        looked.extend(folders);
    }
    if let Some(folder) = user_folder(below[0]) {
        if is_there(&folder) {
            return Ok(Found::In(folder));
        }
        looked.push(folder);
    }
    Ok(Found::Nowhere(looked))
}

/// Paths separated by commas.
pub fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// A folder of this program in the user's data folder.
pub fn user_folder(name: &str) -> Option<PathBuf> {
    dirs::data_dir().map(|folder| folder.join("cm-loss").join(name))
}

/// Prints the table of a study, and says what diverged.
///
/// # Errors
///
/// [`Error::Diverged`] if a run did: the report is there all the same.
pub fn finish(folder: &Path, results: &cm_record::Results) -> Result<(), CliError> {
    println!("{}", cm_report::summary_table(results));
    println!("Results, pictures and report: {}", folder.join("report.html").display());
    let reasons: Vec<String> = results
        .runs
        .iter()
        .filter_map(|run| match &run.status {
            cm_record::Status::Diverged { reason, .. } => {
                Some(format!("{} diverged: {reason}", run.key.label()))
            }
            cm_record::Status::Finished => None,
        })
        .collect();
    match reasons.is_empty() {
        true => Ok(()),
        false => Err(Error::Diverged { reasons, path: folder.to_owned() }.into()),
    }
}

/// Accuracy, and mean, deviation and percentiles of the feature norm, of the predictions of a stratum. Nothing where
/// there is no image.
pub fn stratum_measurements(stratum: &str, predictions: &[&Prediction]) -> Vec<Measurement> {
    let count = predictions.len();
    let norms: Vec<f64> = predictions.iter().map(|prediction| f64::from(prediction.norm)).collect();
    let Some(summary) = Summary::of(&norms) else { return Vec::new() };
    let right = predictions.iter().filter(|prediction| prediction.is_right()).count();
    let figures = [
        ("accuracy", right as f64 / count as f64),
        ("norm_mean", summary.mean),
        ("norm_std", summary.std),
        ("norm_p5", summary.quantile(0.05)),
        ("norm_p25", summary.quantile(0.25)),
        ("norm_p50", summary.quantile(0.5)),
        ("norm_p75", summary.quantile(0.75)),
        ("norm_p95", summary.quantile(0.95)),
    ];
    figures.into_iter().map(|(metric, value)| Measurement::new(metric, stratum, value, count)).collect()
}

/// A prediction as a row of a features file.
pub fn feature_row(prediction: &Prediction, levels: Vec<String>) -> FeatureRow {
    FeatureRow {
        index: prediction.index,
        label: prediction.label,
        predicted: prediction.predicted,
        confidence: prediction.confidence,
        norm: prediction.norm,
        x: prediction.point[0],
        y: prediction.point[1],
        levels,
    }
}

/// A warning where the norm map is flat for these norms.
pub fn saturation(network: &Classifier, norms: &[f32], device: &Device) -> Vec<String> {
    let found = network.head.saturation(Tensor::from_data(norms, device));
    found.filter(|found| found.is_serious()).map(|found| found.to_string()).into_iter().collect()
}

/// Draws the report of a study's folder.
///
/// # Errors
///
/// What keeps it from being read or drawn.
pub fn draw_report(folder: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let results = crate::commands::report::read(folder)?;
    let features = cm_report::drawn_features(folder, &results)?;
    cm_report::write_report(folder, &results, &features, &[])?;
    Ok(())
}

/// Every loss with every dimension and seed.
pub fn keys(losses: &[Preset], feature_dims: &[usize], seeds: &[u64]) -> Vec<RunKey> {
    let mut keys = Vec::new();
    for &feature_dim in feature_dims {
        for &seed in seeds {
            for loss in losses {
                keys.push(RunKey { loss: loss.name().to_owned(), feature_dim, seed, fold: None });
            }
        }
    }
    keys
}

/// The text with its first letter in upper case.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
