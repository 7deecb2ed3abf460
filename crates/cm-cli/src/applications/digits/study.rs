//! Networks to train on digits, and how to test them.

use std::sync::Arc;

use cm_data::{ImageSet, InputSpec, MemorySet, Resize, SEVERITIES, assign_severities, degrade_all};
use cm_loss_core::Preset;
use cm_models::BackboneConfig;
use cm_record::{Column, DataRecord, FeatureTable, Headline, Layout, Level, RunKey, Stratification};
use cm_train::{
    Error,
    classifier::Classifier,
    evaluation::{Prediction, Predictor},
    study::{Evaluated, Study, Trial, to_value},
};
use serde_json::Value;

use super::{
    APPLICATION,
    config::{Config, DataChoice},
    evaluation,
    source::{self, DataSet, Wanted},
};
use crate::{
    applications::{
        common::{self, Drawn},
        plan::{Images, pairs},
        start::{Application, Origin, Search},
    },
    error::CliError,
};

/// Height and width of the images.
pub const SIZE: usize = 28;
/// Classes of every data set of digits.
pub const CLASSES: u32 = 10;
/// Mean and standard deviation of MNIST's training pixels, from 0 to 1, which every input is normalized with.
const PIXEL_MEAN: f32 = 0.1307;
const PIXEL_STD: f32 = 0.3081;

/// Degraded images, and what to do with them.
pub struct Digits {
    config: Config,
    images: Images,
    /// The test images at each severity.
    test: Vec<Arc<MemorySet>>,
}

impl Digits {
    /// Degrades the images as the settings have it.
    pub fn new(config: Config, data: DataSet) -> Self {
        let data_seed = config.plan.data_seed;
        let severities = assign_severities(data.train.len(), config.low_quality_fraction, data_seed);
        let counts: Vec<usize> = (0..SEVERITIES)
            .map(|s| severities.iter().filter(|&&found| usize::from(found) == s).count())
            .collect();
        let splits = [("train", &data.train), ("test", &data.test)];
        let splits = splits.map(|(name, set)| (name.to_owned(), set.len())).to_vec();
        let record = data.origin.record(splits, evaluation::severity_facts(&counts));
        let train = degrade_all(&data.train, config.degradation, &severities, data_seed);
        let test_seed = config.test_seed();
        let at = |severity: usize| {
            let severities = vec![severity as u8; data.test.len()];
            Arc::new(degrade_all(&data.test, config.degradation, &severities, test_seed))
        };
        let test: Vec<Arc<MemorySet>> = (0..SEVERITIES).map(at).collect();
        let images = Images {
            record,
            classes: (0..CLASSES).map(|class| class.to_string()).collect(),
            input: InputSpec {
                width: SIZE,
                height: SIZE,
                channels: 1,
                region: None,
                resize: Resize::None,
                mean: vec![PIXEL_MEAN],
                std: vec![PIXEL_STD],
            },
            train: Arc::new(train),
            // They only show progress: nothing is chosen by them.
            valid: Some(test[0].clone()),
            validated: "clean test",
        };
        Self { config, images, test }
    }
}

impl Application for Digits {
    const NAME: &'static str = APPLICATION;
    type Config = Config;
    type Data = DataSet;

    fn load(config: &Config, search: &Search<'_>) -> Result<DataSet, CliError> {
        let Config { train_images, test_images, .. } = *config;
        source::load(config.data, Wanted { train_images, test_images, seed: config.plan.data_seed }, search)
    }

    fn settle(config: &mut Config, found: &Origin) {
        config.data = if found.name == source::MNIST { DataChoice::Mnist } else { DataChoice::Synthetic };
    }

    fn of(config: Config, data: DataSet) -> Result<Self, CliError> {
        Ok(Self::new(config, data))
    }
}

impl Study for Digits {
    fn application(&self) -> &'static str {
        APPLICATION
    }

    fn settings(&self) -> Result<Value, Error> {
        to_value(&self.config)
    }

    fn data(&self) -> DataRecord {
        self.images.record.clone()
    }

    fn layout(&self) -> Layout {
        let mut layout = self.config.plan.layout(layout());
        if !self.config.plan.arms.is_empty() {
            layout.headlines.extend(evaluation::headlines_by_kind(self.config.degradation));
        }
        layout
    }

    fn keys(&self) -> Vec<RunKey> {
        self.config.plan.keys()
    }

    fn trial(&self, key: &RunKey) -> Result<Trial, Error> {
        let plan = &self.config.plan;
        plan.trial(key, BackboneConfig::lenet_pp(plan.width), &self.images)
    }

    fn test_images(&self) -> usize {
        self.test.iter().map(|set| set.len()).sum()
    }

    fn evaluate(
        &self,
        network: &Classifier,
        _trial: &Trial,
        predictor: &Predictor<'_>,
    ) -> Result<Option<Evaluated>, Error> {
        let mut predictions = Vec::new();
        for (severity, set) in self.test.iter().enumerate() {
            let Some(found) = predictor.predict(network, set.clone())? else { return Ok(None) };
            predictions.extend(found.into_iter().map(|prediction| (severity, prediction)));
        }
        let clean: Vec<f32> =
            predictions.iter().filter(|(severity, _)| *severity == 0).map(|(_, p)| p.norm).collect();
        let mut measurements = evaluation::measurements(&predictions);
        measurements.extend(evaluation::by_kind(
            &predictions,
            self.config.degradation,
            self.config.test_seed(),
        ));
        let row = |(severity, prediction): &(usize, Prediction)| {
            common::feature_row(prediction, vec![severity.to_string()])
        };
        let features = FeatureTable {
            stratifications: vec!["severity".to_owned()],
            rows: predictions.iter().map(row).collect(),
        };
        Ok(Some(common::evaluated(network, &clean, predictor.device, measurements, features)))
    }

    fn report(&self, folder: &std::path::Path) -> Drawn<()> {
        common::draw_report(folder, |_| Ok(Vec::new()))
    }
}

/// How tables and pictures show digits.
pub fn layout() -> Layout {
    let level = |severity: usize| Level {
        name: severity.to_string(),
        label: if severity == 0 { "clean\n(0)".to_owned() } else { format!("sev.\n{severity}") },
    };
    Layout {
        baseline: Preset::Softmax.name().to_owned(),
        pairs: pairs(),
        headlines: vec![
            Headline::new("accuracy", "severity=0", "on untouched images (severity 0)"),
            Headline::new("accuracy", evaluation::LOW_QUALITY, "on degraded images (mean over the severities above 0)"),
        ],
        stratifications: vec![Stratification {
            name: "severity".to_owned(),
            title: "severity of the degradation".to_owned(),
            axis: "severity (0: untouched)".to_owned(),
            levels: (0..SEVERITIES).map(level).collect(),
        }],
        columns: vec![
            Column::percent("accuracy", evaluation::LOW_QUALITY, "mean\n1–4"),
            Column::number("spearman_norm_severity", "", "ρ (norm,\nquality)"),
        ],
        notes: vec![
            "Accuracy on the test images in percent, by severity of their degradation (0: untouched).".to_owned(),
            "ρ: Spearman correlation of feature norm and image quality (4 − severity); losses of constant scale do \
             not train the norm."
                .to_owned(),
        ],
    }
}
