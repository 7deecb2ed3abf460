//! Networks to train on faces, and how to test them.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::{Arc, OnceLock},
};

use cm_data::{
    Cached, ContentHash, Degradation, Image, ImageSet, InputSpec, Look, MemorySet, Pair, Resize, SEVERITIES,
    dealt_folds, degrade_all,
};
use cm_record::{DataRecord, FeatureTable, Layout, Measurement, Pooled, Results, RunKey};
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
    baselines::Eigenfaces,
    config::{Config, DataChoice},
    evaluation::{self, Feature, Side},
    layout::layout,
    pooled, report,
    sets::{Learned, Part, Prepared, learned},
    source::{self, Faces},
};
use crate::{
    applications::{
        common::{self, Drawn},
        compared::saturated,
        plan::Images,
        start::{Application, Origin, Search, facts},
    },
    error::CliError,
    figures::discarded::{Pairs, Threshold},
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
    /// The images of pairs at each severity.
    at_severity: Vec<Arc<dyn ImageSet>>,
    /// How sharp each of these is, as measured, by severity and place.
    measured: Vec<Vec<f64>>,
    baselines: OnceLock<Vec<[Vec<f64>; 2]>>,
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
        let (people, held_people) = (of(&faces.test), of(&held));
        let count = |people: &[u32]| people.iter().collect::<BTreeSet<_>>().len().to_string();
        let told = [
            ("people learned", classes.len().to_string()),
            ("people left out to make choices by", count(&held_people)),
            ("people tested", count(&people)),
            ("pairs", faces.pairs.len().to_string()),
        ];
        let told = told.map(|(name, value)| (name.to_owned(), value));
        let held = cached(held, held_people, CACHE)?;
        let tested = cached(faces.test.clone(), people.clone(), 0)?;
        let images =
            (0..tested.len()).into_par_iter().map(|i| tested.image(i)).collect::<Result<Vec<_>, _>>()?;
        let names = (0..tested.len()).map(|i| tested.name(i)).collect();
        let all = MemorySet { images, labels: people.clone(), names };
        (input.mean, input.std) = cm_data::measure(train.as_ref(), &input)?;
        let position: HashMap<usize, usize> = faces.test.iter().copied().zip(0..).collect();
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
            let sharpness = |image: &Arc<Image>| Look::of(image, ContentHash([0; 32])).sharpness;
            let measured: Vec<f64> = set.images.par_iter().map(sharpness).collect();
            (prepared(set), measured)
        };
        let (at_severity, measured) = (0..SEVERITIES).map(at).unzip();
        let test_images = all.len();
        let splits = [("train", train.len()), ("held out", held.len()), ("test", test_images)];
        let splits = splits.map(|(name, images)| (name.to_owned(), images)).to_vec();
        let record = faces.origin.record(splits, told.to_vec());
        let same = pairs.iter().map(|pair| pair.same).collect();
        let sharpness = faces.test.iter().map(|&image| faces.sharpness[image]).collect();
        Ok(Self {
            folds: dealt_folds(pairs.iter().map(|pair| pair.same)),
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
            at_severity,
            measured,
            baselines: OnceLock::new(),
            held,
            held_pairs,
        })
    }

    pub(super) fn pairs_to_test(&self) -> Vec<(String, String)> {
        self.config.plan.counterparts()
    }

    /// The scores of all pairs by pixels and by principal components, at each severity of both images.
    ///
    /// # Errors
    ///
    /// An image that cannot be read.
    pub(super) fn baselines(&self) -> Result<&[[Vec<f64>; 2]], Error> {
        if let Some(found) = self.baselines.get() {
            return Ok(found);
        }
        let eigenfaces = Eigenfaces::learn(self.images.train.as_ref())?;
        let place = |pair: &Pair| Pair { images: pair.images.map(|image| self.places[image]), ..*pair };
        let pairs: Vec<Pair> = self.pairs.iter().map(place).collect();
        let scores = |set: &Arc<dyn ImageSet>| eigenfaces.scores(&pairs, set.as_ref());
        let found = self.at_severity.iter().map(scores).collect::<Result<_, _>>()?;
        Ok(self.baselines.get_or_init(|| found))
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

    /// The severity of both images of a pair where severities are mixed.
    pub(super) fn mixed_severity(pair: usize) -> usize {
        pair % SEVERITIES
    }

    /// The sharpness that can be measured of the less sharp image of every pair, severities mixed.
    pub(super) fn sharpness_of_pairs(&self) -> Vec<f64> {
        let of = |(i, pair): (usize, &Pair)| {
            let sharpness = |image: usize| self.measured[Self::mixed_severity(i)][self.places[image]];
            pair.images.map(sharpness).into_iter().fold(f64::INFINITY, f64::min)
        };
        self.pairs.iter().enumerate().map(of).collect()
    }

    /// Areas below the curves of errors when pairs of low quality are left out, of pairs of mixed severity: by the norm, by the
    /// sharpness that can be measured, by the severity that nobody knows, by any order without regard to the errors, and by the score
    /// itself; with a fixed threshold, and with one that is set anew.
    fn discarded<'a>(&self, at: impl Fn(usize, usize) -> &'a Feature + Copy) -> Vec<Measurement> {
        let scored: Vec<evaluation::Scored> = self
            .pairs
            .iter()
            .enumerate()
            .flat_map(|(i, pair)| {
                evaluation::scored(std::slice::from_ref(pair), Side::Both, Self::mixed_severity(i), at)
            })
            .collect();
        let (scores, norms): (Vec<f64>, Vec<f64>) = scored.iter().map(|of| (of.score, of.norm)).unzip();
        let severity: Vec<f64> = (0..self.pairs.len()).map(|i| -(Self::mixed_severity(i) as f64)).collect();
        let sharpness = self.sharpness_of_pairs();
        let pairs = Pairs { scores: &scores, same: &self.same };
        let mated = self.same.iter().filter(|&&same| same).count();
        let mut found = Vec::new();
        let thresholds = [(Threshold::Fixed(evaluation::STARTING_ERROR), ""), (Threshold::Anew, "_anew")];
        for (threshold, suffix) in thresholds {
            let mut add = |name: &str, area| {
                found.push(Measurement::new(&format!("pauc_{name}{suffix}"), "", area, mated));
            };
            for (name, quality) in [("norm", &norms), ("sharpness", &sharpness), ("severity", &severity)] {
                add(name, pairs.area(quality, threshold));
            }
            add("random", pairs.random_area(threshold));
            if threshold != Threshold::Anew {
                add("best", pairs.area(&scores, threshold));
            }
        }
        found
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
        self.test.len() + (SEVERITIES - 1) * self.paired.len() + self.held.len()
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
        // Untouched images of pairs are among all untouched images.
        for set in &self.at_severity[1..] {
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
        Ok(Some(common::evaluated(network, &norms, predictor.device, measurements, table)))
    }

    fn pooled(&self, folder: &Path, results: &Results) -> Result<Option<Pooled>, Error> {
        let scores = pooled::scores(folder, results)?;
        let mut pooled = pooled::pooled(self, &scores)?;
        pooled.notes.extend(saturated(results));
        Ok(Some(pooled))
    }

    fn report(&self, folder: &Path) -> Drawn<()> {
        common::draw_report(folder, |results| report::draw(self, results, &pooled::scores(folder, results)?))
    }
}
