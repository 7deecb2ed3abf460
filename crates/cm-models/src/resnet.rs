//! ResNets for images of any kind, with 18 or 50 layers.

use burn::{
    module::Module,
    nn::{
        BatchNorm, Linear, LinearConfig, PaddingConfig2d, Relu,
        conv::Conv2d,
        pool::{MaxPool2d, MaxPool2dConfig},
    },
    tensor::{Device, Tensor},
};
use cm_kernels::Fast;
use serde::{Deserialize, Serialize};

use crate::{
    BackboneError,
    error::Sizes,
    onnx::{Graph, Value},
    residual::{Block, Kind, convolution, mean_over_image, norm, stage},
};

/// What comes before the first stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stem {
    /// A 3x3 convolution: for images of about 32 x 32 pixels, as those of CIFAR.
    Cifar,
    /// A 3x3 convolution and a 2x2 maximum: for images of about 64 x 64 pixels.
    #[default]
    Small,
    /// A 7x7 convolution and a 3x3 maximum, both with stride 2: for large images, as those of
    /// ImageNet. The stem of the paper and of torchvision.
    Imagenet,
}

impl Stem {
    /// By how much the network shrinks an image: the stem, and three stages with stride 2.
    fn reduction(self) -> usize {
        match self {
            Self::Cifar => 8,
            Self::Small => 16,
            Self::Imagenet => 32,
        }
    }

    fn convolution(self, channels: [usize; 2], device: &Device) -> Conv2d {
        match self {
            Self::Cifar | Self::Small => convolution(channels, 3, 1, device),
            Self::Imagenet => convolution(channels, 7, 2, device),
        }
    }

    fn pool(self) -> Option<MaxPool2d> {
        let pool = |size: usize| MaxPool2dConfig::new([size, size]).with_strides([2, 2]);
        match self {
            Self::Cifar => None,
            Self::Small => Some(pool(2).init()),
            Self::Imagenet => Some(pool(3).with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)).init()),
        }
    }

    fn way_out(self) -> &'static str {
        match self {
            Self::Cifar => "enlarge the images",
            Self::Small => "enlarge the images, or take the stem \"cifar\"",
            Self::Imagenet => "enlarge the images, or take the stem \"small\" or \"cifar\"",
        }
    }
}

/// Declares the configurations: what each is called, and its network's name, blocks and blocks of each stage.
macro_rules! configs {
    ($($(#[$documentation:meta])* $config:ident = $name:literal, $kind:expr, $blocks:expr;)*) => {$(
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $config {
            /// What comes before the first stage.
            pub stem: Stem,
            /// Channels of the first stage, 64 in the paper; each further one has twice as many. At least
            /// 1.
            pub width: usize,
        }

        impl Default for $config {
            fn default() -> Self {
                Self { stem: Stem::default(), width: 64 }
            }
        }

        impl $config {
            /// A network with random weights for images of `input`, channels, height and width. How large
            /// they must be depends on the stem: 8 x 8, 16 x 16 or 32 x 32 pixels.
            ///
            /// # Errors
            ///
            /// As [`BackboneConfig::init`](crate::BackboneConfig::init).
            pub fn init(
                &self,
                input: [usize; 3],
                feature_dim: usize,
                device: &Device,
            ) -> Result<ResNet, BackboneError> {
                let Self { stem, width } = *self;
                let (smallest, way_out) = (stem.reduction(), stem.way_out());
                Sizes { backbone: $name, width, input, feature_dim, smallest, way_out }.check()?;
                Ok(ResNet::new(stem, width, ($kind, $blocks), input, feature_dim, device))
            }
        }
    )*};
}

configs! {
    /// Configuration of ResNet-18.
    ResNet18Config = "resnet18", Kind::Basic, [2, 2, 2, 2];
    /// Configuration of ResNet-50.
    ResNet50Config = "resnet50", Kind::Bottleneck, [3, 4, 6, 3];
}

/// A ResNet: a [`Stem`], four stages of residual blocks, the mean over the image, and a linear layer. With 18 layers a block is
/// two convolutions; with 50 it is a bottleneck of three, whose output has four times its channels, and whose stride is in the
/// second (as in torchvision).
///
/// From K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016,
/// arXiv 1512.03385.
// The fields are named as in torchvision, so that weights have the same names in files.
#[derive(Module, Debug)]
pub struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm,
    pool: Option<MaxPool2d>,
    layer1: Vec<Block>,
    layer2: Vec<Block>,
    layer3: Vec<Block>,
    layer4: Vec<Block>,
    fc: Linear,
    #[module(skip)]
    pub(crate) input: [usize; 3],
}

impl ResNet {
    fn new(
        stem: Stem,
        width: usize,
        (kind, blocks): (Kind, [usize; 4]),
        input: [usize; 3],
        feature_dim: usize,
        device: &Device,
    ) -> Self {
        let mut before = width;
        let [layer1, layer2, layer3, layer4] = std::array::from_fn(|number| {
            let (within, stride) = (width << number, if number == 0 { 1 } else { 2 });
            let stage = stage(kind, before, within, stride, blocks[number], device);
            before = within * kind.expansion();
            stage
        });
        Self {
            conv1: stem.convolution([input[0], width], device),
            bn1: norm(width, device),
            pool: stem.pool(),
            layer1,
            layer2,
            layer3,
            layer4,
            fc: LinearConfig::new(before, feature_dim).init(device),
            input,
        }
    }

    /// Features of a batch of images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`, of any height and width that the stem takes
    /// - output: `[batch, feature_dim]`
    ///
    /// # Panics
    ///
    /// If the images have another number of channels.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = Relu::new().fast(self.bn1.fast(self.conv1.fast(images)));
        let x = match &self.pool {
            Some(pool) => pool.fast(x),
            None => x,
        };
        let stages = [&self.layer1, &self.layer2, &self.layer3, &self.layer4];
        let maps = stages.into_iter().flatten().fold(x, |x, block| block.forward(x));
        self.fc.forward(mean_over_image(maps))
    }

    /// The layer that gives the feature its dimensions.
    pub(crate) fn last(&self) -> &Linear {
        &self.fc
    }

    /// The same as a part of a graph.
    pub(crate) fn export(&self, graph: &mut Graph, images: &Value) -> Value {
        let mut maps = graph.convolution(&self.conv1, images);
        maps = graph.batch_norm(&self.bn1, &maps);
        maps = graph.relu(&maps);
        if let Some(pool) = &self.pool {
            maps = graph.max_pool(pool, &maps);
        }
        for block in [&self.layer1, &self.layer2, &self.layer3, &self.layer4].into_iter().flatten() {
            maps = block.export(graph, &maps);
        }
        let mean = graph.mean_over_image(&maps);
        graph.linear(&self.fc, &mean)
    }
}
