//! Everything that is chosen before the study of signs begins.

use clap::ValueEnum;
use cm_data::Augmentation;
use cm_train::{
    Error,
    training::{Recipe, at_least_one, check},
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
        let augmentation = Augmentation {
            shift: 0.08,
            scale: [0.85, 1.15],
            rotation: 10.0,
            color: 0.2,
            ..Augmentation::default()
        };
        let recipe = Recipe { augmentation, ..Recipe::one_cycle(6, 64, 3e-3, 1e-2) };
        let quick = Plan::new(profile, &COMPARED, &[64], 12, recipe);
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
