//! Residual networks for faces: IResNet.

use burn::{
    module::Module,
    nn::{BatchNorm, Linear, LinearConfig, PRelu, PReluConfig, conv::Conv2d},
    tensor::{Device, Tensor},
};
use cm_kernels::Fast;
use serde::{Deserialize, Serialize};

use crate::{
    BackboneError,
    error::Sizes,
    onnx::{Graph, Value},
    residual::{convolution, norm, norm_of_features},
};

/// Stages, each of which halves the image.
const STAGES: usize = 4;

/// Declares the configurations: what each is called, and its network's name and blocks of each stage.
macro_rules! configs {
    ($($(#[$documentation:meta])* $config:ident = $name:literal, $blocks:expr;)*) => {$(
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $config {
            /// Channels of the first stage, 64 in insightface; each further one has twice as many. At least 1.
            pub width: usize,
        }

        impl Default for $config {
            fn default() -> Self {
                Self { width: 64 }
            }
        }

        impl $config {
            /// Its name, and the blocks of each stage.
            const BLOCKS: (&'static str, [usize; STAGES]) = ($name, $blocks);

            /// A network with random weights for images of `input`, channels, height and width; at least 16 x 16
            /// pixels.
            ///
            /// # Errors
            ///
            /// As [`BackboneConfig::init`](crate::BackboneConfig::init).
            pub fn init(
                &self,
                input: [usize; 3],
                feature_dim: usize,
                device: &Device,
            ) -> Result<IResNet, BackboneError> {
                let Self { width } = *self;
                let way_out = "enlarge the images, or take another backbone";
                Sizes { backbone: $name, width, input, feature_dim, smallest: 16, way_out }.check()?;
                Ok(IResNet::new(width, Self::BLOCKS.1, input, feature_dim, device))
            }
        }
    )*};
}

configs! {
    /// Configuration of IResNet-18.
    IResNet18Config = "iresnet18", [2, 2, 2, 2];
    /// Configuration of IResNet-34.
    IResNet34Config = "iresnet34", [3, 4, 6, 3];
    /// Configuration of IResNet-50.
    IResNet50Config = "iresnet50", [3, 4, 14, 3];
    /// Configuration of IResNet-100.
    IResNet100Config = "iresnet100", [3, 13, 30, 3];
}

/// IResNet: a convolution, four stages of residual blocks with batch normalization before and after their convolutions, and a
/// linear layer over every place of the last maps, whose output is normalized over the batch.
///
/// The normalization of the feature has no scale, as in insightface: the length of a feature is what the network makes of the
/// image, measured by how features of the training images vary.
///
/// From I. C. Duta, L. Liu, F. Zhu, L. Shao, "Improved Residual Networks for Image and Video Recognition", ICPR 2020,
/// arXiv 2004.04989, in the form that insightface gave it for faces (J. Deng et al., "ArcFace", CVPR 2019, arXiv 1801.07698), where
/// images have 3 x 112 x 112 pixels and the feature has 512 dimensions.
// The fields are named as in insightface's `iresnet.py`, so that weights have the same names in files.
#[derive(Module, Debug)]
pub struct IResNet {
    conv1: Conv2d,
    bn1: BatchNorm,
    prelu: PRelu,
    layer1: Vec<Block>,
    layer2: Vec<Block>,
    layer3: Vec<Block>,
    layer4: Vec<Block>,
    bn2: BatchNorm,
    fc: Linear,
    features: BatchNorm,
    #[module(skip)]
    pub(crate) input: [usize; 3],
}

/// Two convolutions beside a shortcut, with nothing after their sum.
#[derive(Module, Debug)]
struct Block {
    bn1: BatchNorm,
    conv1: Conv2d,
    bn2: BatchNorm,
    prelu: PRelu,
    conv2: Conv2d,
    bn3: BatchNorm,
    downsample: Option<(Conv2d, BatchNorm)>,
}

fn prelu(channels: usize, device: &Device) -> PRelu {
    PReluConfig::new().with_num_parameters(channels).init(device)
}

impl Block {
    fn new([before, after]: [usize; 2], stride: usize, device: &Device) -> Self {
        let changes = before != after || stride != 1;
        Self {
            bn1: norm(before, device),
            conv1: convolution([before, after], 3, 1, device),
            bn2: norm(after, device),
            prelu: prelu(after, device),
            conv2: convolution([after, after], 3, stride, device),
            bn3: norm(after, device),
            downsample: changes
                .then(|| (convolution([before, after], 1, stride, device), norm(after, device))),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let beside = self.conv1.fast(self.bn1.fast(x.clone()));
        let beside = self.prelu.fast(self.bn2.fast(beside));
        let beside = self.bn3.fast(self.conv2.fast(beside));
        let shortcut = match &self.downsample {
            Some((convolution, norm)) => norm.fast(convolution.fast(x)),
            None => x,
        };
        beside + shortcut
    }

    fn export(&self, graph: &mut Graph, x: &Value) -> Value {
        let mut beside = graph.batch_norm(&self.bn1, x);
        beside = graph.convolution(&self.conv1, &beside);
        beside = graph.batch_norm(&self.bn2, &beside);
        beside = graph.prelu(&self.prelu, &beside, true);
        beside = graph.convolution(&self.conv2, &beside);
        beside = graph.batch_norm(&self.bn3, &beside);
        let shortcut = match &self.downsample {
            Some((convolution, norm)) => {
                let shortcut = graph.convolution(convolution, x);
                graph.batch_norm(norm, &shortcut)
            }
            None => x.clone(),
        };
        graph.add(&beside, &shortcut)
    }
}

impl IResNet {
    fn new(
        width: usize,
        blocks: [usize; STAGES],
        input: [usize; 3],
        feature_dim: usize,
        device: &Device,
    ) -> Self {
        let [channels, height, image_width] = input;
        let [layer1, layer2, layer3, layer4] = std::array::from_fn(|number| {
            let after = width << number;
            let before = if number == 0 { width } else { after / 2 };
            let block = |i| if i == 0 { ([before, after], 2) } else { ([after, after], 1) };
            let blocks = (0..blocks[number]).map(block);
            blocks.map(|(channels, stride)| Block::new(channels, stride, device)).collect()
        });
        let halved = |size: usize| (0..STAGES).fold(size, |size, _| size.div_ceil(2));
        let last = width << (STAGES - 1);
        Self {
            conv1: convolution([channels, width], 3, 1, device),
            bn1: norm(width, device),
            prelu: prelu(width, device),
            layer1,
            layer2,
            layer3,
            layer4,
            bn2: norm(last, device),
            fc: LinearConfig::new(last * halved(height) * halved(image_width), feature_dim).init(device),
            features: norm_of_features(feature_dim, device),
            input,
        }
    }

    /// The name of the configuration with these blocks of each stage.
    pub(crate) fn with_blocks(blocks: &[usize]) -> Option<&'static str> {
        let all = [
            IResNet18Config::BLOCKS,
            IResNet34Config::BLOCKS,
            IResNet50Config::BLOCKS,
            IResNet100Config::BLOCKS,
        ];
        all.into_iter().find(|(_, own)| own == blocks).map(|(name, _)| name)
    }

    fn blocks(&self) -> impl Iterator<Item = &Block> {
        [&self.layer1, &self.layer2, &self.layer3, &self.layer4].into_iter().flatten()
    }

    /// Features of a batch of images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`, as the network was made for
    /// - output: `[batch, feature_dim]`
    ///
    /// # Panics
    ///
    /// If the images have another size.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let [batch, found @ ..] = images.dims();
        assert_eq!(found, self.input, "the images have another size than the network was made for");
        let x = self.prelu.fast(self.bn1.fast(self.conv1.fast(images)));
        let maps = self.bn2.fast(self.blocks().fold(x, |x, block| block.forward(x)));
        let flat = maps.reshape([batch, self.fc.weight.dims()[0]]);
        self.features.fast(self.fc.forward(flat))
    }

    /// The layer that gives the feature its dimensions.
    pub(crate) fn last(&self) -> &Linear {
        &self.fc
    }

    /// The same as a part of a graph.
    pub(crate) fn export(&self, graph: &mut Graph, images: &Value) -> Value {
        let mut maps = graph.convolution(&self.conv1, images);
        maps = graph.batch_norm(&self.bn1, &maps);
        maps = graph.prelu(&self.prelu, &maps, true);
        for block in self.blocks() {
            maps = block.export(graph, &maps);
        }
        maps = graph.batch_norm(&self.bn2, &maps);
        let flat = graph.flatten(&maps);
        let features = graph.linear(&self.fc, &flat);
        graph.batch_norm(&self.features, &features)
    }
}
