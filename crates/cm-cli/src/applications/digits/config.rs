//! Everything that is chosen before the study of digits begins.

use std::{fmt, str::FromStr};

use cm_data::{Augmentation, Degradation, Sampling};
use cm_loss_core::Preset;
use cm_train::{
    Error,
    training::{OptimizerConfig, Recipe, Schedule, Shape, check},
};
use serde::{Deserialize, Serialize};

use crate::applications::common::{COMPARED, Profile, unique};

/// Which digits to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataChoice {
    /// MNIST, or synthetic digits where it is not on the machine and cannot be downloaded.
    Auto,
    /// MNIST or nothing.
    Mnist,
    /// Synthetic digits.
    Synthetic,
}

/// A study of digits, as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the other values came from, unless they were overridden.
    pub profile: Profile,
    /// Which digits.
    pub data: DataChoice,
    /// Losses to compare.
    pub losses: Vec<Preset>,
    /// Feature dimensions; each loss is trained with each.
    pub feature_dims: Vec<usize>,
    /// Seeds of weights and order; each loss is trained with each.
    pub seeds: Vec<u64>,
    /// Channels of the first stage of LeNet++.
    pub width: usize,
    /// Images to train on, spread evenly over the training set.
    pub train_images: usize,
    /// Images to test on, spread evenly over the test set.
    pub test_images: usize,
    /// What spoils the low-quality images.
    pub degradation: Degradation,
    /// Share of training images with a severity of 1 to 4.
    pub low_quality_fraction: f64,
    /// Seed of the degradations and of the synthetic digits: the same data for every training seed.
    pub data_seed: u64,
    /// How every network is trained.
    pub recipe: Recipe,
}

impl Config {
    /// The values of a profile.
    pub fn of(profile: Profile) -> Self {
        let full = Self {
            profile,
            data: DataChoice::Auto,
            losses: COMPARED.to_vec(),
            feature_dims: vec![64, 2],
            seeds: vec![0],
            width: 32,
            train_images: 60_000,
            test_images: 10_000,
            degradation: Degradation::Mixed,
            low_quality_fraction: 0.1,
            data_seed: 0,
            recipe: Recipe {
                epochs: 100,
                batch_size: 128,
                optimizer: OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 5e-4 },
                schedule: Schedule {
                    learning_rate: 1e-3,
                    warm_up_epochs: 0.0,
                    shape: Shape::Step { epochs: 20, factor: 0.8 },
                },
                max_grad_norm: None,
                sampling: Sampling::Natural,
                augmentation: Augmentation::default(),
                early_stopping: None,
                freeze_backbone: false,
            },
        };
        match profile {
            Profile::Full => full,
            Profile::Quick => Self {
                width: 16,
                train_images: 15_000,
                test_images: 2_000,
                recipe: Recipe {
                    epochs: 4,
                    batch_size: 64,
                    optimizer: OptimizerConfig::AdamW { weight_decay: 1e-2 },
                    schedule: Schedule { learning_rate: 1.5e-3, warm_up_epochs: 0.0, shape: Shape::OneCycle },
                    max_grad_norm: Some(5.0),
                    ..full.recipe
                },
                ..full
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
        at_least_one("train-images", self.train_images)?;
        at_least_one("test-images", self.test_images)?;
        for &dim in &self.feature_dims {
            at_least_one("feature-dim", dim)?;
        }
        let fraction = self.low_quality_fraction;
        check("low-quality-fraction", "from 0 to 1", fraction, (0.0..=1.0).contains(&fraction))?;
        unique("losses", &self.losses)?;
        unique("feature-dim", &self.feature_dims)?;
        unique("seeds", &self.seeds)
    }
}

impl fmt::Display for DataChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Mnist => "mnist",
            Self::Synthetic => "synthetic",
        })
    }
}

impl FromStr for DataChoice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let choices = [Self::Auto, Self::Mnist, Self::Synthetic];
        let found = choices.into_iter().find(|choice| choice.to_string() == name);
        found.ok_or_else(|| Error::option("data", "auto, mnist or synthetic", name))
    }
}
