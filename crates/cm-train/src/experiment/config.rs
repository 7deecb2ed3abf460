//! Everything that is chosen before an experiment begins.

use std::{fmt, str::FromStr};

use cm_loss_core::Preset;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    data::{DataChoice, Degradation},
    training::{OptimizerConfig, Recipe, Schedule, Shape},
};

/// The losses that are compared unless others are asked for: those of the method's authors.
pub const COMPARED: [Preset; 5] =
    [Preset::Softmax, Preset::L2Softmax, Preset::CmSoftmax, Preset::CosFace, Preset::CmCosFace];

/// A set of choices with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Minutes on two CPU cores.
    Quick,
    /// The recipe of the method's authors, on all training images; for a GPU.
    Full,
}

/// An experiment on digits, as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExperimentConfig {
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

impl Profile {
    /// The values of this profile.
    pub fn config(self) -> ExperimentConfig {
        let common = ExperimentConfig {
            profile: self,
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
            },
        };
        match self {
            Self::Full => common,
            Self::Quick => ExperimentConfig {
                width: 16,
                train_images: 15_000,
                test_images: 2_000,
                recipe: Recipe {
                    epochs: 4,
                    batch_size: 64,
                    optimizer: OptimizerConfig::AdamW { weight_decay: 1e-2 },
                    schedule: Schedule { learning_rate: 1.5e-3, warm_up_epochs: 0.0, shape: Shape::OneCycle },
                    max_grad_norm: Some(5.0),
                },
                ..common
            },
        }
    }
}

impl ExperimentConfig {
    /// Checks every number.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] with the name of the option and what it may be.
    pub fn validate(&self) -> Result<(), Error> {
        let at_least_one = |option, value: usize| check(option, "at least 1", value, value > 0);
        at_least_one("epochs", self.recipe.epochs)?;
        at_least_one("batch-size", self.recipe.batch_size)?;
        at_least_one("width", self.width)?;
        at_least_one("train-images", self.train_images)?;
        at_least_one("test-images", self.test_images)?;
        for &dim in &self.feature_dims {
            at_least_one("feature-dim", dim)?;
        }
        let rate = self.recipe.schedule.learning_rate;
        check("learning-rate", "a number above 0", rate, rate.is_finite() && rate > 0.0)?;
        let fraction = self.low_quality_fraction;
        check("low-quality-fraction", "from 0 to 1", fraction, (0.0..=1.0).contains(&fraction))?;
        unique("losses", &self.losses)?;
        unique("feature-dim", &self.feature_dims)?;
        unique("seeds", &self.seeds)
    }

    /// Number of networks to train.
    pub fn runs(&self) -> usize {
        self.losses.len() * self.feature_dims.len() * self.seeds.len()
    }
}

fn check(option: &'static str, allowed: &str, value: impl fmt::Display, valid: bool) -> Result<(), Error> {
    if valid {
        return Ok(());
    }
    Err(Error::Option { option, allowed: allowed.to_owned(), value: value.to_string() })
}

fn unique<T: PartialEq + fmt::Display>(option: &'static str, values: &[T]) -> Result<(), Error> {
    let list = || values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    check(option, "at least one value", "empty", !values.is_empty())?;
    let repeated = (1..values.len()).any(|i| values[..i].contains(&values[i]));
    check(option, "values that differ", list(), !repeated)
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
            _ => Err(Error::Option {
                option: "profile",
                allowed: "quick or full".to_owned(),
                value: name.to_owned(),
            }),
        }
    }
}
