//! Weights of the same network from elsewhere, as far as they fit.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use burn::tensor::TensorData;

use super::{
    WeightsError,
    container::{self, Stored},
    pickle,
    read::{Filler, Wanted, prepared, wanted},
};
use crate::{Backbone, IResNet};

/// What training programs put before the names of torchvision.
const PREFIXES: [&str; 5] = ["state_dict.", "state_dict_backbone.", "model.", "module.", "backbone."];
/// The kernels that see the image, in whichever network.
const STEMS: [&str; 4] = [
    "conv1.weight",
    "layers.0.layers.0.weight",
    "stages.0.convolutions.0.weight",
    "stages.0.down.convolution.weight",
];
/// The layers of MobileFaceNet that give the feature its dimensions, which have numbers as its blocks have.
const LAST: &str = "features.";
/// What PyTorch counts beside the running statistics and uses only where it has no momentum.
const COUNTER: &str = "num_batches_tracked";

/// The order of the color channels of the images that weights were learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChannelOrder {
    /// Red, green, blue, as everything here has it.
    #[default]
    Rgb,
    /// Blue, green, red, as OpenCV reads images. The kernels that see the image are reversed, so that the network takes RGB.
    Bgr,
}

/// What was taken from a foreign file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignReport {
    /// Names of the tensors that were taken.
    pub loaded: Vec<String>,
    /// Tensors of the file that were not, with the reason: one sentence each.
    pub skipped: Vec<String>,
    /// Names of the tensors of the network that the file has nothing for, and that are as they
    /// were.
    pub untouched: Vec<String>,
    /// The backbone that has as many blocks as the file, where one is known.
    pub fits: Option<&'static str>,
}

impl ForeignReport {
    /// Whether a training can go on from the weights: the first layer, the last one and its normalization may be new, but no
    /// block between them.
    ///
    /// # Errors
    ///
    /// [`WeightsError::Partial`] if a block is as it was.
    pub fn require_blocks(&self, backbone: &Backbone) -> Result<(), WeightsError> {
        let is_inside = |name: &&String| {
            let is_numbered = name.split('.').any(|part| part.parse::<usize>().is_ok());
            is_numbered && !STEMS.contains(&name.as_str()) && !name.starts_with(LAST)
        };
        let untouched: Vec<String> = self.untouched.iter().filter(is_inside).cloned().collect();
        if untouched.is_empty() {
            return Ok(());
        }
        let (skipped, fits) = (self.skipped.clone(), self.fits);
        Err(WeightsError::Partial { backbone: backbone.name(), untouched, skipped, fits })
    }
}

/// The backbone with the weights of a file that another program wrote, as far as they fit.
///
/// The file is one of PyTorch (`.pth`, `.pt`: a state dict, or a checkpoint with one in it) or
/// safetensors; its content tells which. Tensors have the names of torchvision, timm or
/// insightface, with or without `state_dict.`, `state_dict_backbone.`, `model.`, `module.` or
/// `backbone.` before them. What has another shape is left out: a last layer for other classes,
/// another stem. A stem for three channels is summed over them where the images are gray.
///
/// # Errors
///
/// [`WeightsError::Io`], [`WeightsError::Damaged`] or [`WeightsError::Foreign`] if the file cannot
/// be read; [`WeightsError::NothingFits`] if nothing was taken; [`WeightsError::Deeper`] if the file
/// has more blocks than the backbone, as that of IResNet-100 has for IResNet-50. As everywhere here, who knows the
/// file names it.
pub fn load_foreign(
    backbone: Backbone,
    path: &Path,
    order: ChannelOrder,
) -> Result<(Backbone, ForeignReport), WeightsError> {
    if is_safetensors(path)? {
        let bytes = fs::read(path)?;
        fill(backbone, container::tensors(&bytes)?, order, |bytes| Ok(bytes.to_vec()))
    } else {
        fill(backbone, pickle::tensors(path)?, order, pickle::read)
    }
}

/// The header of a safetensors file comes after eight bytes with its length, and begins with a
/// brace. No file of PyTorch has one there.
pub(super) fn is_safetensors(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    File::open(path)?.take(9).read_to_end(&mut beginning)?;
    Ok(beginning.get(8) == Some(&b'{'))
}

fn fill<B>(
    backbone: Backbone,
    found: BTreeMap<String, Stored<B>>,
    order: ChannelOrder,
    read: impl Fn(&B) -> Result<Vec<u8>, WeightsError>,
) -> Result<(Backbone, ForeignReport), WeightsError> {
    let wanted = wanted(&backbone);
    let blocks = Blocks::of(found.keys().map(|full| without_prefixes(full)));
    let fits = fitting(&blocks, found.keys().map(|full| without_prefixes(full)));
    let mut chosen: BTreeMap<String, (Fit, Stored<Vec<u8>>)> = BTreeMap::new();
    let mut skipped = Vec::new();
    for (full, stored) in found {
        // MagFace has `features.` before all names, of which one in the network itself is `features.weight`.
        let name = without_prefixes(&full);
        let inner = name.strip_prefix("features.").map(without_prefixes);
        let name =
            inner.filter(|inner| !wanted.contains_key(name) && wanted.contains_key(*inner)).unwrap_or(name);
        if name.rsplit('.').next() == Some(COUNTER) {
            continue;
        }
        let fit = match wanted.get(name) {
            None => Err(format!("{:?} is not in the network", stored.shape)),
            Some(_) if chosen.contains_key(name) => {
                Err(format!("is left out, since {name} was found before"))
            }
            Some(wanted) => Fit::of(wanted, &stored),
        };
        match fit {
            Ok(fit) => {
                let bytes = read(&stored.bytes)?;
                let stored = Stored { dtype: stored.dtype, shape: stored.shape, bytes };
                chosen.insert(name.to_owned(), (fit, stored));
            }
            Err(reason) => skipped.push(format!("{full} {reason}")),
        }
    }
    let own = Blocks::of(wanted.keys().map(String::as_str));
    let lists = blocks.more_than(&own);
    if !chosen.is_empty() && !lists.is_empty() {
        return Err(WeightsError::Deeper { backbone: backbone.name(), lists, fits });
    }
    if chosen.is_empty() {
        return Err(WeightsError::NothingFits { backbone: backbone.name(), skipped });
    }
    let loaded = chosen.iter().map(|(name, (fit, _))| fit.in_words(name)).collect();
    let untouched = wanted.keys().filter(|name| !chosen.contains_key(*name)).cloned().collect();
    let gray: Vec<String> =
        chosen.iter().filter(|(_, (fit, _))| *fit == Fit::Summed).map(|(name, _)| name.clone()).collect();
    let chosen = chosen.into_iter().map(|(name, (_, stored))| (name, stored)).collect();
    let mut tensors = prepared(&wanted, chosen)?;
    for name in &gray {
        tensors.entry(name.clone()).and_modify(|tensor| *tensor = summed_over_channels(tensor));
    }
    if order == ChannelOrder::Bgr {
        for stem in STEMS {
            tensors.entry(stem.to_owned()).and_modify(|tensor| *tensor = with_channels_reversed(tensor));
        }
    }
    Ok((Filler::fill(backbone, tensors), ForeignReport { loaded, skipped, untouched, fits }))
}

/// The backbone that has blocks like these.
fn fitting<'a>(blocks: &Blocks, mut names: impl Iterator<Item = &'a str> + Clone) -> Option<&'static str> {
    let stages = blocks.stages();
    if names.clone().any(|name| name == "layer1.0.prelu.weight") {
        return IResNet::with_blocks(&stages);
    }
    match (names.any(|name| name == "layer1.0.conv3.weight"), &stages[..]) {
        (false, [2, 2, 2, 2]) => Some("resnet18"),
        (true, [3, 4, 6, 3]) => Some("resnet50"),
        _ => None,
    }
}

/// How many blocks each list has, such as `layer3`, of which there is a tensor `layer3.12.conv1.weight`.
struct Blocks(BTreeMap<String, usize>);

impl Blocks {
    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut lists = BTreeMap::new();
        for name in names {
            let mut list = 0;
            for part in name.split('.') {
                if let (Ok(at), true) = (part.parse::<usize>(), list > 0) {
                    let count = lists.entry(name[..list - 1].to_owned()).or_insert(0);
                    *count = (at + 1).max(*count);
                }
                list += part.len() + 1;
            }
        }
        Self(lists)
    }

    /// Those of `layer1` to `layer4`.
    fn stages(&self) -> Vec<usize> {
        (1..).map_while(|stage| self.0.get(&format!("layer{stage}")).copied()).collect()
    }

    /// A sentence for each list that has more here.
    fn more_than(&self, other: &Self) -> Vec<String> {
        let longer = |(list, &count): (&String, &usize)| {
            let own = *other.0.get(list)?;
            (count > own).then(|| format!("{list} has {count} blocks and not {own}"))
        };
        self.0.iter().filter_map(longer).collect()
    }
}

fn without_prefixes(full: &str) -> &str {
    let mut name = full;
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)) {
        name = rest;
    }
    name
}

/// How a tensor is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    AsIs,
    /// The kernels of a color image, for a gray one.
    Summed,
}

impl Fit {
    fn of<B>(wanted: &Wanted, found: &Stored<B>) -> Result<Self, String> {
        let Some(refusal) = wanted.refusal(found) else { return Ok(Self::AsIs) };
        let (&[_, 1, ..], &[kernels, 3, height, width]) = (&wanted.shape[..], &found.shape[..]) else {
            return Err(refusal);
        };
        let gray = Stored { dtype: found.dtype, shape: vec![kernels, 1, height, width], bytes: () };
        wanted.refusal(&gray).map_or(Ok(Self::Summed), |_| Err(refusal))
    }

    fn in_words(self, name: &str) -> String {
        match self {
            Self::AsIs => name.to_owned(),
            Self::Summed => format!("{name}, summed over its 3 channels for gray images"),
        }
    }
}

/// `[kernels, channels, height, width]` with the last channel first.
fn with_channels_reversed(kernels: &TensorData) -> TensorData {
    let &[_, channels, height, width] = &kernels.shape()[..] else {
        // Of a volume there is one channel.
        return kernels.clone();
    };
    let values: Vec<f32> = kernels.iter::<f32>().collect();
    let reversed = values.chunks_exact(channels * height * width);
    let reversed = reversed.flat_map(|kernel| kernel.chunks_exact(height * width).rev().flatten().copied());
    TensorData::new(reversed.collect(), kernels.shape().clone())
}

/// `[kernels, channels, height, width]` to `[kernels, 1, height, width]`.
fn summed_over_channels(kernels: &TensorData) -> TensorData {
    let &[count, channels, height, width] = &kernels.shape()[..] else {
        unreachable!("only kernels of images are summed")
    };
    let values: Vec<f32> = kernels.iter::<f32>().collect();
    let pixels = height * width;
    let sum = |kernel: usize, pixel: usize| -> f32 {
        (0..channels).map(|channel| values[(kernel * channels + channel) * pixels + pixel]).sum()
    };
    let sums = (0..count).flat_map(|kernel| (0..pixels).map(move |pixel| (kernel, pixel)));
    let sums: Vec<f32> = sums.map(|(kernel, pixel)| sum(kernel, pixel)).collect();
    TensorData::new(sums, [count, 1, height, width])
}
