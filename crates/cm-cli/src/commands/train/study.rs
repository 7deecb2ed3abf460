//! One training on a user's images, as a study of one network.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use cm_data::{Cached, ImageSet, InputSpec, Splits, Subset, measure};
use cm_loss_core::HeadConfig;
use cm_record::{Column, DataRecord, FeatureTable, Headline, Layout, Measurement, RunKey, SplitRecord};
use cm_train::{
    Error,
    classifier::Classifier,
    evaluation::Predictor,
    model::{CARD_FORMAT, ModelCard, Provenance},
    study::{Evaluated, Study, Trial, to_value},
    training::Display,
};
use serde_json::Value;

use super::{APPLICATION, settings::Settings, start};
use crate::{applications::common, commands::images::Images, error::CliError, session::program};

/// A training on a user's images.
pub struct OneTraining {
    settings: Settings,
    record: DataRecord,
    card: ModelCard,
    train: Arc<dyn ImageSet>,
    /// Validation and test images, where there are some.
    tested: BTreeMap<&'static str, Arc<dyn ImageSet>>,
    init: Option<start::Start>,
    described: String,
}

impl OneTraining {
    /// Brings data and settings together: sizes, mean and deviation, class weights. Weights to start from are
    /// read where there is no checkpoint to go on from.
    ///
    /// # Errors
    ///
    /// What does not fit.
    pub fn new(
        settings: Settings,
        images: Images,
        splits: &Splits,
        needs_init: bool,
        display: Display,
    ) -> Result<Self, CliError> {
        let mut input = settings.input(images.usual_size(), images.usual_channels());
        input.validate()?;
        let Images { collection, left_out } = images;
        let classes = collection.classes.clone();
        let mut counts = vec![0; classes.len()];
        splits.train.iter().for_each(|&index| counts[collection.items[index].label as usize] += 1);
        let head = settings.head(&counts)?;
        for warning in head.warnings() {
            eprintln!("warning: {warning}");
        }
        let checksum = collection.checksum()?;
        let split_sum = splits.checksum(&collection);
        let sums: Vec<SplitRecord> = [("train", &splits.train), ("val", &splits.val), ("test", &splits.test)]
            .into_iter()
            .filter(|(_, indices)| !indices.is_empty())
            .map(|(name, indices)| SplitRecord {
                name: name.to_owned(),
                images: indices.len(),
                checksum: None,
            })
            .collect();
        let name = collection.name.clone();
        let groups = collection.groups.len();
        let all: Arc<dyn ImageSet> = Arc::new(Cached::new(
            Arc::new(collection),
            input.clone(),
            settings.run.cache.saturating_mul(1 << 20),
        )?);
        let part =
            |indices: &[usize]| -> Arc<dyn ImageSet> { Arc::new(Subset::new(all.clone(), indices.to_vec())) };
        let train = part(&splits.train);
        if settings.model.mean.is_none() || settings.model.std.is_none() {
            let (mean, std) = measure(train.as_ref(), &input)?;
            input.mean = settings.model.mean.clone().unwrap_or(mean);
            input.std = settings.model.std.clone().unwrap_or(std);
        }
        let mut tested = BTreeMap::new();
        for (name, indices) in [("val", &splits.val), ("test", &splits.test)] {
            if !indices.is_empty() {
                tested.insert(name, part(indices));
            }
        }
        let described = described(&sums, classes.len(), groups, &input);
        let card = card(&settings, &name, &checksum, head, classes, input)?;
        let record = DataRecord {
            name,
            source: "the user's images".to_owned(),
            checksums: [("images and classes".to_owned(), checksum), ("split".to_owned(), split_sum)].into(),
            splits: sums,
            left_out,
            facts: vec![("classes".to_owned(), card.classes.len().to_string())],
        };
        let init = match (&settings.model.init, &settings.model.init_checksum) {
            (Some(file), _) if needs_init => {
                Some(start::Start::read(file, settings.model.init_bgr, &card, display)?)
            }
            (None, Some(sum)) if needs_init => {
                return Err(CliError::Said(format!(
                    "the training began with weights from a file ({sum}), and there is no checkpoint yet to go on from: \
                     name that file by --init"
                )));
            }
            _ => None,
        };
        Ok(Self { settings, record, card, train, tested, init, described })
    }

    /// The data and what is done to them, in a line.
    pub fn describe(&self) -> &str {
        &self.described
    }

    fn key(&self) -> RunKey {
        RunKey {
            loss: self.card.loss.clone(),
            feature_dim: self.card.feature_dim,
            seed: self.settings.training.seed,
            fold: None,
        }
    }
}

fn described(splits: &[SplitRecord], classes: usize, groups: usize, input: &InputSpec) -> String {
    let parts: Vec<String> = splits.iter().map(|split| format!("{} {}", split.images, split.name)).collect();
    let groups = if groups > 0 { format!(" in {groups} groups") } else { String::new() };
    format!(
        "{} images of {classes} classes{groups}, brought to {} x {} {}",
        parts.join(" + "),
        input.width,
        input.height,
        match input.channels {
            1 => "gray".to_owned(),
            3 => "color".to_owned(),
            slices => format!("in {slices} slices"),
        }
    )
}

fn card(
    settings: &Settings,
    data: &str,
    checksum: &str,
    head: HeadConfig,
    classes: Vec<String>,
    input: InputSpec,
) -> Result<ModelCard, CliError> {
    let program = program();
    let init = settings.model.init.as_deref().and_then(Path::file_name);
    Ok(ModelCard {
        format: CARD_FORMAT,
        backbone: settings.backbone([input.width, input.height])?,
        feature_dim: settings.model.feature_dim,
        loss: settings.loss_name(),
        head,
        classes,
        input,
        provenance: Provenance {
            data: data.to_owned(),
            checksum: checksum.to_owned(),
            seed: settings.training.seed,
            init: init.map(|name| name.to_string_lossy().into_owned()),
            epochs: 0,
            valid_accuracy: None,
            version: program.version,
            commit: program.commit,
        },
        norms: None,
        quality: None,
    })
}

/// What a resumed training must keep.
///
/// # Errors
///
/// A value that JSON has no form for.
pub fn recorded(settings: &Settings) -> Result<Value, Error> {
    let mut value = to_value(settings)?;
    if let Some(all) = value.as_object_mut() {
        all.remove("run");
        // Places are no choices, and whether bad files stop it is seen each time.
        all["model"].as_object_mut().map(|model| model.remove("init"));
        all["data"].as_object_mut().map(|data| data.remove("skip-bad"));
    }
    Ok(value)
}

impl Study for OneTraining {
    fn application(&self) -> &'static str {
        APPLICATION
    }

    fn settings(&self) -> Result<Value, Error> {
        recorded(&self.settings)
    }

    fn data(&self) -> DataRecord {
        self.record.clone()
    }

    fn layout(&self) -> Layout {
        let part = |name: &str| if name == "val" { "validation" } else { "test" };
        let headline = |name: &&'static str| {
            Headline::new("accuracy", format!("split={name}"), format!("on the {} images", part(name)))
        };
        let column = |name: &&'static str| Column::percent("accuracy", &format!("split={name}"), part(name));
        Layout {
            baseline: self.card.loss.clone(),
            headlines: self.tested.keys().map(headline).collect(),
            columns: self.tested.keys().map(column).collect(),
            notes: vec!["Accuracy in percent, of the model of the best epoch.".to_owned()],
            ..Layout::default()
        }
    }

    fn keys(&self) -> Vec<RunKey> {
        vec![self.key()]
    }

    fn trial(&self, key: &RunKey) -> Result<Trial, Error> {
        Ok(Trial {
            key: key.clone(),
            card: self.card.clone(),
            recipe: self.settings.recipe(),
            train: self.train.clone(),
            valid: self.tested.get("val").cloned(),
            validated: "validation",
            select_best: true,
            init: self.init.as_ref().map(start::Start::apply),
            models_on_top: true,
        })
    }

    fn test_images(&self) -> usize {
        self.tested.values().map(|set| set.len()).sum()
    }

    fn evaluate(
        &self,
        network: &Classifier,
        _trial: &Trial,
        predictor: &Predictor<'_>,
    ) -> Result<Option<Evaluated>, Error> {
        let mut measurements: Vec<Measurement> = Vec::new();
        let mut rows = Vec::new();
        let mut norms = Vec::new();
        for (name, set) in &self.tested {
            let Some(predictions) = predictor.predict(network, set.clone())? else { return Ok(None) };
            let of: Vec<_> = predictions.iter().collect();
            measurements.extend(common::stratum_measurements(&format!("split={name}"), &of));
            norms.extend(predictions.iter().map(|prediction| prediction.norm));
            rows.extend(predictions.iter().map(|p| common::feature_row(p, vec![(*name).to_owned()])));
        }
        let features = FeatureTable { stratifications: vec!["split".to_owned()], rows };
        Ok(Some(common::evaluated(network, &norms, predictor.device, measurements, features)))
    }

    fn report(&self, folder: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        common::draw_report(folder, |_| Ok(Vec::new()))
    }
}
