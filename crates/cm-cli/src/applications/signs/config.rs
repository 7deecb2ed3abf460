//! Everything that is chosen before the study of signs begins.

use std::{fmt, str::FromStr};

use cm_data::{Augmentation, Sampling};
use cm_loss_core::Preset;
use cm_train::{
    Error,
    training::{OptimizerConfig, Recipe, Schedule, Shape, check},
};
use serde::{Deserialize, Serialize};

use crate::applications::common::{COMPARED, Profile, unique};

/// Which signs to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataChoice {
    /// GTSRB, or synthetic signs where it is not on the machine.
    Auto,
    /// GTSRB or nothing.
    Gtsrb,
    /// Synthetic signs.
    Synthetic,
}

/// A study of signs, as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the other values came from, unless they were overridden.
    pub profile: Profile,
    /// Which signs.
    pub data: DataChoice,
    /// Losses to compare.
    pub losses: Vec<Preset>,
    /// Feature dimensions; each loss is trained with each.
    pub feature_dims: Vec<usize>,
    /// Seeds of weights, order and augmentation; each loss is trained with each.
    pub seeds: Vec<u64>,
    /// Channels of the first stage of ResNet-18.
    pub width: usize,
    /// Share of the tracks that progress is followed on.
    pub validation: f64,
    /// Tracks of synthetic signs to train on.
    pub synthetic_tracks: usize,
    /// Seed of the synthetic signs and of the split: the same data for every training seed.
    pub data_seed: u64,
    /// How every network is trained.
    pub recipe: Recipe,
}

impl Config {
    /// The values of a profile.
    pub fn of(profile: Profile) -> Self {
        let quick = Self {
            profile,
            data: DataChoice::Auto,
            losses: COMPARED.to_vec(),
            feature_dims: vec![64],
            seeds: vec![0],
            width: 16,
            validation: 0.1,
            synthetic_tracks: 600,
            data_seed: 0,
            recipe: Recipe {
                epochs: 6,
                batch_size: 64,
                optimizer: OptimizerConfig::AdamW { weight_decay: 1e-2 },
                schedule: Schedule { learning_rate: 3e-3, warm_up_epochs: 0.0, shape: Shape::OneCycle },
                max_grad_norm: Some(5.0),
                sampling: Sampling::Natural,
                augmentation: Augmentation {
                    shift: 0.08,
                    scale: [0.85, 1.15],
                    rotation: 10.0,
                    color: 0.2,
                    ..Augmentation::default()
                },
                early_stopping: None,
                freeze_backbone: false,
            },
        };
        match profile {
            Profile::Quick => quick,
            Profile::Full => Self {
                width: 64,
                feature_dims: vec![64, 512],
                seeds: (0..5).collect(),
                recipe: Recipe { epochs: 60, batch_size: 128, ..quick.recipe },
                ..quick
            },
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] with the name of the option and what it may be.
    pub fn validate(&self) -> Result<(), Error> {
        let at_least_one = |option: &str, value: usize| check(option, "at least 1", value, value > 0);
        self.recipe.validate()?;
        at_least_one("width", self.width)?;
        at_least_one("synthetic-tracks", self.synthetic_tracks)?;
        for &dim in &self.feature_dims {
            at_least_one("feature-dim", dim)?;
        }
        let share = self.validation;
        check("validation", "at least 0 and below 1", share, (0.0..1.0).contains(&share))?;
        unique("losses", &self.losses)?;
        unique("feature-dim", &self.feature_dims)?;
        unique("seeds", &self.seeds)
    }
}

impl fmt::Display for DataChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Gtsrb => "gtsrb",
            Self::Synthetic => "synthetic",
        })
    }
}

impl FromStr for DataChoice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let choices = [Self::Auto, Self::Gtsrb, Self::Synthetic];
        let found = choices.into_iter().find(|choice| choice.to_string() == name);
        found.ok_or_else(|| Error::option("data", "auto, gtsrb or synthetic", name))
    }
}
