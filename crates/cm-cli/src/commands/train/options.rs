//! The flags of `cm train`, which win over the file of settings.

use std::path::PathBuf;

use clap::Args;
use cm_data::{Augmentation, Degradation, RandomDegradation, Resize, Sampling};
use cm_loss_core::Preset;
use cm_models::Stem;
use cm_train::device::Place;

use super::{
    choices::{ClassWeights, Optimizer, ScheduleName},
    settings::Settings,
};
use crate::{error::CliError, files::read_toml, session::SessionOptions, values};

/// Options of `cm train`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cm train photos --out runs/photos\n  cm train list.csv --loss CM-CosFace --epochs 40\n  \
    cm train photos --config examples/recipes/train-photos.toml --dry-run\n  cm train photos --resume runs/photos"
)]
pub struct Options {
    /// An image folder (a sub-folder for each class; train, val and test may be above), a CSV list (path,label), a zip of
    /// either, a record file (.rec), IDX files or .npz
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
    #[arg(long, conflicts_with = "resume")]
    pub print_config: bool,
    /// Say what would be trained, with memory and images/s from a few batches, and do nothing else
    #[arg(long, conflicts_with = "resume")]
    pub dry_run: bool,
    /// Weights to start from: a model file, or a PyTorch state dict (.pth, .safetensors) of the same backbone
    #[arg(long, value_name = "FILE")]
    pub init: Option<PathBuf>,
    /// They were learned from images in the order blue, green, red, as OpenCV reads them
    #[arg(long, requires = "init")]
    pub init_bgr: bool,
    /// Memory for decoded images, in MB [default: 2048]
    #[arg(long, value_name = "MB")]
    pub cache: Option<usize>,

    /// Go on with at most N files that cannot be used left out
    #[arg(long, value_name = "N", help_heading = "Data")]
    pub skip_bad: Option<usize>,
    /// Share of the training images that the best epoch is chosen by, where the data have no such part
    #[arg(long, value_name = "SHARE", help_heading = "Data")]
    pub validation: Option<f64>,
    /// Go on where the data have images of one group in two parts
    #[arg(long, help_heading = "Data")]
    pub allow_shared_groups: bool,
    /// Seed of the split
    #[arg(long, value_name = "SEED", help_heading = "Data")]
    pub split_seed: Option<u64>,
    /// Images of a class whose names agree up to the last of these characters belong together
    #[arg(long, value_name = "SEPARATOR", help_heading = "Data")]
    pub group_by_name: Option<String>,

    /// The network [default: lenet++]
    #[arg(long, value_parser = values::backbone(), help_heading = "Model")]
    pub backbone: Option<String>,
    /// Of resnet18 and resnet50: cifar (below 24 pixels), small (below 96) or imagenet [default: by the size of the images]
    #[arg(long, value_parser = values::named::<Stem>(STEMS), help_heading = "Model")]
    pub stem: Option<Stem>,
    /// Channels of the first stage [default: 64 for iresnet18 to iresnet100, 128 for mobilefacenet, otherwise 16]
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
    #[arg(long, value_parser = values::named::<Resize>(RESIZES), help_heading = "Model")]
    pub resize: Option<Resize>,
    /// Part that is cut out of every image first: X,Y,WIDTH,HEIGHT
    #[arg(long, value_delimiter = ',', num_args = 4, value_name = "PIXELS", help_heading = "Model")]
    pub region: Option<Vec<usize>>,
    /// Mean of each channel, from 0 to 1 [default: of the training images]
    #[arg(long, value_delimiter = ',', help_heading = "Model")]
    pub mean: Option<Vec<f32>>,
    /// Standard deviation of each channel [default: of the training images]
    #[arg(long, value_delimiter = ',', help_heading = "Model")]
    pub std: Option<Vec<f32>>,
    /// Train the head alone
    #[arg(long, help_heading = "Model")]
    pub freeze_backbone: bool,

    /// The loss, by its name in the literature [default: CosFace]
    #[arg(long, value_parser = values::loss(), help_heading = "Loss")]
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
    /// Focal modulation; 0 for none
    #[arg(long, help_heading = "Loss")]
    pub focal_gamma: Option<f64>,

    /// Passes over the training images
    #[arg(long, help_heading = "Training")]
    pub epochs: Option<usize>,
    /// Images a step
    #[arg(long, help_heading = "Training")]
    pub batch_size: Option<usize>,
    /// How gradients change the weights
    #[arg(long, value_parser = values::named::<Optimizer>(Optimizer::NAMES), help_heading = "Training")]
    pub optimizer: Option<Optimizer>,
    /// Largest learning rate
    #[arg(long, help_heading = "Training")]
    pub learning_rate: Option<f64>,
    /// Momentum of sgd
    #[arg(long, help_heading = "Training")]
    pub momentum: Option<f64>,
    /// Weight decay
    #[arg(long, help_heading = "Training")]
    pub weight_decay: Option<f64>,
    /// How the learning rate changes over the training
    #[arg(long, value_parser = values::named::<ScheduleName>(ScheduleName::NAMES), help_heading = "Training")]
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
    #[arg(long, value_parser = values::named::<Sampling>(SAMPLINGS), help_heading = "Training")]
    pub sampling: Option<Sampling>,
    /// So many images of each of its classes in a batch, whose size is a multiple of it
    #[arg(long, value_name = "K", conflicts_with = "sampling", help_heading = "Training")]
    pub images_per_class: Option<usize>,
    /// Seed of weights, order and augmentation
    #[arg(long, help_heading = "Training")]
    pub seed: Option<u64>,

    /// No random changes of training images
    #[arg(long, help_heading = "Augmentation")]
    pub no_augmentation: bool,
    /// Mirror every second image
    #[arg(long, help_heading = "Augmentation")]
    pub flip: bool,
    /// Turn every second image upside down, by mirroring
    #[arg(long, help_heading = "Augmentation")]
    pub vertical_flip: bool,
    /// Largest shift, as a share of the side
    #[arg(long, help_heading = "Augmentation")]
    pub shift: Option<f32>,
    /// Smallest and largest factor of size: LEAST,MOST
    #[arg(long, value_delimiter = ',', num_args = 2, value_name = "FACTORS", help_heading = "Augmentation")]
    pub scaling: Option<Vec<f32>>,
    /// Largest rotation, in degrees
    #[arg(long, help_heading = "Augmentation")]
    pub rotation: Option<f32>,
    /// Strength of changes of brightness, contrast and saturation
    #[arg(long, help_heading = "Augmentation")]
    pub color: Option<f32>,
    /// Share of images that are degraded: blurred, noisy, occluded, ... with a severity from 1 to 4
    #[arg(long, value_name = "SHARE", help_heading = "Augmentation")]
    pub degrade: Option<f32>,
    /// Share of images with a rectangle erased
    #[arg(long, help_heading = "Augmentation")]
    pub erasing: Option<f32>,

    #[command(flatten)]
    pub session: SessionOptions,
}

/// Width and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub [usize; 2]);

/// Values of `--resize`, `--stem` and `--sampling`.
pub const RESIZES: [&str; 4] = ["stretch", "crop", "fit", "none"];
pub const STEMS: [&str; 3] = ["cifar", "small", "imagenet"];
pub const SAMPLINGS: [&str; 2] = ["natural", "balanced"];

/// Reads a width and height, or one number for both.
pub fn size(text: &str) -> Result<Size, String> {
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
    /// A file that cannot be understood; devices that contradict each other.
    pub fn settings(&self) -> Result<Settings, CliError> {
        if self.session.compute.device.is_some() {
            // Numbers in two places.
            self.session.compute.devices(&self.session.devices)?;
        }
        Ok(self.over(match &self.config {
            Some(path) => read_toml(path)?,
            None => Settings::default(),
        }))
    }

    /// These settings, with what the flags say in its place.
    pub fn over(&self, mut settings: Settings) -> Settings {
        if self.no_augmentation {
            settings.augmentation.0 = Augmentation::default();
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
            split_seed => data.split_seed,
            group_by_name => data.group_by_name,
            backbone => model.backbone,
            stem => model.stem,
            feature_dim => model.feature_dim,
            channels => model.channels,
            resize => model.resize,
            mean => model.mean,
            std => model.std,
            init => model.init,
            loss => loss.name,
            scale => loss.scale,
            margin => loss.margin,
            class_weights => loss.class_weights,
            label_smoothing => loss.label_smoothing,
            focal_gamma => loss.focal_gamma,
            epochs => training.epochs,
            batch_size => training.batch_size,
            optimizer => training.optimizer,
            learning_rate => training.learning_rate,
            momentum => training.momentum,
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
            cache => run.cache,
            out => run.out,
        }
        if let Some(Size(size)) = self.size {
            settings.model.size = Some(size);
        }
        if let Some(images) = self.images_per_class {
            settings.training.sampling = Sampling::ByClass { images };
        }
        settings.model.width = self.width.or(settings.model.width);
        if let Some(&[x, y, width, height]) = self.region.as_deref() {
            settings.model.region = Some([x, y, width, height]);
        }
        if let Some(&[least, most]) = self.scaling.as_deref() {
            settings.augmentation.0.scale = [least, most];
        }
        if let Some(fraction) = self.degrade {
            let kind = Degradation::Mixed;
            settings.augmentation.0.degrade =
                Some(RandomDegradation { kind, fraction, severities: [1, 4], without: None });
        }
        settings.data.allow_shared_groups |= self.allow_shared_groups;
        settings.model.freeze_backbone |= self.freeze_backbone;
        settings.model.init_bgr |= self.init_bgr;
        settings.augmentation.0.flip |= self.flip;
        settings.augmentation.0.vertical_flip |= self.vertical_flip;
        if let Some(device) = &self.session.compute.device {
            (settings.run.backend, settings.run.server) = match device.place() {
                Place::Here(backend) => (Some(*backend), None),
                Place::Server(url) => (None, Some(url.clone())),
            };
            settings.run.devices = device.numbers().to_vec();
        }
        if let Some(backend) = self.session.compute.backend {
            if settings.run.server.is_some() || settings.run.backend != Some(backend) {
                // They are numbers of other devices.
                settings.run.devices.clear();
            }
            (settings.run.backend, settings.run.server) = (Some(backend), None);
        }
        if !self.session.devices.is_empty() {
            settings.run.devices.clone_from(&self.session.devices);
        }
        settings.run.workers = self.session.compute.workers.or(settings.run.workers);
        settings
    }
}
