//! A study of one's own, as a file.

use cm_loss_core::Preset;
use serde::Deserialize;

use super::{
    arm::Arm,
    options::set,
    plan::{Plan, Profile},
};

/// What `cm study` reads: losses to compare on data of known quality.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct StudyFile {
    /// `digits` or `signs`.
    pub application: String,
    /// Where what is not given comes from.
    pub profile: Option<Profile>,
    /// Losses as they are.
    pub losses: Vec<Preset>,
    /// Losses with changes.
    #[serde(rename = "arm")]
    pub arms: Vec<Arm>,
    /// The names of the losses that all others are compared with.
    pub compare_with: Vec<String>,
    /// Feature dimensions.
    pub feature_dims: Option<Vec<usize>>,
    /// Seeds.
    pub seeds: Option<Vec<u64>>,
    /// Passes over the training images.
    pub epochs: Option<usize>,
    /// Channels of the first stage of the network.
    pub width: Option<usize>,
}

impl StudyFile {
    /// The plan of a profile with what is given here.
    pub fn plan(&self, of_profile: Plan) -> Plan {
        let mut plan = Plan {
            losses: self.losses.clone(),
            arms: self.arms.clone(),
            compare_with: self.compare_with.clone(),
            ..of_profile
        };
        set(&mut plan.feature_dims, self.feature_dims.as_ref());
        set(&mut plan.seeds, self.seeds.as_ref());
        set(&mut plan.width, self.width.as_ref());
        set(&mut plan.recipe.epochs, self.epochs.as_ref());
        plan
    }
}
