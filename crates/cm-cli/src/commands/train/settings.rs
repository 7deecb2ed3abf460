//! Everything that can be chosen for a training, as one TOML file has it.

use std::path::PathBuf;

use cm_data::{Augmentation, Resize, Sampling};
use cm_loss_core::{HeadConfig, Preset};
use cm_models::Stem;
use cm_train::{
    Error,
    device::{Backend, Devices, Place},
    training::{at_least_one, check},
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
    /// Where and by what it is computed. No result depends on it, and it is no part of what a resumed training must keep.
    pub run: RunSettings,
}

/// Where and by what it is computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunSettings {
    /// flex, ndarray, wgpu, vulkan, metal, cuda or rocm.
    pub backend: Option<Backend>,
    /// The server that has the devices, ws://HOST:PORT, in place of a backend.
    pub server: Option<String>,
    /// Numbers of the devices that share every batch; none for the default device.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<usize>,
    /// Threads that read and transform images; one for each core where not given.
    pub workers: Option<usize>,
    /// Memory for decoded images, in MB.
    pub cache: usize,
    /// Folder for the model and its records.
    pub out: Option<PathBuf>,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self { backend: None, server: None, devices: Vec::new(), workers: None, cache: 2048, out: None }
    }
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
    /// Go on where given splits have images of one group on two sides.
    pub allow_shared_groups: bool,
}

/// The network, and what is done to an image before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelSettings {
    /// Its name, such as `lenet++` or `iresnet50`.
    pub backbone: String,
    /// Of ResNet-18 and ResNet-50: cifar, small or imagenet; from the size where not given.
    pub stem: Option<Stem>,
    /// Channels of the first stage; as in insightface for its networks, and otherwise 16, where not given.
    pub width: Option<usize>,
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
    /// Weights to start from: a model file, or a PyTorch state dict of the same backbone.
    pub init: Option<PathBuf>,
    /// Whether they were learned from images in the order blue, green, red.
    pub init_bgr: bool,
    /// Their checksum, which the program fills in: the file may be elsewhere when a training is resumed.
    pub init_checksum: Option<String>,
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
    pub focal_gamma: f64,
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
    /// natural; balanced: all classes equally often; or `{ by-class = { images = 4 } }`: so many of each class of a batch.
    pub sampling: Sampling,
    /// Seed of weights, order and augmentation.
    pub seed: u64,
}

/// What is changed at random in training images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AugmentationSettings(pub Augmentation);

/// Keys without a value of their own: their table, and an example with what holds without them.
const UNSET: [(&str, &str, &str); 19] = [
    ("data", "group-by-name", "\"_\"  # without it every image stands alone"),
    ("model", "stem", "\"small\"  # cifar, small or imagenet; by the size of the images"),
    ("model", "width", "16  # 64 for iresnet18 to iresnet100, 128 for mobilefacenet"),
    ("model", "size", "[32, 32]  # width and height; from the images"),
    ("model", "channels", "3  # 1, 3, or the slices of volumes; from the images"),
    ("model", "region", "[0, 0, 32, 32]  # x, y, width and height that are cut out first"),
    ("model", "mean", "[0.5, 0.5, 0.5]  # measured on the training images"),
    ("model", "std", "[0.25, 0.25, 0.25]  # measured on the training images"),
    ("model", "init", "\"weights.safetensors\"  # random weights"),
    ("loss", "scale", "30.0  # that of the loss"),
    ("loss", "margin", "0.2  # that of the loss"),
    ("loss", "class-weights", "\"balanced\"  # or a number for each class; all alike"),
    (
        "loss",
        "head",
        "{ head = \"margin\", norm_map = { kind = \"sigmoid\", scale = 30.0 }, margin = { kind = \"cosine\", margin = 0.4 } }  \
         # by its parts in place of the name",
    ),
    ("augmentation", "degrade", "{ kind = \"mixed\", fraction = 0.5, severities = [1, 4] }  # none"),
    ("run", "backend", "\"flex\"  # the first that was built in"),
    ("run", "server", "\"ws://gpu:3000\"  # none"),
    ("run", "devices", "[0, 1]  # the default device"),
    ("run", "workers", "2  # one for each core"),
    ("run", "out", "\"runs/mine\"  # runs/train-TIME"),
];

impl Default for DataSettings {
    fn default() -> Self {
        Self { skip_bad: 0, validation: 0.1, group_by_name: None, split_seed: 0, allow_shared_groups: false }
    }
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self {
            backbone: "lenet++".to_owned(),
            stem: None,
            width: None,
            feature_dim: 128,
            size: None,
            channels: None,
            resize: Resize::Stretch,
            region: None,
            mean: None,
            std: None,
            freeze_backbone: false,
            init: None,
            init_bgr: false,
            init_checksum: None,
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
            focal_gamma: 0.0,
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
    /// All of it as TOML. What has no value is a comment that shows how one is given.
    ///
    /// # Errors
    ///
    /// A value that TOML has no form for.
    pub fn to_toml(&self) -> Result<String, CliError> {
        let wrong = |error: toml::ser::Error| CliError::Said(error.to_string());
        let text = toml::to_string_pretty(self).map_err(wrong)?;
        let given = toml::Table::try_from(self).map_err(wrong)?;
        let has = |table: &str, key: &str| given.get(table).is_some_and(|table| table.get(key).is_some());
        let mut lines = Vec::new();
        for line in text.lines() {
            lines.push(line.to_owned());
            let unset =
                UNSET.iter().filter(|(table, key, _)| line == format!("[{table}]") && !has(table, key));
            lines.extend(unset.map(|(_, key, example)| format!("# {key} = {example}")));
        }
        Ok(lines.join("\n") + "\n")
    }

    /// Checks every number.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] with the name of the option and what it may be.
    pub fn validate(&self) -> Result<(), CliError> {
        let share = self.data.validation;
        check("validation", "at least 0 and below 1", share, (0.0..1.0).contains(&share))?;
        at_least_one("width", self.model.width.unwrap_or(1))?;
        at_least_one("feature-dim", self.model.feature_dim)?;
        if let Some([width, height]) = self.model.size {
            at_least_one("size", width.min(height))?;
        }
        if let Some(channels) = self.model.channels {
            let known = channels == 1 || channels == 3 || (8..=255).contains(&channels);
            check("channels", "1, 3, or 8 to 255 for slices", channels, known)?;
        }
        if let Some(server) = &self.run.server {
            let address: Devices = server.parse()?;
            let one = matches!(address.place(), Place::Server(_)) && address.numbers().is_empty();
            check("server", "ws://HOST:PORT, with the numbers in devices", server, one)?;
            check("server", "without a backend beside it", server, self.run.backend.is_none())?;
        }
        // Its size is known when the images are.
        self.backbone(self.model.size.unwrap_or([32, 32]))?;
        self.recipe().validate()?;
        self.head(&[1, 1])?.validate().map_err(Error::from)?;
        Ok(())
    }
}
