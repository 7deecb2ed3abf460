//! Options that every study has.

use std::{path::PathBuf, str::FromStr};

use clap::Args;
use cm_loss_core::Preset;
use cm_train::{
    Error,
    study::{StudyFolder, refuse_changes, to_value},
};

use super::{
    places,
    plan::{Choices, Profile},
};
use crate::{
    error::CliError,
    session::{SessionOptions, default_folder},
    values,
};

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
    /// How much is trained
    #[arg(long, value_enum, ignore_case = true, default_value = "quick")]
    pub profile: Profile,
    /// Losses, separated by commas, by their names in the literature [default: those of the profile]
    #[arg(long, value_delimiter = ',', value_parser = values::losses::<Losses>())]
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
    /// Networks that are trained at once, each on its share of the cores: small ones take less time so
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub jobs: usize,
    /// With --resume: what is asked for is added to what was chosen then
    #[arg(skip)]
    pub extend: bool,
    #[command(flatten)]
    pub session: SessionOptions,
}

impl StudyOptions {
    /// The folder of the study, and what is chosen, which is valid: `choose` of the profile for a new one; or what was chosen
    /// when it began, with what `choose` makes of that as far as a study may grow. The folder is looked at before any data are
    /// loaded.
    ///
    /// # Errors
    ///
    /// Every error of [`StudyFolder`], of `choose` and of [`Choices::validate`], and [`Error::SettingChanged`].
    pub fn open<C: Choices>(
        &self,
        application: &'static str,
        choose: impl FnOnce(C) -> Result<C, Error>,
    ) -> Result<(StudyFolder, C, bool), CliError> {
        let Some(folder) = &self.resume else {
            let asked = choose(C::of(self.profile))?;
            asked.validate()?;
            let path = self.out.clone().unwrap_or_else(|| default_folder(application));
            return Ok((StudyFolder::create(&path)?, asked, true));
        };
        let (folder, mut config) = StudyFolder::resume::<C>(folder, application)?;
        if self.extend {
            let mut asked = choose(config.clone())?;
            asked.plan().follow(config.plan())?;
            // What else is said now must be what was said then.
            refuse_changes(folder.path(), &to_value(&config)?, &to_value(&asked)?)?;
            config = asked;
        }
        if let Some(asked) = self.epochs {
            config.plan().recipe.epochs = asked;
        }
        config.validate()?;
        Ok((folder, config, false))
    }

    /// The command that goes on with a study; `command` is what it is reproduced by.
    pub fn resume_command(&self, command: &[&str], folder: &StudyFolder) -> String {
        let mut words: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
        if let Some(folder) = self.data_dir.clone().or_else(places::named_by_variable) {
            words.extend(["--data-dir".to_owned(), folder.display().to_string()]);
        }
        if self.jobs != 1 {
            words.extend(["--jobs".to_owned(), self.jobs.to_string()]);
        }
        self.session.resume_command(&words, folder.path())
    }
}

/// Replaces a value by an option, if it was given.
pub fn set<T: Clone>(value: &mut T, option: Option<&T>) {
    if let Some(given) = option {
        value.clone_from(given);
    }
}
