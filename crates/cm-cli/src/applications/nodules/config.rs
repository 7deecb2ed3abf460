//! Everything that is chosen before the study of nodules begins.

use clap::ValueEnum;
use cm_data::Augmentation;
use cm_loss_core::Preset;
use cm_models::Pooling;
use cm_train::{
    Error,
    evaluation::Views,
    training::{Recipe, at_least_one, check},
};
use serde::{Deserialize, Serialize};

use super::{
    nodule::LabelRule,
    pixels::{Gray, Pixels},
};
use crate::applications::{
    arm::Arm,
    plan::{COMPARED, Choices, Plan, Profile},
};

/// Which nodules to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum DataChoice {
    /// Those that are on the machine, or synthetic nodules where there are none.
    Auto,
    /// Those of LIDC-IDRI, or others in the same form, or nothing.
    Lidc,
    /// Synthetic nodules.
    Synthetic,
}

/// A study of nodules, as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every study chooses.
    pub plan: Plan,
    /// Which nodules.
    pub data: DataChoice,
    /// Which of them are benign and which malignant.
    pub label: LabelRule,
    /// How patches become images.
    pub pixels: Pixels,
    /// Parts that the patients are divided into, one of which each network is tested on.
    pub folds: usize,
    /// How many of the folds are tested on, the first ones.
    pub tested_folds: usize,
    /// Share of the other patients that progress is followed on, and choices are made by.
    pub validation: f64,
    /// Residual blocks in each stage of the network.
    pub blocks: usize,
    /// What stands before its linear layer.
    pub pooling: Pooling,
    /// Whether its features pass through batch norm, which keeps their norms where a contraction mapping still rises.
    pub feature_norm: bool,
    /// What a network looks at of an image that it is tested on.
    pub views: Views,
    /// Patients that synthetic nodules are drawn of.
    pub synthetic_patients: usize,
}

impl Choices for Config {
    fn of(profile: Profile) -> Self {
        let augmentation = Augmentation {
            flip: true,
            vertical_flip: true,
            transpose: true,
            rotation: 45.0,
            shift: 0.06,
            scale: [0.9, 1.1],
            ..Augmentation::default()
        };
        let recipe = Recipe { augmentation, ..Recipe::one_cycle(20, 32, 2e-3, 5e-2) };
        let quick = Plan {
            arms: vec![Arm::compensated(Preset::CmSoftmax)],
            ..Plan::new(profile, &COMPARED, &[16], 16, recipe)
        };
        let (plan, tested_folds) = match profile {
            Profile::Quick => (quick, 2),
            Profile::Full => {
                (Plan { seeds: (0..3).collect(), recipe: Recipe { epochs: 30, ..quick.recipe }, ..quick }, 5)
            }
        };
        Self {
            plan,
            data: DataChoice::Auto,
            label: LabelRule { min_raters: 1, undecided: [3.0, 3.0] },
            pixels: Pixels { gray: Gray::Window(Pixels::CHEST), field_of_view: Some(32.0), size: 32 },
            folds: 5,
            tested_folds,
            validation: 0.1,
            blocks: 1,
            // A nodule is always in the middle; around it there is much that looks like one.
            pooling: Pooling::None,
            feature_norm: true,
            views: Views::Symmetries,
            synthetic_patients: 300,
        }
    }

    fn plan(&mut self) -> &mut Plan {
        &mut self.plan
    }

    fn validate(&self) -> Result<(), Error> {
        self.plan.validate()?;
        self.pixels.validate()?;
        at_least_one("synthetic-patients", self.synthetic_patients)?;
        at_least_one("blocks", self.blocks)?;
        at_least_one("min-raters", self.label.min_raters)?;
        let [low, high] = self.label.undecided;
        let ratings = 1.0..=5.0;
        let in_order = ratings.contains(&low) && ratings.contains(&high) && low <= high;
        check(
            "undecided",
            "two mean ratings from 1 to 5, the lower one first",
            format!("{low},{high}"),
            in_order,
        )?;
        check("folds", "from 2 to 20", self.folds, (2..=20).contains(&self.folds))?;
        let tested = self.tested_folds;
        check("tested-folds", "from 1 to the number of folds", tested, (1..=self.folds).contains(&tested))?;
        let share = self.validation;
        check("validation", "above 0 and below 1", share, share > 0.0 && share < 1.0)
    }
}
