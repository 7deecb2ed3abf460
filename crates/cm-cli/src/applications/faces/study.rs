//! Networks to train on faces, and how to test them.

use std::{path::Path, sync::Arc};

use cm_data::{
    Cached, ContentHash, Degradation, ImageSet, InputSpec, Look, MemorySet, Pair, Resize, SEVERITIES, Subset,
    degrade_all,
};
use cm_loss_core::Preset;
use cm_record::{Column, DataRecord, FeatureTable, Headline, Layout, Measurement, Pooled, Results, RunKey};
use cm_train::{
    Error,
    classifier::Classifier,
    evaluation::Predictor,
    study::{Evaluated, Study, Trial, to_value},
};
use rayon::prelude::*;
use serde_json::Value;

use super::{
    APPLICATION,
    config::{Config, DataChoice},
    evaluation::{self, Feature, Side},
    pooled, report,
    sets::{Learned, Part, Prepared, learned},
    source::{self, Faces},
};
use crate::{
    applications::{
        common,
        plan::{Images, pairs},
        start::{Application, Origin, Search, facts},
    },
    error::CliError,
};

/// Memory for the images that are learned from.
const CACHE: usize = 2 << 30;

/// Faces with their pairs, and what to do with them.
pub struct FaceStudy {
    config: Config,
    images: Images,
    /// All images of the people tested on, and the person on each.
    pub(super) test: Arc<dyn ImageSet>,
    people: Vec<u32>,
    sharpness: Vec<f64>,
    /// Pairs, by the positions of their images in `test`.
    pub(super) pairs: Vec<Pair>,
    pub(super) same: Vec<bool>,
    pub(super) folds: Vec<usize>,
    /// Positions in `test` of the images that pairs have, and for every image its place among these.
    paired: Vec<usize>,
    places: Vec<usize>,
    /// The images of pairs at each severity from 1 on, and how sharp each is.
    degraded: Vec<(Arc<dyn ImageSet>, Vec<f64>)>,
    held: Arc<dyn ImageSet>,
    held_pairs: Vec<Pair>,
}

impl FaceStudy {
    fn new(config: Config, faces: Faces) -> Result<Self, CliError> {
        let seed = config.plan.data_seed;
        let learned = learned(&faces, config.min_images, config.held_out, seed)?;
        let Learned { classes, train: (train, labels), held, held_pairs } = learned;
        let mut input = InputSpec {
            width: config.size,
            height: config.size,
            channels: 3,
            region: faces.region,
            resize: Resize::Stretch,
            mean: vec![0.0; 3],
            std: vec![1.0; 3],
        };
        let cached = |indices: Vec<usize>, labels: Vec<u32>, budget| -> Result<Arc<dyn ImageSet>, CliError> {
            let part = Part { set: faces.images.clone(), indices, labels };
            Ok(Arc::new(Cached::new(Arc::new(part), input.clone(), budget)?))
        };
        let of = |indices: &[usize]| indices.iter().map(|&image| faces.people[image]).collect::<Vec<u32>>();
        let train = cached(train, labels, CACHE)?;
        let held = {
            let people = of(&held);
            cached(held, people, CACHE)?
        };
        let people = of(&faces.test);
        let tested = cached(faces.test.clone(), people.clone(), 0)?;
        let images =
            (0..tested.len()).into_par_iter().map(|i| tested.image(i)).collect::<Result<Vec<_>, _>>()?;
        let names = (0..tested.len()).map(|i| tested.name(i)).collect();
        let all = MemorySet { images, labels: people.clone(), names };
        (input.mean, input.std) = cm_data::measure(train.as_ref(), &input)?;
        let position: std::collections::HashMap<usize, usize> = faces.test.iter().copied().zip(0..).collect();
        let pairs: Vec<Pair> = faces
            .pairs
            .iter()
            .map(|pair| Pair { images: pair.images.map(|image| position[&image]), ..*pair })
            .collect();
        let mut paired: Vec<usize> = pairs.iter().flat_map(|pair| pair.images).collect();
        paired.sort_unstable();
        paired.dedup();
        let mut places = vec![usize::MAX; all.len()];
        paired.iter().zip(0..).for_each(|(&image, place)| places[image] = place);
        let chosen = MemorySet {
            images: paired.iter().map(|&image| all.images[image].clone()).collect(),
            labels: paired.iter().map(|&image| all.labels[image]).collect(),
            names: paired.iter().map(|&image| all.names[image].clone()).collect(),
        };
        let prepared =
            |set: MemorySet| -> Arc<dyn ImageSet> { Arc::new(Prepared { set, input: input.clone() }) };
        let at = |severity: usize| {
            let set = degrade_all(&chosen, Degradation::Mixed, &vec![severity as u8; chosen.len()], seed);
            let sharp =
                set.images.par_iter().map(|image| Look::of(image, ContentHash([0; 32])).sharpness).collect();
            (prepared(set), sharp)
        };
        let degraded = (1..SEVERITIES).map(at).collect();
        let (people_tested, test_images) = (faces.names.len(), all.len());
        let learned_people =
            faces.train.iter().map(|&image| faces.people[image]).collect::<std::collections::BTreeSet<_>>();
        let told = [
            ("people learned", classes.len().to_string()),
            ("people left out to make choices by", held.len().to_string()),
            ("people tested", (people_tested - learned_people.len()).to_string()),
            ("pairs", pairs.len().to_string()),
        ];
        let told = told.map(|(name, value)| (name.to_owned(), value));
        let splits = [("train", train.len()), ("held out", held.len()), ("test", test_images)];
        let splits = splits.map(|(name, images)| (name.to_owned(), images)).to_vec();
        let record = faces.origin.record(splits, told.to_vec());
        let same = pairs.iter().map(|pair| pair.same).collect();
        let sharpness = faces.test.iter().map(|&image| faces.sharpness[image]).collect();
        Ok(Self {
            folds: evaluation::folds(&pairs),
            test: prepared(all),
            images: Images {
                record,
                classes,
                input: input.clone(),
                train,
                valid: None,
                validated: "validation",
            },
            config,
            people,
            sharpness,
            pairs,
            same,
            paired,
            places,
            degraded,
            held,
            held_pairs,
        })
    }

    /// The images of people who are learned.
    pub(super) fn learned(&self) -> &dyn ImageSet {
        self.images.train.as_ref()
    }

    /// The images of pairs at a severity, and the pairs by their positions there.
    pub(super) fn at_severity(&self, severity: usize) -> (Arc<dyn ImageSet>, Vec<Pair>) {
        let place = |pair: &Pair| Pair { images: pair.images.map(|image| self.places[image]), ..*pair };
        let set = match severity.checked_sub(1) {
            Some(degraded) => self.degraded[degraded].0.clone(),
            None => Arc::new(Subset::new(self.test.clone(), self.paired.clone())),
        };
        (set, self.pairs.iter().map(place).collect())
    }

    /// Figures of one network from the features of all test images, and of those of pairs at each severity from 1 on.
    fn measurements(
        &self,
        untouched: &[Feature],
        degraded: &[Vec<Feature>],
    ) -> (Vec<Measurement>, FeatureTable) {
        let at = |image: usize, severity: usize| match severity.checked_sub(1) {
            Some(degraded_by) => &degraded[degraded_by][self.places[image]],
            None => &untouched[image],
        };
        let clean = evaluation::scored(&self.pairs, Side::Both, 0, at);
        let mut found = evaluation::measured("", &clean, &self.same, &self.folds);
        let mut table = FeatureTable {
            stratifications: Side::ALL.map(|side| side.name().to_owned()).to_vec(),
            rows: Vec::new(),
        };
        let mut keep = |side, severity, scored: &[evaluation::Scored]| {
            let rows = self.pairs.iter().zip(scored).enumerate();
            table
                .rows
                .extend(rows.map(|(i, (pair, &scored))| evaluation::row(i, pair, scored, side, severity)));
        };
        keep(Side::Both, 0, &clean);
        for side in Side::ALL {
            found.extend(evaluation::measured(
                &format!("{}=0", side.name()),
                &clean,
                &self.same,
                &self.folds,
            ));
            for severity in 1..SEVERITIES {
                let scored = evaluation::scored(&self.pairs, side, severity, at);
                let stratum = format!("{}={severity}", side.name());
                found.extend(evaluation::measured(&stratum, &scored, &self.same, &self.folds));
                keep(side, severity, &scored);
            }
        }
        // The norms of the images of pairs at each severity, and of all test images.
        let (mut norms, mut qualities, mut people) = (Vec::new(), Vec::new(), Vec::new());
        for severity in 0..SEVERITIES {
            let of: Vec<f64> = self.paired.iter().map(|&image| f64::from(at(image, severity).norm)).collect();
            found.extend(common::norm_measurements(&format!("{}={severity}", Side::Both.name()), &of));
            qualities.extend(std::iter::repeat_n(-(severity as f64), of.len()));
            people.extend(self.paired.iter().map(|&image| self.people[image] as usize));
            norms.extend(of);
        }
        found.extend(evaluation::correlation("severity", &norms, &qualities, &people));
        let known: Vec<usize> =
            (0..untouched.len()).filter(|&image| self.sharpness[image].is_finite()).collect();
        if !known.is_empty() {
            let pick = |of: &dyn Fn(usize) -> f64| known.iter().map(|&image| of(image)).collect::<Vec<f64>>();
            let norms = pick(&|image| f64::from(untouched[image].norm));
            let people: Vec<usize> = known.iter().map(|&image| self.people[image] as usize).collect();
            found.extend(evaluation::correlation(
                "sharpness",
                &norms,
                &pick(&|image| self.sharpness[image]),
                &people,
            ));
        }
        found.extend(self.discarded(at));
        found.extend(evaluation::searched(untouched, &self.people));
        (found, table)
    }

    /// Areas below the curves of errors when pairs of low quality are left out, of pairs of mixed severity: by the norm, by the
    /// sharpness that can be measured, by the severity that nobody knows, and by the score itself.
    fn discarded<'a>(&self, at: impl Fn(usize, usize) -> &'a Feature + Copy) -> Vec<Measurement> {
        let severity = |pair: usize| pair % SEVERITIES;
        let scored: Vec<evaluation::Scored> = self
            .pairs
            .iter()
            .enumerate()
            .flat_map(|(i, pair)| evaluation::scored(std::slice::from_ref(pair), Side::Both, severity(i), at))
            .collect();
        let sharpness = |pair: usize| {
            let of = |image: usize| match severity(pair).checked_sub(1) {
                Some(degraded) => self.degraded[degraded].1[self.places[image]],
                None => self.sharp_as_measured(image),
            };
            self.pairs[pair].images.map(of).into_iter().fold(f64::INFINITY, f64::min)
        };
        vec![
            evaluation::discarded("pauc_norm", &scored, &self.same, |pair| scored[pair].norm),
            evaluation::discarded("pauc_sharpness", &scored, &self.same, sharpness),
            evaluation::discarded("pauc_severity", &scored, &self.same, |pair| -(severity(pair) as f64)),
            // Any order without regard to the errors.
            evaluation::discarded("pauc_random", &scored, &self.same, |pair| {
                (pair as f64 * 0.618_034).fract()
            }),
            evaluation::discarded("pauc_best", &scored, &self.same, |pair| scored[pair].score),
        ]
    }

    fn sharp_as_measured(&self, image: usize) -> f64 {
        let image = self.test.image(image);
        image.map_or(0.0, |image| Look::of(&image, ContentHash([0; 32])).sharpness)
    }
}

impl Application for FaceStudy {
    const NAME: &'static str = APPLICATION;
    type Config = Config;
    type Data = Faces;

    fn load(config: &Config, search: &Search<'_>) -> Result<Faces, CliError> {
        source::load(config.data, config.synthetic_people, config.size, config.plan.data_seed, search)
    }

    fn settle(config: &mut Config, found: &Origin) {
        config.data = if found.name == source::LFW { DataChoice::Lfw } else { DataChoice::Synthetic };
    }

    fn of(config: Config, data: Faces) -> Result<Self, CliError> {
        Self::new(config, data)
    }

    fn told(&self) -> Option<String> {
        Some(facts(&self.images.record))
    }
}

impl Study for FaceStudy {
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
        self.config.plan.layout(layout())
    }

    fn keys(&self) -> Vec<RunKey> {
        self.config.plan.keys()
    }

    fn trial(&self, key: &RunKey) -> Result<Trial, Error> {
        self.config.plan.trial(key, self.config.network(), &self.images)
    }

    fn test_images(&self) -> usize {
        self.test.len() + self.degraded.len() * self.paired.len() + self.held.len()
    }

    fn evaluate(
        &self,
        network: &Classifier,
        _trial: &Trial,
        predictor: &Predictor<'_>,
    ) -> Result<Option<Evaluated>, Error> {
        let predictor = &Predictor { views: self.config.views, ..*predictor };
        let Some(untouched) = evaluation::features(network, self.test.clone(), predictor)? else {
            return Ok(None);
        };
        let mut degraded = Vec::new();
        for (set, _) in &self.degraded {
            let Some(found) = evaluation::features(network, set.clone(), predictor)? else { return Ok(None) };
            degraded.push(found);
        }
        let Some(held) = evaluation::features(network, self.held.clone(), predictor)? else {
            return Ok(None);
        };
        let (mut measurements, table) = self.measurements(&untouched, &degraded);
        // What settings are chosen by, so that nobody tested on takes part in the choice.
        let scored = evaluation::scored(&self.held_pairs, Side::Both, 0, |image, _| &held[image]);
        let scores: Vec<f64> = scored.iter().map(|pair| pair.score).collect();
        let same: Vec<bool> = self.held_pairs.iter().map(|pair| pair.same).collect();
        measurements.push(Measurement::new("valid_auc", "", cm_eval::auc(&scores, &same), scores.len()));
        let norms: Vec<f32> = untouched.iter().map(|feature| feature.norm).collect();
        Ok(Some(Evaluated {
            measurements,
            warnings: common::saturation(network, &norms, predictor.device),
            features: Some(table),
        }))
    }

    fn pooled(&self, folder: &Path, results: &Results) -> Result<Option<Pooled>, Error> {
        let scores = pooled::scores(folder, results)?;
        pooled::pooled(self, &scores).map(Some)
    }

    fn report(&self, folder: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let results = Results::read(folder)?;
        let scores = pooled::scores(folder, &results)?;
        let figures = report::draw(self, &results, &scores)?;
        let features = cm_report::drawn_features(folder, &results)?;
        cm_report::write_report(folder, &results, &features, &figures)?;
        Ok(())
    }
}

/// How tables and pictures show faces.
fn layout() -> Layout {
    let column = |metric: &str, heading: &str, percent| Column {
        metric: metric.to_owned(),
        stratum: String::new(),
        heading: heading.to_owned(),
        percent,
    };
    let headline = |metric: &str, stratum: &str, phrase: &str| Headline {
        metric: metric.to_owned(),
        stratum: stratum.to_owned(),
        phrase: phrase.to_owned(),
    };
    Layout {
        baseline: Preset::Softmax.name().to_owned(),
        pairs: pairs(),
        headlines: vec![
            headline("accuracy", "", "on untouched pairs"),
            headline("auc", "", "on untouched pairs"),
            headline("accuracy", "severity=3", "on pairs of degraded images (severity 3)"),
        ],
        stratifications: evaluation::stratifications(),
        columns: vec![
            column("auc", "AUC", true),
            column("eer", "EER", true),
            column("tar_at_far_0.1", "TAR at\nFAR 0.1", true),
            column("tar_at_far_0.01", "TAR at\nFAR 0.01", true),
            column("rank_1", "rank 1", true),
            column("map_at_r", "MAP@R", true),
            column("spearman_norm_severity", "ρ (norm,\nintactness)", false),
            column("spearman_norm_sharpness", "ρ (norm,\nsharpness)", false),
            column("pauc_norm", "pAUC,\nnorm", false),
            column("pauc_sharpness", "pAUC,\nsharpness", false),
        ],
        notes: vec![
            "Accuracy on pairs of faces of people who were not learned, in percent: each tenth of the pairs by the threshold that is \
             best on the other nine. TAR: true accept rate with at most so large a false accept rate."
                .to_owned(),
            "ρ: Spearman correlation of feature norm and intactness (minus the severity) over the images of pairs at all severities, \
             and of feature norm and sharpness over untouched images."
                .to_owned(),
            "pAUC: area below the share of pairs of one person that are rejected, over that of the best order, when up to 30 % of them \
             are left out, those of the lowest norm or sharpness first; severities are mixed. Lower is better."
                .to_owned(),
        ],
    }
}
