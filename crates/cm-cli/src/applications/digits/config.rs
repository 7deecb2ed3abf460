//! Everything that is chosen before the study of digits begins.

use clap::ValueEnum;
use cm_data::Degradation;
use cm_train::{
    Error,
    training::{OptimizerConfig, Recipe, Schedule, Shape, at_least_one, check},
};
use serde::{Deserialize, Serialize};

use crate::applications::plan::{COMPARED, Choices, Plan, Profile};

/// Which digits to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
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
    /// What every study chooses.
    pub plan: Plan,
    /// Which digits.
    pub data: DataChoice,
    /// Images to train on, spread evenly over the training set.
    pub train_images: usize,
    /// Images to test on, spread evenly over the test set.
    pub test_images: usize,
    /// What spoils the low-quality images.
    pub degradation: Degradation,
    /// Share of training images with a severity of 1 to 4.
    pub low_quality_fraction: f64,
}

/// How the method's authors train on digits.
fn authors() -> Recipe {
    Recipe {
        optimizer: OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 5e-4 },
        schedule: Schedule {
            learning_rate: 1e-3,
            warm_up_epochs: 0.0,
            shape: Shape::Step { epochs: 20, factor: 0.8 },
        },
        max_grad_norm: None,
        ..Recipe::one_cycle(100, 128, 1e-3, 0.0)
    }
}

impl Choices for Config {
    fn of(profile: Profile) -> Self {
        let quick = Recipe::one_cycle(4, 64, 1.5e-3, 1e-2);
        let (width, recipe, [train_images, test_images]) = match profile {
            Profile::Quick => (16, quick, [15_000, 2_000]),
            Profile::Full => (32, authors(), [60_000, 10_000]),
        };
        Self {
            plan: Plan::new(profile, &COMPARED, &[64, 2], width, recipe),
            data: DataChoice::Auto,
            train_images,
            test_images,
            degradation: Degradation::Mixed,
            low_quality_fraction: 0.1,
        }
    }

    fn plan(&mut self) -> &mut Plan {
        &mut self.plan
    }

    fn validate(&self) -> Result<(), Error> {
        self.plan.validate()?;
        at_least_one("train-images", self.train_images)?;
        at_least_one("test-images", self.test_images)?;
        let fraction = self.low_quality_fraction;
        check("low-quality-fraction", "from 0 to 1", fraction, (0.0..=1.0).contains(&fraction))
    }
}

impl Config {
    /// The test images are spoilt with other random numbers than the training images.
    pub fn test_seed(&self) -> u64 {
        self.plan.data_seed.wrapping_add(1)
    }
}
