//! A study small enough for a test: striped images, to be told apart by the direction of the stripes.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use burn::train::Interrupter;
use cm_data::{Augmentation, ImageSet, InputSpec, MemorySet, Resize};
use cm_loss_core::{LossOptions, Preset};
use cm_models::BackboneConfig;
use cm_record::{DataRecord, Layout, Measurement, Results, RunKey, SplitRecord};
use cm_train::{
    Error,
    classifier::Classifier,
    device::Backend,
    evaluation::Predictor,
    model::{CARD_FORMAT, ModelCard, Provenance},
    study::{self, Evaluated, Program, Session, Study, StudyFolder, Trial},
    training::{Display, Recipe},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub const SIDE: usize = 12;
pub const CLASSES: usize = 3;

/// Noisy stripes: down, across, aslant.
pub fn stripes(count: usize, seed: u64) -> MemorySet {
    let mut random = StdRng::seed_from_u64(seed);
    let mut pixels = Vec::new();
    let labels: Vec<u32> = (0..count).map(|i| (i % CLASSES) as u32).collect();
    for label in &labels {
        let phase = random.random_range(0..4usize);
        for y in 0..SIDE {
            for x in 0..SIDE {
                let along = [x, y, x + y][*label as usize] + phase;
                let light = if along % 4 < 2 { 60.0 } else { 190.0 };
                pixels.push((light + random.random_range(-60.0..60.0f32)) as u8);
            }
        }
    }
    MemorySet::gray(SIDE, SIDE, &pixels, labels)
}

pub fn input() -> InputSpec {
    InputSpec {
        width: SIDE,
        height: SIDE,
        channels: 1,
        region: None,
        resize: Resize::None,
        mean: vec![0.5],
        std: vec![0.25],
    }
}

pub fn recipe(epochs: usize) -> Recipe {
    let augmentation = Augmentation { flip: true, shift: 0.1, ..Augmentation::default() };
    Recipe { augmentation, ..Recipe::one_cycle(epochs, 16, 3e-3, 1e-2) }
}

pub fn card(loss: Preset, feature_dim: usize) -> ModelCard {
    ModelCard {
        format: CARD_FORMAT,
        backbone: BackboneConfig::lenet_pp(2),
        feature_dim,
        loss: loss.name().to_owned(),
        head: loss.config(),
        classes: ["down", "across", "aslant"].map(str::to_owned).to_vec(),
        input: input(),
        provenance: Provenance::default(),
        norms: None,
        quality: None,
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    pub losses: Vec<Preset>,
    pub seed: u64,
    pub images: usize,
    pub data_seed: u64,
    pub select_best: bool,
    pub class_weights: Option<Vec<f64>>,
    pub backbone: BackboneConfig,
    pub margin_warm_up: Option<u64>,
    pub recipe: Recipe,
}

impl Config {
    pub fn new(losses: &[Preset], epochs: usize) -> Self {
        let losses = losses.to_vec();
        let (recipe, backbone) = (recipe(epochs), BackboneConfig::lenet_pp(2));
        Self {
            losses,
            seed: 0,
            images: 120,
            data_seed: 0,
            select_best: false,
            class_weights: None,
            backbone,
            margin_warm_up: None,
            recipe,
        }
    }
}

pub struct Stripes {
    config: Config,
    train: Arc<MemorySet>,
    test: Arc<MemorySet>,
    pub reports: AtomicUsize,
}

impl Stripes {
    pub fn new(config: Config) -> Self {
        let train = Arc::new(stripes(config.images, config.data_seed));
        Self { train, test: Arc::new(stripes(60, 99)), config, reports: AtomicUsize::new(0) }
    }
}

impl Study for Stripes {
    fn application(&self) -> &'static str {
        "stripes"
    }

    fn settings(&self) -> Result<Value, Error> {
        study::to_value(&self.config)
    }

    fn data(&self) -> DataRecord {
        DataRecord {
            name: "stripes".to_owned(),
            source: "drawn".to_owned(),
            checksums: [("seed".to_owned(), self.config.data_seed.to_string())].into(),
            splits: vec![SplitRecord { name: "train".to_owned(), images: self.train.len(), checksum: None }],
            left_out: Vec::new(),
            facts: Vec::new(),
        }
    }

    fn layout(&self) -> Layout {
        Layout::default()
    }

    fn keys(&self) -> Vec<RunKey> {
        let key = |loss: &Preset| RunKey {
            loss: loss.name().to_owned(),
            feature_dim: 4,
            seed: self.config.seed,
            fold: None,
        };
        self.config.losses.iter().map(key).collect()
    }

    fn trial(&self, key: &RunKey) -> Result<Trial, Error> {
        let mut card = card(key.loss.parse()?, key.feature_dim);
        card.backbone = self.config.backbone.clone();
        let class_weights = self.config.class_weights.clone();
        if let Some(steps) = self.config.margin_warm_up {
            card.head = card.head.with_margin_warm_up(steps)?;
        }
        card.head = card.head.with_options(LossOptions { class_weights, ..LossOptions::default() })?;
        Ok(Trial {
            key: key.clone(),
            card,
            recipe: self.config.recipe.clone(),
            train: self.train.clone(),
            valid: Some(self.test.clone()),
            validated: "test",
            select_best: self.config.select_best,
            init: None,
            models_on_top: false,
        })
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
        let count = predictions.len();
        let right = predictions.iter().filter(|prediction| prediction.is_right()).count();
        let norm = predictions.iter().map(|prediction| f64::from(prediction.norm)).sum::<f64>();
        let measurements = vec![
            Measurement::new("accuracy", "", right as f64 / count as f64, count),
            Measurement::new("norm_mean", "", norm / count as f64, count),
        ];
        Ok(Some(Evaluated { measurements, features: None, warnings: Vec::new() }))
    }

    fn report(&self, _folder: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.reports.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

pub fn session(interrupter: Interrupter) -> Session {
    Session {
        devices: Backend::Flex.into(),
        display: Display::Quiet,
        interrupter,
        jobs: 1,
        workers: 2,
        retry_diverged: false,
        program: Program { version: "1.2.3".to_owned(), commit: "abc".to_owned() },
        resume: "cm study --resume out".to_owned(),
    }
}

pub fn start(out: &Path, config: Config) -> Result<Results, Error> {
    start_with(&session(Interrupter::new()), out, config)
}

pub fn start_with(session: &Session, out: &Path, config: Config) -> Result<Results, Error> {
    let folder = StudyFolder::create(out)?;
    folder.begin("stripes", &config)?;
    study::run(session, &folder, &Stripes::new(config))
}

pub fn resume(out: &Path) -> Result<Results, Error> {
    resume_with(&session(Interrupter::new()), out)
}

pub fn resume_with(session: &Session, out: &Path) -> Result<Results, Error> {
    let (folder, config) = StudyFolder::resume::<Config>(out, "stripes")?;
    study::run(session, &folder, &Stripes::new(config))
}

/// The record without what depends on the clock.
pub fn timeless(results: &Results) -> String {
    let mut results = results.clone();
    results.created.clear();
    results.wall_seconds = 0.0;
    for run in &mut results.runs {
        (run.train_seconds, run.images_per_second) = (0.0, 0.0);
        run.epochs.iter_mut().for_each(|epoch| epoch.seconds = 0.0);
    }
    serde_json::to_string_pretty(&results).unwrap()
}

/// Replaces a text in the settings of a study.
pub fn edit_config(out: &Path, from: &str, to: &str) {
    let path = out.join("config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}
