//! Networks to train on nodules, and how to test them.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use cm_data::{ImageSet, InputSpec, MemorySet, Resize};
use cm_loss_core::Preset;
use cm_models::{BackboneConfig, CifarResNetConfig};
use cm_record::{Column, DataRecord, FeatureTable, Headline, Layout, Measurement, Pooled, Results, RunKey};
use cm_train::{
    Error,
    classifier::Classifier,
    evaluation::Predictor,
    study::{Evaluated, Study, Trial, to_value},
};
use serde_json::Value;

use super::{
    APPLICATION,
    config::{Config, DataChoice},
    evaluation::{self, DIVISIONS, Scored},
    folds::{self, Fold},
    list,
    nodule::{CLASSES, LeftOut, Nodule},
    pooled, report,
    source::{self, Nodules},
    synthetic,
};
use crate::{
    applications::{
        common::{self, Drawn},
        compared::saturated,
        plan::{Images, pairs},
        start::{Application, Origin, Search, facts},
    },
    error::CliError,
};

/// Nodules with a class, in folds, and what to do with them.
pub struct NoduleStudy {
    config: Config,
    record: DataRecord,
    pub(super) nodules: Vec<Nodule>,
    pub(super) labels: Vec<u32>,
    /// The number of the patient of each nodule.
    pub(super) patients: Vec<u32>,
    pub(super) folds: Vec<Fold>,
    images: Arc<dyn ImageSet>,
    at_severity: Vec<Arc<dyn ImageSet>>,
    /// Mean and deviation of the training images of each fold.
    inputs: Vec<InputSpec>,
}

impl NoduleStudy {
    /// Leaves out what has no class, makes images and folds.
    ///
    /// # Errors
    ///
    /// Folds that cannot be had of these nodules.
    pub fn new(config: Config, found: Nodules) -> Result<Self, CliError> {
        let mut left_out: BTreeMap<LeftOut, usize> = BTreeMap::new();
        let (mut nodules, mut labels) = (Vec::new(), Vec::new());
        for nodule in found.nodules {
            match nodule.label(&config.label) {
                Ok(label) => {
                    nodules.push(nodule);
                    labels.push(label);
                }
                Err(reason) => *left_out.entry(reason).or_default() += 1,
            }
        }
        let names: Vec<&str> = nodules.iter().map(|nodule| &*nodule.patient).collect();
        let seed = config.plan.data_seed;
        let folds = folds::made(&names, &labels, config.folds, config.validation, seed)?;
        let patients = folds::numbered(&names);
        let set = MemorySet {
            images: config.pixels.images(&nodules),
            labels: labels.clone(),
            names: nodules.iter().map(|nodule| nodule.name.clone()).collect(),
        };
        refuse_flat(&set.images, &found.origin.place)?;
        let at_severity = evaluation::degraded(&set, seed);
        let images: Arc<dyn ImageSet> = Arc::new(set);
        let size = config.pixels.size;
        let input = |fold: &Fold| -> Result<InputSpec, CliError> {
            let mut input = InputSpec {
                width: size,
                height: size,
                channels: 1,
                region: None,
                resize: Resize::None,
                mean: vec![0.0],
                std: vec![1.0],
            };
            (input.mean, input.std) = cm_data::measure(folds::part(&images, &fold.train).as_ref(), &input)?;
            Ok(input)
        };
        let inputs = folds.iter().map(input).collect::<Result<_, _>>()?;
        let class = |class: u32| labels.iter().filter(|&&label| label == class).count();
        let count = |reason| left_out.get(&reason).copied().unwrap_or(0).to_string();
        let last = patients.iter().max().map_or(0, |&last| last + 1);
        let facts = [
            ("benign", class(0).to_string()),
            ("malignant", class(1).to_string()),
            ("patients", last.to_string()),
            ("left out as undecided", count(LeftOut::Undecided)),
            ("left out as marked by few radiologists", count(LeftOut::FewRaters)),
            ("left out as duplicates", found.duplicates.to_string()),
            ("with a guessed intercept", found.guessed.to_string()),
        ];
        let split = |(number, fold): (usize, &Fold)| (format!("fold {number}"), fold.test.len());
        let splits = folds.iter().enumerate().map(split).collect();
        let facts = facts.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let record = found.origin.record(splits, facts);
        Ok(Self { config, record, nodules, labels, patients, folds, images, at_severity, inputs })
    }

    /// The number of the fold that each nodule is tested in, if it is one of those tested.
    pub(super) fn fold_of(&self, nodule: usize) -> Option<usize> {
        self.tested().iter().position(|fold| fold.test.binary_search(&nodule).is_ok())
    }

    pub(super) fn fold(&self, key: &RunKey) -> &Fold {
        &self.folds[key.fold.unwrap_or(0)]
    }

    pub(super) fn pairs_to_test(&self) -> Vec<(String, String)> {
        self.config.plan.counterparts()
    }

    /// The folds that are tested on.
    pub(super) fn tested(&self) -> &[Fold] {
        &self.folds[..self.config.tested_folds]
    }

    /// An image of a nodule as networks see it.
    pub(super) fn image(&self, nodule: usize) -> Result<Arc<cm_data::Image>, cm_data::DataError> {
        self.images.image(nodule)
    }
}

/// Images of one gray level tell nothing of nodules, and a network would learn from them how common the classes are.
fn refuse_flat(images: &[Arc<cm_data::Image>], place: &str) -> Result<(), CliError> {
    /// Less than a twentieth of all gray levels.
    const LEVELS: u8 = 12;
    let is_flat = |image: &&Arc<cm_data::Image>| {
        let (lowest, highest) = (image.pixels.iter().min(), image.pixels.iter().max());
        lowest.zip(highest).is_none_or(|(lowest, highest)| highest - lowest < LEVELS)
    };
    let flat = images.iter().filter(is_flat).count();
    if 2 * flat <= images.len() {
        return Ok(());
    }
    Err(CliError::Said(format!(
        "{flat} of {} images of {place} have hardly more than one gray level: the values are no Hounsfield units, or the window has none \
         of them; take --standardize, or another --window-level and --window-width",
        images.len()
    )))
}

impl Application for NoduleStudy {
    const NAME: &'static str = APPLICATION;
    type Config = Config;
    type Data = Nodules;

    fn load(config: &Config, search: &Search<'_>) -> Result<Nodules, CliError> {
        source::load(config.data, config.synthetic_patients, config.plan.data_seed, search)
    }

    fn settle(config: &mut Config, found: &Origin) {
        config.data = if found.name == synthetic::NAME { DataChoice::Synthetic } else { DataChoice::Lidc };
    }

    fn of(config: Config, data: Nodules) -> Result<Self, CliError> {
        Self::new(config, data)
    }

    fn told(&self) -> Option<String> {
        Some(facts(&self.record))
    }
}

impl Study for NoduleStudy {
    fn application(&self) -> &'static str {
        APPLICATION
    }

    fn settings(&self) -> Result<Value, Error> {
        to_value(&self.config)
    }

    fn data(&self) -> DataRecord {
        self.record.clone()
    }

    fn layout(&self) -> Layout {
        self.config.plan.layout(layout())
    }

    fn keys(&self) -> Vec<RunKey> {
        let of_fold = |fold: usize| {
            self.config.plan.keys().into_iter().map(move |key| RunKey { fold: Some(fold), ..key })
        };
        (0..self.config.tested_folds).flat_map(of_fold).collect()
    }

    fn trial(&self, key: &RunKey) -> Result<Trial, Error> {
        let plan = &self.config.plan;
        let fold = self.fold(key);
        let images = Images {
            record: self.record.clone(),
            classes: CLASSES.map(str::to_owned).to_vec(),
            input: self.inputs[key.fold.unwrap_or(0)].clone(),
            train: folds::part(&self.images, &fold.train),
            valid: Some(folds::part(&self.images, &fold.valid)),
            validated: "validation",
        };
        let Config { blocks, pooling, feature_norm, .. } = self.config;
        let width = plan.width;
        let backbone =
            BackboneConfig::CifarResNet(CifarResNetConfig { width, blocks, pooling, feature_norm });
        plan.trial(key, backbone, &images)
    }

    fn test_images(&self) -> usize {
        let largest =
            self.tested().iter().map(|fold| fold.test.len() * self.at_severity.len() + fold.valid.len());
        largest.max().unwrap_or(0)
    }

    fn evaluate(
        &self,
        network: &Classifier,
        trial: &Trial,
        predictor: &Predictor<'_>,
    ) -> Result<Option<Evaluated>, Error> {
        let fold = self.fold(&trial.key);
        let predictor = &Predictor { views: self.config.views, ..*predictor };
        let scores = |set: &Arc<dyn ImageSet>, nodules: &[usize]| {
            evaluation::scored(network, folds::part(set, nodules), nodules, predictor)
        };
        let mut at_severity: Vec<Vec<Scored>> = Vec::new();
        for set in &self.at_severity {
            let Some(scored) = scores(set, &fold.test)? else { return Ok(None) };
            at_severity.push(scored);
        }
        let Some(valid) = scores(&self.images, &fold.valid)? else { return Ok(None) };
        let mut measurements = evaluation::measurements(&at_severity, &self.nodules, &self.patients);
        // What settings are chosen by, so that no network is chosen by its own test images.
        let logits: Vec<f64> = valid.iter().map(|scored| f64::from(scored.logit)).collect();
        let positive: Vec<bool> = valid.iter().map(|scored| scored.label == 1).collect();
        measurements.push(Measurement::new("valid_auc", "", cm_eval::auc(&logits, &positive), valid.len()));
        let norms: Vec<f32> = at_severity[0].iter().map(|scored| scored.norm).collect();
        let rows = at_severity.iter().enumerate().flat_map(|(severity, scored)| {
            scored.iter().map(move |scored| evaluation::row(scored, &self.nodules[scored.nodule], severity))
        });
        let names = DIVISIONS.iter().map(|division| division.name).chain([evaluation::SEVERITY]);
        let features =
            FeatureTable { stratifications: names.map(str::to_owned).collect(), rows: rows.collect() };
        Ok(Some(common::evaluated(network, &norms, predictor.device, measurements, features)))
    }

    fn pooled(&self, folder: &Path, results: &Results) -> Result<Option<Pooled>, Error> {
        let scores = pooled::scores(folder, results)?;
        let mut pooled = pooled::pooled(self, &scores);
        pooled.notes.extend(saturated(results));
        Ok(Some(pooled))
    }

    fn report(&self, folder: &Path) -> Drawn<()> {
        list::write(self, folder)?;
        common::draw_report(folder, |results| report::draw(self, results, &pooled::scores(folder, results)?))
    }
}

/// How tables and pictures show nodules.
fn layout() -> Layout {
    Layout {
        baseline: Preset::Softmax.name().to_owned(),
        pairs: pairs(),
        headlines: vec![
            Headline::new("accuracy", "", "on the nodules of the test folds"),
            Headline::new("auc", "", "on the nodules of the test folds"),
            Headline::new("accuracy", "subtlety=1–2.9", "on nodules that are hard to see (subtlety below 3)"),
        ],
        stratifications: evaluation::stratifications(),
        columns: vec![
            Column::percent("auc", "", "AUC"),
            Column::percent("sensitivity", "", "sensitivity"),
            Column::percent("specificity", "", "specificity"),
            Column::percent("calibration_error", "", "calibration\nerror"),
            Column::number("spearman_norm_subtlety", "", "ρ (norm,\nsubtlety)"),
            Column::number("spearman_norm_subtlety_within", "", "the same,\nin classes"),
            Column::number("spearman_norm_agreement", "", "ρ (norm,\nagreement)"),
            Column::number("spearman_norm_agreement_within", "", "the same,\nin classes"),
            Column::number("spearman_norm_severity", "", "ρ (norm,\nintactness)"),
        ],
        notes: vec![
            "Accuracy on the nodules of the test folds in percent, by subtlety, by the disagreement of the radiologists, and by \
             the severity of a degradation that was added."
                .to_owned(),
            "ρ: Spearman correlation of feature norm and subtlety (5 is obvious), agreement (minus the disagreement), or intactness \
             (minus the severity), over the images of a fold: above 0 where better images have longer features."
                .to_owned(),
        ],
    }
}
