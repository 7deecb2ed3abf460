//! Everything that can be chosen for a training, as one TOML file has it.

use std::{fs, path::Path};

use cm_data::{Augmentation, InputSpec, Resize, Sampling};
use cm_loss_core::{HeadConfig, LossOptions, Preset};
use cm_models::BackboneConfig;
use cm_train::{
    Error,
    training::{OptimizerConfig, Recipe, Schedule, check},
};
use serde::{Deserialize, Serialize};

use super::choices::{ClassWeights, Optimizer, ScheduleName};
use crate::error::CliError;

/// Everything that can be chosen.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The images.
    pub data: DataSettings,
    /// The network, and what is done to an image before it.
    pub model: ModelSettings,
    /// The loss.
    pub loss: LossSettings,
    /// How it is trained.
    pub training: TrainingSettings,
    /// What is changed at random in training images.
    pub augmentation: AugmentationSettings,
}

/// The images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DataSettings {
    /// Go on with at most so many files that cannot be used left out.
    pub skip_bad: usize,
    /// Share of the training images that the best epoch is chosen by, where the data have no such part.
    pub validation: f64,
    /// Images of a class whose names agree up to the last of these characters belong together.
    pub group_by_name: Option<String>,
    /// Seed of the split.
    pub split_seed: u64,
}

/// The network, and what is done to an image before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelSettings {
    /// lenet++, resnet18 or sphereface20.
    pub backbone: String,
    /// Channels of the first stage.
    pub width: usize,
    /// Dimensions of the feature.
    pub feature_dim: usize,
    /// Width and height that images are brought to; from the images where not given.
    pub size: Option<[usize; 2]>,
    /// 1 (gray) or 3 (color); from the images where not given.
    pub channels: Option<usize>,
    /// How images are brought to the size.
    pub resize: Resize,
    /// x, y, width and height that are cut out first.
    pub region: Option<[usize; 4]>,
    /// Mean of each channel, from 0 to 1; measured on the training images where not given.
    pub mean: Option<Vec<f32>>,
    /// Standard deviation of each channel; measured where not given.
    pub std: Option<Vec<f32>>,
    /// Train the head alone.
    pub freeze_backbone: bool,
}

/// The loss, by its name in the literature or by its parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LossSettings {
    /// The name.
    pub name: Preset,
    /// The scale, where it is to be another than the usual one.
    pub scale: Option<f64>,
    /// The margin, where it is to be another than the usual one.
    pub margin: Option<f64>,
    /// Share of the target's probability that is spread over all classes.
    pub label_smoothing: f64,
    /// Focal modulation.
    pub focus: f64,
    /// `"balanced"`, or a number for each class.
    pub class_weights: Option<ClassWeights>,
    /// The head by its parts, in place of the name.
    pub head: Option<HeadConfig>,
}

/// How the network is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrainingSettings {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images a step.
    pub batch_size: usize,
    /// sgd or adam-w.
    pub optimizer: Optimizer,
    /// Largest learning rate.
    pub learning_rate: f64,
    /// Of SGD.
    pub momentum: f64,
    /// L2 penalty of SGD, decoupled decay of AdamW.
    pub weight_decay: f64,
    /// constant, cosine, one-cycle, or step.
    pub schedule: ScheduleName,
    /// Epochs over which the learning rate first rises.
    pub warm_up_epochs: f64,
    /// Largest norm of all gradients together; 0 for no clipping.
    pub max_grad_norm: f64,
    /// End after so many epochs without a better validation accuracy; 0: never.
    pub early_stopping: usize,
    /// natural, or balanced: all classes equally often.
    pub sampling: Sampling,
    /// Seed of weights, order and augmentation.
    pub seed: u64,
}

/// What is changed at random in training images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AugmentationSettings(pub Augmentation);

impl Default for DataSettings {
    fn default() -> Self {
        Self { skip_bad: 0, validation: 0.1, group_by_name: None, split_seed: 0 }
    }
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self {
            backbone: "resnet18".to_owned(),
            width: 16,
            feature_dim: 128,
            size: None,
            channels: None,
            resize: Resize::Stretch,
            region: None,
            mean: None,
            std: None,
            freeze_backbone: false,
        }
    }
}

impl Default for LossSettings {
    fn default() -> Self {
        Self {
            name: Preset::CosFace,
            scale: None,
            margin: None,
            label_smoothing: 0.0,
            focus: 0.0,
            class_weights: None,
            head: None,
        }
    }
}

impl Default for TrainingSettings {
    fn default() -> Self {
        Self {
            epochs: 20,
            batch_size: 64,
            optimizer: Optimizer::AdamW,
            learning_rate: 3e-3,
            momentum: 0.9,
            weight_decay: 1e-2,
            schedule: ScheduleName::OneCycle,
            warm_up_epochs: 0.0,
            max_grad_norm: 5.0,
            early_stopping: 0,
            sampling: Sampling::Natural,
            seed: 0,
        }
    }
}

impl Default for AugmentationSettings {
    /// What leaves the meaning of most images as it is. Not flips: they make another sign or digit.
    fn default() -> Self {
        Self(Augmentation {
            shift: 0.08,
            scale: [0.85, 1.15],
            rotation: 10.0,
            color: 0.2,
            ..Augmentation::default()
        })
    }
}

impl Settings {
    /// Reads a TOML file. What it leaves out has its default.
    ///
    /// # Errors
    ///
    /// [`CliError::Settings`] with line and column, also for a key that is not known.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let settings = |reason: String| CliError::Settings { path: path.to_owned(), reason };
        let text = fs::read_to_string(path).map_err(|error| settings(error.to_string()))?;
        toml::from_str(&text).map_err(|error| settings(error.to_string().trim_end().to_owned()))
    }

    /// All of it as TOML.
    ///
    /// # Errors
    ///
    /// A value that TOML has no form for.
    pub fn to_toml(&self) -> Result<String, CliError> {
        toml::to_string_pretty(self).map_err(|error| CliError::Said(error.to_string()))
    }

    /// Checks every number.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] with the name of the option and what it may be.
    pub fn validate(&self) -> Result<(), CliError> {
        let at_least_one = |option: &str, value: usize| check(option, "at least 1", value, value > 0);
        let share = self.data.validation;
        check("validation", "at least 0 and below 1", share, (0.0..1.0).contains(&share))?;
        at_least_one("width", self.model.width)?;
        at_least_one("feature-dim", self.model.feature_dim)?;
        if let Some([width, height]) = self.model.size {
            at_least_one("size", width.min(height))?;
        }
        if let Some(channels) = self.model.channels {
            check("channels", "1 or 3", channels, channels == 1 || channels == 3)?;
        }
        self.backbone()?;
        self.recipe().validate()?;
        self.head(&[1, 1])?.validate().map_err(Error::from)?;
        Ok(())
    }

    /// The backbone.
    ///
    /// # Errors
    ///
    /// A name that none has.
    pub fn backbone(&self) -> Result<BackboneConfig, CliError> {
        let config: BackboneConfig = self.model.backbone.parse().map_err(Error::from)?;
        Ok(config.with_width(self.model.width))
    }

    /// The head for classes with so many training images.
    ///
    /// # Errors
    ///
    /// A scale or margin that the loss does not have, or weights that are not as many as the classes.
    pub fn head(&self, images: &[usize]) -> Result<HeadConfig, CliError> {
        let loss = &self.loss;
        let mut head = loss.head.clone().unwrap_or_else(|| loss.name.config().with_seed(self.training.seed));
        if let Some(scale) = loss.scale {
            head = head.with_scale(scale)?;
        }
        if let Some(margin) = loss.margin {
            head = head.with_margin(margin)?;
        }
        let weights = loss.class_weights.as_ref().map(|weights| weights.of(images));
        let plain = loss.label_smoothing == 0.0 && loss.focus == 0.0 && weights.is_none();
        if plain {
            return Ok(head);
        }
        Ok(head.with_options(LossOptions {
            label_smoothing: loss.label_smoothing,
            focus: loss.focus,
            class_weights: weights,
            ..LossOptions::default()
        }))
    }

    /// Name of the loss for people.
    pub fn loss_name(&self) -> String {
        match self.loss.head {
            Some(_) => "own parts".to_owned(),
            None => self.loss.name.name().to_owned(),
        }
    }

    /// How the network is trained.
    pub fn recipe(&self) -> Recipe {
        let training = &self.training;
        Recipe {
            epochs: training.epochs,
            batch_size: training.batch_size,
            optimizer: match training.optimizer {
                Optimizer::Sgd => {
                    OptimizerConfig::Sgd { momentum: training.momentum, weight_decay: training.weight_decay }
                }
                Optimizer::AdamW => OptimizerConfig::AdamW { weight_decay: training.weight_decay },
            },
            schedule: Schedule {
                learning_rate: training.learning_rate,
                warm_up_epochs: training.warm_up_epochs,
                shape: training.schedule.shape(training.epochs),
            },
            max_grad_norm: (training.max_grad_norm != 0.0).then_some(training.max_grad_norm),
            sampling: training.sampling,
            augmentation: self.augmentation.0.clone(),
            early_stopping: (training.early_stopping > 0).then_some(training.early_stopping),
            freeze_backbone: self.model.freeze_backbone,
        }
    }

    /// What is done to an image, but for a mean and deviation that are measured.
    pub fn input(&self, size: [usize; 2], channels: usize) -> InputSpec {
        let [width, height] = self.model.size.unwrap_or(size);
        let channels = self.model.channels.unwrap_or(channels);
        InputSpec {
            width,
            height,
            channels,
            region: self.model.region,
            resize: self.model.resize,
            mean: self.model.mean.clone().unwrap_or_else(|| vec![0.0; channels]),
            std: self.model.std.clone().unwrap_or_else(|| vec![1.0; channels]),
        }
    }
}
