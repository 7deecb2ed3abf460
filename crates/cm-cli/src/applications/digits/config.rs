//! Everything that is chosen before the study of digits begins.

use clap::ValueEnum;
use cm_data::{Augmentation, Degradation, Sampling};
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

impl Choices for Config {
    fn of(profile: Profile) -> Self {
        let full = Self {
            plan: Plan {
                profile,
                losses: COMPARED.to_vec(),
                arms: Vec::new(),
                compare_with: Vec::new(),
                feature_dims: vec![64, 2],
                seeds: vec![0],
                width: 32,
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
            },
            data: DataChoice::Auto,
            train_images: 60_000,
            test_images: 10_000,
            degradation: Degradation::Mixed,
            low_quality_fraction: 0.1,
        };
        if profile == Profile::Full {
            return full;
        }
        let recipe = Recipe {
            epochs: 4,
            batch_size: 64,
            optimizer: OptimizerConfig::AdamW { weight_decay: 1e-2 },
            schedule: Schedule { learning_rate: 1.5e-3, warm_up_epochs: 0.0, shape: Shape::OneCycle },
            max_grad_norm: Some(5.0),
            ..full.plan.recipe
        };
        Self {
            plan: Plan { width: 16, recipe, ..full.plan },
            train_images: 15_000,
            test_images: 2_000,
            ..full
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
