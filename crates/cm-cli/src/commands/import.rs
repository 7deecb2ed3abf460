//! `cm import`: a model file from the weights of another program.

use std::path::{Path, PathBuf};

use burn::tensor::Tensor;
use clap::Args;
use cm_data::{InputSpec, Resize};
use cm_loss_core::Preset;
use cm_models::{
    Stem,
    weights::{ChannelOrder, ForeignReport, class_centers, load_foreign},
};
use cm_train::{
    Error,
    classifier::Classifier,
    device::Backend,
    model::{CARD_FORMAT, ModelCard, Provenance, save},
};

use super::train::{ModelSettings, RESIZES, STEMS, Settings, Size, size};
use crate::{error::CliError, session::program, values};

/// The class of a model without class centers.
const UNKNOWN: &str = "unknown";

/// Options of `cm import`.
#[derive(Debug, Args)]
#[command(
    after_help = "WEIGHTS is a state dict of PyTorch, a checkpoint with one in it, or a safetensors file. What images are brought to is \
    what the weights were learned from: for those of insightface 112 pixels, RGB, mean and deviation 0.5.\n\nExamples:\n  \
    cm import backbone.pth model.safetensors --backbone iresnet50 --width 64\n  \
    cm import checkpoint_gpu_0.pt model.safetensors --backbone iresnet18 --width 64 --centers checkpoint_gpu_0.pt\n  \
    cm import resnet18.pth model.safetensors --backbone resnet18 --width 64 --feature-dim 1000 --size 224 \
    --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"
)]
pub struct Options {
    /// The file of weights
    weights: PathBuf,
    /// The model file to write
    model: PathBuf,
    /// The network
    #[arg(long, value_parser = values::backbone())]
    backbone: String,
    /// Of resnet18 and resnet50: cifar, small or imagenet [default: by the size]
    #[arg(long, value_parser = values::named::<Stem>(STEMS))]
    stem: Option<Stem>,
    /// Channels of the first stage [default: 64 for iresnet18 to iresnet100, 128 for mobilefacenet, otherwise 16]
    #[arg(long)]
    width: Option<usize>,
    /// Dimensions of the feature
    #[arg(long, default_value_t = 512)]
    feature_dim: usize,
    /// Side in pixels that images are brought to, or WIDTHxHEIGHT
    #[arg(long, value_parser = size, default_value = "112")]
    size: Size,
    /// 1 (gray) or 3 (color)
    #[arg(long, default_value_t = 3)]
    channels: usize,
    /// stretch, crop (the middle), fit (with bars), or none
    #[arg(long, value_parser = values::named::<Resize>(RESIZES), default_value = "stretch")]
    resize: Resize,
    /// Part that is cut out of every image first: X,Y,WIDTH,HEIGHT
    #[arg(long, value_delimiter = ',', num_args = 4, value_name = "PIXELS")]
    region: Option<Vec<usize>>,
    /// Mean of each channel, from 0 to 1; one for all is enough
    #[arg(long, value_delimiter = ',', default_value = "0.5")]
    mean: Vec<f32>,
    /// Standard deviation of each channel; one for all is enough
    #[arg(long, value_delimiter = ',', default_value = "0.5")]
    std: Vec<f32>,
    /// The weights were learned from images in the order blue, green, red, as OpenCV reads them
    #[arg(long)]
    bgr: bool,
    /// The file that holds the class centers as well; the checkpoint itself may be it
    #[arg(long, value_name = "FILE")]
    centers: Option<PathBuf>,
    /// Full name of the tensor of the centers, where several may be it
    #[arg(long, value_name = "NAME", requires = "centers")]
    centers_name: Option<String>,
    /// Names of the classes, one a line, in the order of the centers [default: their numbers]
    #[arg(long, value_name = "FILE", requires = "centers")]
    classes: Option<PathBuf>,
    /// The loss that the centers were learned with
    #[arg(long, value_parser = values::loss(), default_value = "CosFace")]
    loss: Preset,
}

/// Writes the model file.
pub fn run(options: &Options) -> Result<(), CliError> {
    // Only numbers are read here; any backend has them.
    let device = Backend::choose(None)?.device()?;
    let of = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Weights { path, source }
    };
    let centers = options.centers.as_ref().map(|path| {
        class_centers(path, options.feature_dim, options.centers_name.as_deref()).map_err(of(path))
    });
    let centers = centers.transpose()?;
    let count = centers.as_ref().map_or(1, |centers| centers.shape()[0]);
    let card = options.card(count)?;
    let mut network = Classifier::new(card.parts(), 0, &device)?;
    let order = if options.bgr { ChannelOrder::Bgr } else { ChannelOrder::Rgb };
    let (backbone, report) =
        load_foreign(network.backbone, &options.weights, order).map_err(of(&options.weights))?;
    if !report.untouched.is_empty() {
        return Err(CliError::Said(format!(
            "{} has nothing for {} of the tensors of {}: {}; what it has beside those taken: {}; the network must be the one that the \
             weights are of, see --backbone, --width, --feature-dim, --size and --channels{}",
            options.weights.display(),
            report.untouched.len(),
            options.backbone,
            listed(&report.untouched),
            listed(&report.skipped),
            report.fits.map_or(String::new(), |name| format!("; its blocks are those of {name}"))
        )));
    }
    network.backbone = backbone;
    if let Some(centers) = centers {
        let centers = Tensor::from_data(centers.convert::<f32>(), &device);
        network.head = network.head.with_class_centers(centers).map_err(Error::from)?;
    }
    save(&options.model, &card, &network)?;
    say(&options.weights, &report);
    eprintln!("wrote {}", options.model.display());
    Ok(())
}

impl Options {
    fn card(&self, classes: usize) -> Result<ModelCard, CliError> {
        let Size([width, height]) = self.size;
        let settings = Settings {
            model: ModelSettings {
                backbone: self.backbone.clone(),
                stem: self.stem,
                width: self.width,
                feature_dim: self.feature_dim,
                size: Some([width, height]),
                channels: Some(self.channels),
                ..ModelSettings::default()
            },
            ..Settings::default()
        };
        settings.validate()?;
        let program = program();
        let file = self.weights.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(ModelCard {
            format: CARD_FORMAT,
            backbone: settings.backbone([width, height])?,
            feature_dim: self.feature_dim,
            loss: self.loss.name().to_owned(),
            head: self.loss.config(),
            classes: self.class_names(classes)?,
            input: InputSpec {
                width,
                height,
                channels: self.channels,
                region: self.region.as_deref().and_then(|region| <[usize; 4]>::try_from(region).ok()),
                resize: self.resize,
                mean: self.of_channels("mean", &self.mean)?,
                std: self.of_channels("std", &self.std)?,
            },
            provenance: Provenance {
                init: file,
                version: program.version,
                commit: program.commit,
                ..Provenance::default()
            },
            norms: None,
            quality: None,
        })
    }

    fn class_names(&self, count: usize) -> Result<Vec<String>, CliError> {
        let Some(path) = &self.classes else {
            return Ok(match self.centers {
                Some(_) => (0..count).map(|class| class.to_string()).collect(),
                None => vec![UNKNOWN.to_owned()],
            });
        };
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        let names: Vec<String> = text.lines().map(str::to_owned).collect();
        if names.len() != count {
            return Err(CliError::Said(format!(
                "{} has {} lines, and there are {count} class centers: give one name a line, in their order",
                path.display(),
                names.len()
            )));
        }
        Ok(names)
    }

    fn of_channels(&self, option: &str, values: &[f32]) -> Result<Vec<f32>, CliError> {
        match values {
            [one] => Ok(vec![*one; self.channels]),
            values if values.len() == self.channels => Ok(values.to_vec()),
            values => Err(CliError::Said(format!(
                "--{option} has {} numbers, and the images have {} channels: give one for each, or one for all",
                values.len(),
                self.channels
            ))),
        }
    }
}

/// The first few of many, and how many there are besides.
fn listed(sentences: &[String]) -> String {
    const NAMED: usize = 8;
    let named = sentences.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match sentences.len() {
        0 => "nothing".to_owned(),
        all if all > NAMED => format!("{named}, and {} more", all - NAMED),
        _ => named,
    }
}

/// Says what was taken from a file of weights.
pub fn say(path: &Path, report: &ForeignReport) {
    eprintln!("{}: {} tensors taken", path.display(), report.loaded.len());
    for skipped in &report.skipped {
        eprintln!("  left out: {skipped}");
    }
    if !report.untouched.is_empty() {
        eprintln!("  not in the file: {}", report.untouched.join(", "));
    }
}
