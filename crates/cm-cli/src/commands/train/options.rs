//! The flags of `cm train`, which win over the file of settings.

use std::path::PathBuf;

use clap::Args;
use cm_data::{Resize, Sampling};
use cm_loss_core::Preset;

use super::{
    choices::{ClassWeights, Optimizer, ScheduleName, named},
    settings::Settings,
};
use crate::{error::CliError, session::SessionOptions};

/// Options of `cm train`.
#[derive(Debug, Args)]
pub struct Options {
    /// An image folder (a sub-folder for each class; train, val and test may be above), a CSV list (path,label), a zip of
    /// either, or IDX files
    #[arg(required_unless_present = "print_config")]
    pub data: Option<PathBuf>,
    /// Folder for the model and its records [default: runs/train-TIME]
    #[arg(long, conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Go on with the training in this folder; --epochs may be raised
    #[arg(long, value_name = "FOLDER", conflicts_with = "config")]
    pub resume: Option<PathBuf>,
    /// With --resume: train again what diverged
    #[arg(long, requires = "resume")]
    pub retry_diverged: bool,
    /// A TOML file of settings; flags win over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print all settings as such a file, and do nothing else
    #[arg(long)]
    pub print_config: bool,
    /// Say what would be trained, with memory and images/s from a few batches, and do nothing else
    #[arg(long)]
    pub dry_run: bool,
    /// Weights to start from: a model file, or a PyTorch state dict (.pth, .safetensors) of the same backbone
    #[arg(long, value_name = "FILE")]
    pub init: Option<PathBuf>,
    /// Memory for decoded images, in MB
    #[arg(long, value_name = "MB", default_value_t = 2048)]
    pub cache: usize,

    /// Go on with at most N files that cannot be used left out
    #[arg(long, value_name = "N", help_heading = "Data")]
    pub skip_bad: Option<usize>,
    /// Share of the training images that the best epoch is chosen by, where the data have no such part
    #[arg(long, value_name = "SHARE", help_heading = "Data")]
    pub validation: Option<f64>,
    /// Images of a class whose names agree up to the last of these characters belong together
    #[arg(long, value_name = "SEPARATOR", help_heading = "Data")]
    pub group_by_name: Option<String>,

    /// lenet++, resnet18 or sphereface20
    #[arg(long, help_heading = "Model")]
    pub backbone: Option<String>,
    /// Channels of the first stage
    #[arg(long, help_heading = "Model")]
    pub width: Option<usize>,
    /// Dimensions of the feature
    #[arg(long, help_heading = "Model")]
    pub feature_dim: Option<usize>,
    /// Side in pixels that images are brought to, or WIDTHxHEIGHT [default: from the images]
    #[arg(long, value_parser = size, help_heading = "Model")]
    pub size: Option<Size>,
    /// 1 (gray) or 3 (color) [default: from the images]
    #[arg(long, help_heading = "Model")]
    pub channels: Option<usize>,
    /// stretch, crop (the middle), fit (with bars), or none
    #[arg(long, value_parser = resize, help_heading = "Model")]
    pub resize: Option<Resize>,
    /// Train the head alone
    #[arg(long, help_heading = "Model")]
    pub freeze_backbone: bool,

    /// The loss, by its name in the literature; a wrong name lists them
    #[arg(long, help_heading = "Loss")]
    pub loss: Option<Preset>,
    /// Its scale
    #[arg(long, help_heading = "Loss")]
    pub scale: Option<f64>,
    /// Its margin
    #[arg(long, help_heading = "Loss")]
    pub margin: Option<f64>,
    /// balanced, or a number for each class
    #[arg(long, help_heading = "Loss")]
    pub class_weights: Option<ClassWeights>,
    /// Share of the target's probability that is spread over all classes
    #[arg(long, help_heading = "Loss")]
    pub label_smoothing: Option<f64>,

    /// Passes over the training images
    #[arg(long, help_heading = "Training")]
    pub epochs: Option<usize>,
    /// Images a step
    #[arg(long, help_heading = "Training")]
    pub batch_size: Option<usize>,
    /// sgd or adam-w
    #[arg(long, help_heading = "Training")]
    pub optimizer: Option<Optimizer>,
    /// Largest learning rate
    #[arg(long, help_heading = "Training")]
    pub learning_rate: Option<f64>,
    /// Weight decay
    #[arg(long, help_heading = "Training")]
    pub weight_decay: Option<f64>,
    /// constant, cosine, one-cycle or step
    #[arg(long, help_heading = "Training")]
    pub schedule: Option<ScheduleName>,
    /// Epochs over which the learning rate first rises
    #[arg(long, help_heading = "Training")]
    pub warm_up_epochs: Option<f64>,
    /// Largest norm of all gradients together; 0 for no clipping
    #[arg(long, help_heading = "Training")]
    pub max_grad_norm: Option<f64>,
    /// End after so many epochs without a better validation accuracy; 0: never
    #[arg(long, value_name = "EPOCHS", help_heading = "Training")]
    pub early_stopping: Option<usize>,
    /// natural, or balanced: all classes equally often
    #[arg(long, value_parser = sampling, help_heading = "Training")]
    pub sampling: Option<Sampling>,
    /// Seed of weights, order and augmentation
    #[arg(long, help_heading = "Training")]
    pub seed: Option<u64>,

    /// No random changes of training images
    #[arg(long, help_heading = "Augmentation")]
    pub no_augmentation: bool,
    /// Mirror every second image
    #[arg(long, help_heading = "Augmentation")]
    pub flip: bool,
    /// Largest shift, as a share of the side
    #[arg(long, help_heading = "Augmentation")]
    pub shift: Option<f32>,
    /// Largest rotation, in degrees
    #[arg(long, help_heading = "Augmentation")]
    pub rotation: Option<f32>,
    /// Strength of changes of brightness, contrast and saturation
    #[arg(long, help_heading = "Augmentation")]
    pub color: Option<f32>,
    /// Share of images with a rectangle erased
    #[arg(long, help_heading = "Augmentation")]
    pub erasing: Option<f32>,

    #[command(flatten)]
    pub session: SessionOptions,
}

/// Width and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub [usize; 2]);

fn resize(name: &str) -> Result<Resize, cm_train::Error> {
    named("resize", "stretch, crop, fit or none", name)
}

fn sampling(name: &str) -> Result<Sampling, cm_train::Error> {
    named("sampling", "natural or balanced", name)
}

fn size(text: &str) -> Result<Size, String> {
    let side =
        |text: &str| text.parse::<usize>().map_err(|_| format!("\"{text}\" is not a number of pixels"));
    match text.split_once('x') {
        Some((width, height)) => Ok(Size([side(width)?, side(height)?])),
        None => side(text).map(|side| Size([side, side])),
    }
}

impl Options {
    /// The settings of the file, if there is one, with the flags.
    ///
    /// # Errors
    ///
    /// A file that cannot be understood.
    pub fn settings(&self) -> Result<Settings, CliError> {
        let mut settings = match &self.config {
            Some(path) => Settings::read(path)?,
            None => Settings::default(),
        };
        if self.no_augmentation {
            settings.augmentation.0 = cm_data::Augmentation::default();
        }
        /// Replaces a value by the option, if it was given.
        macro_rules! take {
            ($($option:ident => $($place:tt).+),* $(,)?) => {
                $(if let Some(value) = &self.$option { settings.$($place).+ = value.clone().into(); })*
            };
        }
        take! {
            skip_bad => data.skip_bad,
            validation => data.validation,
            group_by_name => data.group_by_name,
            backbone => model.backbone,
            width => model.width,
            feature_dim => model.feature_dim,
            channels => model.channels,
            resize => model.resize,
            loss => loss.name,
            scale => loss.scale,
            margin => loss.margin,
            class_weights => loss.class_weights,
            label_smoothing => loss.label_smoothing,
            epochs => training.epochs,
            batch_size => training.batch_size,
            optimizer => training.optimizer,
            learning_rate => training.learning_rate,
            weight_decay => training.weight_decay,
            schedule => training.schedule,
            warm_up_epochs => training.warm_up_epochs,
            max_grad_norm => training.max_grad_norm,
            early_stopping => training.early_stopping,
            sampling => training.sampling,
            seed => training.seed,
            shift => augmentation.0.shift,
            rotation => augmentation.0.rotation,
            color => augmentation.0.color,
            erasing => augmentation.0.erasing,
        }
        if let Some(Size(size)) = self.size {
            settings.model.size = Some(size);
        }
        settings.model.freeze_backbone |= self.freeze_backbone;
        settings.augmentation.0.flip |= self.flip;
        Ok(settings)
    }
}
