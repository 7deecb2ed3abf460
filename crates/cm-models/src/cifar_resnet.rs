//! A small residual network for small images.

use burn::{
    module::Module,
    nn::{BatchNorm, Linear, LinearConfig, Relu, conv::Conv2d},
    tensor::{Device, Tensor},
};
use cm_kernels::Fast;
use serde::{Deserialize, Serialize};

use crate::{
    BackboneError,
    error::{Sizes, at_least_one},
    onnx::{Graph, Value},
    residual::{Block, Kind, convolution, mean_over_image, norm, norm_of_features, stage},
};

/// What stands between the last maps and the linear layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// The mean of each map: where something is makes no difference, and images may have any size. That of the paper.
    #[default]
    Average,
    /// Nothing: the linear layer has weights for each place, as in LeNet++ and SphereFace-20. For images whose object is always in the
    /// middle, and of one size.
    None,
}

/// Configuration of [`CifarResNet`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CifarResNetConfig {
    /// Channels of the first stage, 16 in the paper; each further one has twice as many. At least 1.
    pub width: usize,
    /// Residual blocks of each stage, at least 1. The network has `6 · blocks + 2` layers: 3 blocks are the paper's ResNet-20.
    pub blocks: usize,
    /// What stands before the linear layer.
    pub pooling: Pooling,
    /// Whether batch norm with a scale of 1 comes after it, as in insightface's networks: over the training images every dimension of
    /// the features has a deviation of 1, so that norms are about the root of their number, however the weights grow.
    pub feature_norm: bool,
}

impl Default for CifarResNetConfig {
    fn default() -> Self {
        Self { width: 16, blocks: 3, pooling: Pooling::Average, feature_norm: false }
    }
}

/// The residual network of the paper's experiments on CIFAR-10, for images of about 32 x 32 pixels: a 3x3 convolution, three
/// stages of residual blocks (the second and the third halve the image), [`Pooling`], a linear layer, and batch norm of the
/// features if it is asked for.
///
/// Where a block changes the channels, its shortcut is a 1x1 convolution with batch norm, as in the paper's larger networks
/// (its option B), and not the image with channels of zeros.
///
/// From K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2,
/// arXiv 1512.03385.
#[derive(Module, Debug)]
pub struct CifarResNet {
    conv1: Conv2d,
    bn1: BatchNorm,
    layer1: Vec<Block>,
    layer2: Vec<Block>,
    layer3: Vec<Block>,
    fc: Linear,
    features: Option<BatchNorm>,
    #[module(skip)]
    pooling: Pooling,
    #[module(skip)]
    pub(crate) input: [usize; 3],
}

impl CifarResNetConfig {
    /// A network with random weights for images of `input`, channels, height and width, of at least 4 x 4 pixels.
    ///
    /// # Errors
    ///
    /// As [`BackboneConfig::init`](crate::BackboneConfig::init).
    pub fn init(
        &self,
        input: [usize; 3],
        feature_dim: usize,
        device: &Device,
    ) -> Result<CifarResNet, BackboneError> {
        let Self { width, blocks, pooling, feature_norm } = *self;
        let backbone = CifarResNet::NAME;
        Sizes { backbone, width, input, feature_dim, smallest: 4, way_out: "enlarge the images" }.check()?;
        at_least_one(backbone, "number of blocks", blocks)?;
        let [channels, height, image_width] = input;
        let places = match pooling {
            Pooling::Average => 1,
            Pooling::None => height.div_ceil(4) * image_width.div_ceil(4),
        };
        Ok(CifarResNet {
            conv1: convolution([channels, width], 3, 1, device),
            bn1: norm(width, device),
            layer1: stage(Kind::Basic, width, width, 1, blocks, device),
            layer2: stage(Kind::Basic, width, 2 * width, 2, blocks, device),
            layer3: stage(Kind::Basic, 2 * width, 4 * width, 2, blocks, device),
            fc: LinearConfig::new(4 * width * places, feature_dim).init(device),
            features: feature_norm.then(|| norm_of_features(feature_dim, device)),
            pooling,
            input,
        })
    }
}

impl CifarResNet {
    pub(crate) const NAME: &'static str = "cifar-resnet";

    /// Features of a batch of images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`, with [`Pooling::Average`] of any height and width from 4 on
    /// - output: `[batch, feature_dim]`
    ///
    /// # Panics
    ///
    /// If the images have another number of channels, or another size where nothing is pooled.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = Relu::new().fast(self.bn1.fast(self.conv1.fast(images)));
        let maps = self.blocks().fold(x, |x, block| block.forward(x));
        let features = self.fc.forward(match self.pooling {
            Pooling::Average => mean_over_image(maps),
            Pooling::None => maps.flatten(1, 3),
        });
        match &self.features {
            Some(norm) => norm.fast(features),
            None => features,
        }
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
        for block in self.blocks() {
            maps = block.export(graph, &maps);
        }
        let pooled = match self.pooling {
            Pooling::Average => graph.mean_over_image(&maps),
            Pooling::None => graph.flatten(&maps),
        };
        let features = graph.linear(&self.fc, &pooled);
        match &self.features {
            Some(norm) => graph.batch_norm(norm, &features),
            None => features,
        }
    }

    fn blocks(&self) -> impl Iterator<Item = &Block> {
        [&self.layer1, &self.layer2, &self.layer3].into_iter().flatten()
    }
}
