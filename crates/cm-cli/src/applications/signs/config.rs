//! Everything that is chosen before the study of signs begins.

use clap::ValueEnum;
use cm_data::{Augmentation, Sampling};
use cm_train::{
    Error,
    training::{OptimizerConfig, Recipe, Schedule, Shape, at_least_one, check},
};
use serde::{Deserialize, Serialize};

use crate::applications::plan::{COMPARED, Choices, Plan, Profile};

/// Which signs to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
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
    /// What every study chooses.
    pub plan: Plan,
    /// Which signs.
    pub data: DataChoice,
    /// Share of the tracks that progress is followed on.
    pub validation: f64,
    /// Tracks of synthetic signs to train on.
    pub synthetic_tracks: usize,
}

impl Choices for Config {
    fn of(profile: Profile) -> Self {
        let quick = Plan {
            profile,
            losses: COMPARED.to_vec(),
            arms: Vec::new(),
            compare_with: Vec::new(),
            feature_dims: vec![64],
            seeds: vec![0],
            width: 12,
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
        let plan = match profile {
            Profile::Quick => quick,
            Profile::Full => Plan {
                width: 32,
                seeds: (0..5).collect(),
                recipe: Recipe { epochs: 60, batch_size: 128, ..quick.recipe },
                ..quick
            },
        };
        Self { plan, data: DataChoice::Auto, validation: 0.1, synthetic_tracks: 600 }
    }

    fn plan(&mut self) -> &mut Plan {
        &mut self.plan
    }

    fn validate(&self) -> Result<(), Error> {
        self.plan.validate()?;
        at_least_one("synthetic-tracks", self.synthetic_tracks)?;
        let share = self.validation;
        check("validation", "at least 0 and below 1", share, (0.0..1.0).contains(&share))
    }
}
