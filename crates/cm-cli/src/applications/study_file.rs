//! A study of your own, as a file.

use cm_loss_core::Preset;
use cm_train::Error;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    arm::{Arm, changed},
    options::set,
    plan::{Choices, Plan, Profile},
};

/// What `cm study` reads: losses to compare on data of known quality.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct StudyFile {
    /// `digits`, `signs`, `nodules` or `faces`.
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
    /// Whatever else is chosen, named as `config.json` of the study has it.
    pub settings: Map<String, Value>,
}

impl StudyFile {
    /// The choices of an application, those of a profile or of a study that has begun, with what is given here.
    ///
    /// # Errors
    ///
    /// [`Error::StudyKey`] for settings that the application does not have.
    pub fn over<C: Choices>(&self, config: C) -> Result<C, Error> {
        let mut config = changed(config, &self.settings)
            .map_err(|error| Error::study_key("settings", "what config.json of a study has", error))?;
        self.fill(config.plan());
        Ok(config)
    }

    fn fill(&self, plan: &mut Plan) {
        set(&mut plan.profile, self.profile.as_ref());
        plan.losses.clone_from(&self.losses);
        plan.arms.clone_from(&self.arms);
        plan.compare_with.clone_from(&self.compare_with);
        set(&mut plan.feature_dims, self.feature_dims.as_ref());
        set(&mut plan.seeds, self.seeds.as_ref());
        set(&mut plan.width, self.width.as_ref());
        set(&mut plan.recipe.epochs, self.epochs.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::{
        applications::{digits, faces, nodules, signs},
        files::read_toml,
    };

    fn checked<C: Choices>(file: &StudyFile) -> Result<(), Error> {
        file.over(C::of(file.profile.unwrap_or(Profile::Quick)))?.validate()
    }

    #[test]
    fn the_recipes_of_the_examples_are_studies() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/recipes");
        if !folder.join("../../Cargo.lock").is_file() {
            println!("skipped: {} is not a part of the package alone", folder.display());
            return;
        }
        let entries = fs::read_dir(&folder).expect("the recipes are there");
        let paths = entries.map(|entry| entry.expect("the folder is listed").path());
        let is_study = |path: &std::path::PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("study-"))
        };
        let paths: Vec<_> = paths.filter(is_study).collect();
        assert!(!paths.is_empty(), "{} is empty", folder.display());
        for path in paths {
            let file: StudyFile = read_toml(&path).unwrap_or_else(|error| panic!("{error}"));
            let checked = match file.application.as_str() {
                digits::APPLICATION => checked::<digits::config::Config>(&file),
                signs::APPLICATION => checked::<signs::config::Config>(&file),
                nodules::APPLICATION => checked::<nodules::config::Config>(&file),
                faces::APPLICATION => checked::<faces::config::Config>(&file),
                other => panic!("{}: {other} is no application", path.display()),
            };
            checked.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}
