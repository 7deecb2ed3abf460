//! Networks to train on signs, and how to test them.

use std::sync::Arc;

use cm_data::{Collection, ImageSet, InputSpec, Item, Location, MemorySet, Resize, SplitPlan, Subset, split};
use cm_eval::{Bootstrap, Statistic, Strata};
use cm_loss_core::Preset;
use cm_models::BackboneConfig;
use cm_record::{
    Column, DataRecord, FeatureTable, Headline, Layout, Level, Measurement, RunKey, Stratification,
};
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
    sheet,
    source::{self, Quality, Signs},
    synthetic::SIZE,
};
use crate::{
    applications::{
        common::{self, Drawn},
        plan::{Images, pairs},
        start::{Application, Origin, Search},
    },
    error::CliError,
};

/// Parts that resolution and contrast are divided into.
const PARTS: usize = 4;

/// Signs with their strata, and what to do with them.
pub struct SignStudy {
    config: Config,
    images: Images,
    test: Arc<dyn ImageSet>,
    quality: Vec<Quality>,
    strata: [(&'static str, Strata); 2],
}

impl SignStudy {
    /// Splits off the tracks that progress is followed on, and measures the training images.
    pub fn new(config: Config, signs: Signs) -> Result<Self, CliError> {
        let resolution: Vec<f64> = signs.test_quality.iter().map(|quality| quality.resolution).collect();
        // Whole gray levels bound the strata: their labels are for people.
        let contrast: Vec<f64> = signs.test_quality.iter().map(|quality| quality.contrast.round()).collect();
        let (train, valid) = held_out(&signs.train, &signs.train_groups, &signs.classes, &config)?;
        let all: Arc<dyn ImageSet> = Arc::new(signs.train);
        let subset =
            |indices: Vec<usize>| -> Arc<dyn ImageSet> { Arc::new(Subset::new(all.clone(), indices)) };
        let (train, valid) = (subset(train), (!valid.is_empty()).then(|| subset(valid)));
        let mut input = InputSpec {
            width: SIZE as usize,
            height: SIZE as usize,
            channels: 3,
            region: None,
            resize: Resize::Stretch,
            mean: vec![0.0; 3],
            std: vec![1.0; 3],
        };
        (input.mean, input.std) = cm_data::measure(train.as_ref(), &input)?;
        let test: Arc<dyn ImageSet> = Arc::new(signs.test);
        let split = |name: &str, images| (name.to_owned(), images);
        let splits = vec![
            split("train", train.len()),
            split("val", valid.as_ref().map_or(0, |set| set.len())),
            split("test", test.len()),
        ];
        let facts = vec![("classes".to_owned(), signs.classes.len().to_string())];
        let record = signs.origin.record(splits, facts);
        Ok(Self {
            strata: [
                ("resolution", Strata::quantiles(&resolution, PARTS)),
                ("contrast", Strata::quantiles(&contrast, PARTS)),
            ],
            quality: signs.test_quality,
            images: Images { record, classes: signs.classes, input, train, valid, validated: "validation" },
            config,
            test,
        })
    }

    fn values(&self, stratification: &str) -> Vec<f64> {
        let value = |quality: &Quality| match stratification {
            "resolution" => quality.resolution,
            _ => quality.contrast,
        };
        self.quality.iter().map(value).collect()
    }

    fn measurements(&self, predictions: &[Prediction]) -> Vec<Measurement> {
        let mut found = common::stratum_measurements("", &predictions.iter().collect::<Vec<_>>());
        let norms: Vec<f64> = predictions.iter().map(|p| f64::from(p.norm)).collect();
        let classes: Vec<usize> = predictions.iter().map(|p| p.label as usize).collect();
        for (name, strata) in &self.strata {
            for level in strata.levels() {
                let of: Vec<&Prediction> = level.indices.iter().map(|&index| &predictions[index]).collect();
                found.extend(common::stratum_measurements(&format!("{name}={}", level.label), &of));
            }
            let values = self.values(name);
            let bootstrap = Bootstrap { resamples: 200, ..Bootstrap::default() };
            let overall = bootstrap.overall(Statistic::Spearman, &norms, &values);
            let within = bootstrap.within_classes(Statistic::Spearman, &norms, &values, &classes);
            for (suffix, correlation) in [("", overall), ("_within", within)] {
                let metric = format!("spearman_norm_{name}{suffix}");
                found.extend(common::with_interval(&metric, correlation, norms.len()));
            }
        }
        found
    }
}

/// Images to learn from and images to follow progress on, tracks kept together.
fn held_out(
    set: &MemorySet,
    groups: &[u32],
    classes: &[String],
    config: &Config,
) -> Result<(Vec<usize>, Vec<usize>), CliError> {
    let item = |(i, (&label, &group)): (usize, (&u32, &u32))| Item {
        group: Some(group),
        ..Item::new(set.names[i].clone(), Location::Memory(i), label)
    };
    let items: Vec<Item> = set.labels.iter().zip(groups).enumerate().map(item).collect();
    let images = set.images.iter().map(|image| image.as_ref().clone()).collect();
    let mut collection = Collection::from_images("signs", classes.to_vec(), items, images);
    let last = groups.iter().max().map_or(0, |&last| last + 1);
    collection.groups = (0..last).map(|group| group.to_string()).collect();
    let plan =
        SplitPlan { validation: config.validation, seed: config.plan.data_seed, ..SplitPlan::default() };
    let splits = split(&collection, &plan)?;
    Ok((splits.train, splits.val))
}

impl Application for SignStudy {
    const NAME: &'static str = APPLICATION;
    type Config = Config;
    type Data = Signs;

    fn load(config: &Config, search: &Search<'_>) -> Result<Signs, CliError> {
        source::load(config.data, config.synthetic_tracks, config.plan.data_seed, search)
    }

    fn settle(config: &mut Config, found: &Origin) {
        config.data = if found.name == source::GTSRB { DataChoice::Gtsrb } else { DataChoice::Synthetic };
    }

    fn of(config: Config, data: Signs) -> Result<Self, CliError> {
        Self::new(config, data)
    }
}

impl Study for SignStudy {
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
        self.config.plan.layout(layout(&self.strata))
    }

    fn keys(&self) -> Vec<RunKey> {
        self.config.plan.keys()
    }

    fn trial(&self, key: &RunKey) -> Result<Trial, Error> {
        let plan = &self.config.plan;
        plan.trial(key, BackboneConfig::lenet_pp(plan.width), &self.images)
    }

    fn test_images(&self) -> usize {
        self.test.len()
    }

    fn evaluate(
        &self,
        network: &Classifier,
        _trial: &Trial,
        predictor: &Predictor<'_>,
    ) -> Result<Option<Evaluated>, Error> {
        let Some(predictions) = predictor.predict(network, self.test.clone())? else { return Ok(None) };
        let norms: Vec<f32> = predictions.iter().map(|prediction| prediction.norm).collect();
        let levels: Vec<Vec<String>> =
            self.strata.iter().map(|(_, strata)| strata.labels_of(predictions.len())).collect();
        let rows = predictions.iter().enumerate().map(|(i, prediction)| {
            common::feature_row(prediction, levels.iter().map(|of| of[i].clone()).collect())
        });
        let stratifications = self.strata.iter().map(|(name, _)| (*name).to_owned()).collect();
        let features = FeatureTable { stratifications, rows: rows.collect() };
        let measurements = self.measurements(&predictions);
        Ok(Some(common::evaluated(network, &norms, predictor.device, measurements, features)))
    }

    fn report(&self, folder: &std::path::Path) -> Drawn<()> {
        common::draw_report(folder, |results| sheet::draw(folder, results, self.test.as_ref(), &self.quality))
    }
}

/// How tables and pictures show signs.
fn layout(strata: &[(&'static str, Strata); 2]) -> Layout {
    let titles = [
        ("resolution of the sign", "least of height and width that the camera saw (pixels)"),
        ("contrast", "standard deviation of the gray levels"),
    ];
    let stratifications: Vec<Stratification> = strata
        .iter()
        .zip(titles)
        .map(|((name, strata), (title, axis))| Stratification {
            name: (*name).to_owned(),
            title: title.to_owned(),
            axis: axis.to_owned(),
            levels: strata
                .levels()
                .iter()
                .map(|level| Level { name: level.label.clone(), label: level.label.clone() })
                .collect(),
        })
        .collect();
    let mut headlines = vec![Headline::new("accuracy", "", "on all test images")];
    for (found, phrase) in stratifications.iter().zip(["of the lowest resolution", "of the lowest contrast"])
    {
        if let Some(level) = found.levels.first() {
            headlines.push(Headline::new(
                "accuracy",
                found.stratum(level),
                format!("on the test images {phrase} ({})", level.label),
            ));
        }
    }
    Layout {
        baseline: Preset::Softmax.name().to_owned(),
        pairs: pairs(),
        headlines,
        stratifications,
        columns: vec![
            Column::percent("accuracy", "", "all"),
            Column::number("spearman_norm_resolution", "", "ρ (norm,\nresolution)"),
            Column::number("spearman_norm_resolution_within", "", "the same,\nin classes"),
            Column::number("spearman_norm_contrast", "", "ρ (norm,\ncontrast)"),
            Column::number("spearman_norm_contrast_within", "", "the same,\nin classes"),
        ],
        notes: vec![
            "Accuracy on the test images in percent, by quarters of them.".to_owned(),
            "ρ: Spearman correlation of feature norm and resolution or contrast, over all test images and as the mean \
             within classes."
                .to_owned(),
        ],
    }
}
