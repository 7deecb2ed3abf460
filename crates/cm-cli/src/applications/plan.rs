//! What every study chooses: the losses to compare, and how each network is trained.

use std::{fmt, sync::Arc};

use clap::ValueEnum;
use cm_data::{ImageSet, InputSpec};
use cm_loss_core::Preset;
use cm_models::BackboneConfig;
use cm_record::{DataRecord, Layout, RunKey};
use cm_train::{
    Error,
    model::{CARD_FORMAT, ModelCard, Provenance},
    study::Trial,
    training::{Recipe, at_least_one, check},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    arm::Arm,
    options::{Losses, StudyOptions, set},
};
use crate::session::program;

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
        pair(Preset::CalibratedCmSoftmax, Preset::L2Softmax),
        pair(Preset::CalibratedCmCosFace, Preset::CosFace),
        pair(Preset::CalibratedCmArcFace, Preset::ArcFace),
        pair(Preset::CalibratedCmAdaFace, Preset::AdaFace),
    ]
}

/// A set of choices with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Minutes on two CPU cores
    Quick,
    /// What results are claimed of: all images, many epochs, several seeds; hours
    Full,
}

/// What every study chooses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Where the other values came from, unless they were overridden.
    pub profile: Profile,
    /// Losses to compare.
    pub losses: Vec<Preset>,
    /// Losses with changes, to compare as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<Arm>,
    /// What every loss is compared with; the baseline of the application where it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compare_with: Vec<String>,
    /// Feature dimensions; each loss is trained with each.
    pub feature_dims: Vec<usize>,
    /// Seeds of weights, order and augmentation; each loss is trained with each.
    pub seeds: Vec<u64>,
    /// Channels of the first stage of the network.
    pub width: usize,
    /// Seed of everything random in the data: the same data for every training seed.
    pub data_seed: u64,
    /// How every network is trained.
    pub recipe: Recipe,
}

/// Everything that a study of an application chooses.
pub trait Choices: Clone + Serialize + DeserializeOwned {
    /// The values of a profile.
    fn of(profile: Profile) -> Self;

    /// What every study chooses.
    fn plan(&mut self) -> &mut Plan;

    /// Checks every number.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] or [`Error::StudyKey`], with the name and what it may be.
    fn validate(&self) -> Result<(), Error>;
}

impl Plan {
    /// These losses with one seed, each as it is.
    pub fn new(
        profile: Profile,
        losses: &[Preset],
        feature_dims: &[usize],
        width: usize,
        recipe: Recipe,
    ) -> Self {
        Self {
            profile,
            losses: losses.to_vec(),
            arms: Vec::new(),
            compare_with: Vec::new(),
            feature_dims: feature_dims.to_vec(),
            seeds: vec![0],
            width,
            data_seed: 0,
            recipe,
        }
    }

    /// The values of a profile, with those that were given in their place.
    pub fn with(mut self, options: &StudyOptions) -> Self {
        if let Some(given) = &options.losses {
            self.losses = Losses::listed(given);
            // What is asked for is all that is compared.
            self.arms.clear();
            let names: Vec<&str> = self.losses.iter().map(|loss| loss.name()).collect();
            self.compare_with.retain(|name| names.contains(&name.as_str()));
        }
        set(&mut self.feature_dims, options.feature_dim.as_ref());
        set(&mut self.seeds, options.seeds.as_ref());
        set(&mut self.width, options.width.as_ref());
        set(&mut self.recipe.epochs, options.epochs.as_ref());
        set(&mut self.recipe.batch_size, options.batch_size.as_ref());
        set(&mut self.recipe.schedule.learning_rate, options.learning_rate.as_ref());
        self
    }

    /// Puts the losses, dimensions and seeds of a study that has begun before those that are new here.
    ///
    /// # Errors
    ///
    /// [`Error::StudyKey`] for a loss of the same name that is another one.
    pub fn follow(&mut self, begun: &Self) -> Result<(), Error> {
        fn put_before<T: Clone + PartialEq>(begun: &[T], all: &mut Vec<T>) {
            all.retain(|value| !begun.contains(value));
            all.splice(0..0, begun.iter().cloned());
        }
        for arm in &self.arms {
            let differs = begun.arms.iter().any(|before| before.name == arm.name && before != arm);
            if differs {
                let allowed = "what it was when the study began, or have a name of its own";
                return Err(Error::study_key("an arm", allowed, &arm.name));
            }
        }
        put_before(&begun.losses, &mut self.losses);
        put_before(&begun.arms, &mut self.arms);
        put_before(&begun.feature_dims, &mut self.feature_dims);
        put_before(&begun.seeds, &mut self.seeds);
        Ok(())
    }

    /// Checks every number.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] or [`Error::StudyKey`], with the name and what it may be.
    pub fn validate(&self) -> Result<(), Error> {
        self.recipe.validate()?;
        at_least_one("width", self.width)?;
        for &dim in &self.feature_dims {
            at_least_one("feature-dim", dim)?;
        }
        let names = self.names();
        unique("losses", &names)?;
        for name in &self.compare_with {
            if !names.contains(&name.as_str()) {
                return Err(Error::study_key("compare-with", "names of the losses compared", name));
            }
        }
        for arm in &self.arms {
            arm.head()?;
            arm.augmentation(&self.recipe.augmentation).validate()?;
        }
        unique("feature-dim", &self.feature_dims)?;
        unique("seeds", &self.seeds)
    }

    /// The names of everything that is compared.
    fn names(&self) -> Vec<&str> {
        let presets = self.losses.iter().map(|loss| loss.name());
        presets.chain(self.arms.iter().map(|arm| arm.name.as_str())).collect()
    }

    /// The layout of an application with what is compared here.
    pub fn layout(&self, mut layout: Layout) -> Layout {
        let Some((baseline, others)) = self.compare_with.split_first() else { return layout };
        layout.baseline.clone_from(baseline);
        let names = self.names();
        let against = |other: &String| {
            let pair = |name: &&str| ((*name).to_owned(), other.clone());
            let differ = |name: &&&str| **name != *other && *name != baseline;
            names.iter().filter(differ).map(pair).collect::<Vec<_>>()
        };
        layout.pairs = others.iter().flat_map(against).collect();
        layout
    }

    /// Each loss with a contraction mapping and its counterpart without; a loss with changes and what it is a change of, or that
    /// one's counterpart; every loss and each that all are to be compared with.
    pub fn counterparts(&self) -> Vec<(String, String)> {
        let named = |preset: Preset| preset.name().to_owned();
        let mut all = vec![(named(Preset::CmSoftmax), named(Preset::Softmax))];
        all.extend(pairs());
        let of_arm = |arm: &Arm| {
            let own = named(arm.loss);
            let counterparts: Vec<String> =
                all.iter().filter(|(loss, _)| *loss == own).map(|(_, other)| other.clone()).collect();
            let others = if counterparts.is_empty() { vec![own] } else { counterparts };
            others.into_iter().map(|other| (arm.name.clone(), other)).collect::<Vec<_>>()
        };
        let of_arms: Vec<(String, String)> = self.arms.iter().flat_map(of_arm).collect();
        all.extend(of_arms);
        for other in &self.compare_with {
            let names = self.names().into_iter().filter(|name| name != other);
            let pairs = names.map(|name| (name.to_owned(), other.clone()));
            // Either way round it is one comparison.
            let is_new = |pair: &(String, String)| {
                !all.contains(pair) && !all.contains(&(pair.1.clone(), pair.0.clone()))
            };
            all.extend(pairs.filter(is_new).collect::<Vec<_>>());
        }
        all
    }

    /// Every loss with every dimension and seed.
    pub fn keys(&self) -> Vec<RunKey> {
        let mut keys = Vec::new();
        for &feature_dim in &self.feature_dims {
            for &seed in &self.seeds {
                for name in self.names() {
                    keys.push(RunKey { loss: name.to_owned(), feature_dim, seed, fold: None });
                }
            }
        }
        keys
    }

    /// One training.
    ///
    /// # Errors
    ///
    /// A loss that does not exist.
    pub fn trial(&self, key: &RunKey, backbone: BackboneConfig, images: &Images) -> Result<Trial, Error> {
        let arm = self.arms.iter().find(|arm| arm.name == key.loss);
        let (head, augmentation) = match arm {
            Some(arm) => (arm.head()?, arm.augmentation(&self.recipe.augmentation)),
            None => (key.loss.parse::<Preset>()?.config(), self.recipe.augmentation.clone()),
        };
        let program = program();
        let checksums = &images.record.checksums;
        let of_training = checksums.iter().find(|(name, _)| name.starts_with("train"));
        let card = ModelCard {
            format: CARD_FORMAT,
            backbone,
            feature_dim: key.feature_dim,
            loss: key.loss.clone(),
            head: head.with_seed(key.seed)?,
            classes: images.classes.clone(),
            input: images.input.clone(),
            provenance: Provenance {
                data: images.record.name.clone(),
                checksum: of_training.map(|(_, sum)| sum.clone()).unwrap_or_default(),
                seed: key.seed,
                init: None,
                epochs: 0,
                valid_accuracy: None,
                version: program.version,
                commit: program.commit,
            },
            norms: None,
            quality: None,
        };
        Ok(Trial {
            key: key.clone(),
            card,
            recipe: Recipe { augmentation, ..self.recipe.clone() },
            train: images.train.clone(),
            valid: images.valid.clone(),
            validated: images.validated,
            // The best epoch is not chosen: losses are compared after the same training.
            select_best: false,
            init: None,
            models_on_top: false,
        })
    }
}

/// What the networks of a study learn from.
pub struct Images {
    pub record: DataRecord,
    pub classes: Vec<String>,
    pub input: InputSpec,
    pub train: Arc<dyn ImageSet>,
    /// Images that progress is followed on.
    pub valid: Option<Arc<dyn ImageSet>>,
    /// What they are called.
    pub validated: &'static str,
}

/// Checks that there is at least one value, and none twice.
fn unique<T: PartialEq + fmt::Display>(option: &'static str, values: &[T]) -> Result<(), Error> {
    let list = || values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    check(option, "at least one value", "empty", !values.is_empty())?;
    let repeated = (1..values.len()).any(|i| values[..i].contains(&values[i]));
    check(option, "values that differ", list(), !repeated)
}

#[cfg(test)]
mod tests {
    use cm_train::training::Recipe;

    use super::*;

    #[test]
    fn two_losses_are_compared_once_whatever_all_are_compared_with() {
        let losses = [Preset::Softmax, Preset::CosFace, Preset::CmCosFace, Preset::CalibratedCmCosFace];
        let plan = Plan {
            compare_with: [Preset::Softmax, Preset::CosFace].map(|loss| loss.name().to_owned()).to_vec(),
            ..Plan::new(Profile::Quick, &losses, &[2], 4, Recipe::one_cycle(1, 8, 1e-3, 0.0))
        };
        let names: Vec<&str> = losses.iter().map(|loss| loss.name()).collect();
        let of_these = |(a, b): &&(String, String)| names.contains(&&**a) && names.contains(&&**b);
        let all = plan.counterparts();
        let found: Vec<(&str, &str)> =
            all.iter().filter(of_these).map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let expected = [
            ("CM-CosFace", "CosFace"),
            ("Calibrated-CM-CosFace", "CosFace"),
            ("CosFace", "Softmax"),
            ("CM-CosFace", "Softmax"),
            ("Calibrated-CM-CosFace", "Softmax"),
        ];
        assert_eq!(found, expected);
    }
}
