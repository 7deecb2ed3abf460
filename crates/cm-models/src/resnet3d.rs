//! A small residual network for volumes.

use burn::{
    module::Module,
    nn::{
        BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig3d,
        conv::{Conv3d, Conv3dConfig},
    },
    tensor::{Device, Tensor, activation::relu, module::conv3d, ops::ConvOptions, s},
};
use serde::{Deserialize, Serialize};

use crate::{
    BackboneError,
    error::{Sizes, at_least_one},
    onnx::{Graph, Value},
};

/// The smallest height, width and number of slices.
const SMALLEST: usize = 4;

/// Configuration of [`ResNet3d`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResNet3dConfig {
    /// Channels of the first stage; each further one has twice as many. At least 1.
    pub width: usize,
    /// Residual blocks of each stage, at least 1. The network has `6 · blocks + 2` layers.
    pub blocks: usize,
}

impl Default for ResNet3dConfig {
    fn default() -> Self {
        Self { width: 16, blocks: 1 }
    }
}

/// [`CifarResNet`](crate::CifarResNet) in three dimensions, for volumes of about 28 x 28 x 28 voxels: every 3x3 convolution is a
/// 3x3x3 one, every stride holds for the slices as well.
///
/// A volume comes as an image whose channels are its slices. The kernels in three dimensions follow K. Hara, H. Kataoka, Y. Satoh,
/// "Can Spatiotemporal 3D CNNs Retrace the History of 2D CNNs and ImageNet?", CVPR 2018, arXiv 1711.09577.
#[derive(Module, Debug)]
pub struct ResNet3d {
    conv1: Conv3d,
    bn1: BatchNorm,
    layer1: Vec<Block>,
    layer2: Vec<Block>,
    layer3: Vec<Block>,
    fc: Linear,
    #[module(skip)]
    pub(crate) input: [usize; 3],
}

/// Two convolutions beside a shortcut.
#[derive(Module, Debug)]
struct Block {
    conv1: Conv3d,
    bn1: BatchNorm,
    conv2: Conv3d,
    bn2: BatchNorm,
    downsample: Option<(Conv3d, BatchNorm)>,
}

fn convolution(channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Conv3d {
    let pad = kernel / 2;
    Conv3dConfig::new(channels, [kernel; 3])
        .with_stride([stride; 3])
        .with_padding(PaddingConfig3d::Explicit(pad, pad, pad))
        .with_bias(false)
        .init(device)
}

fn norm(channels: usize, device: &Device) -> BatchNorm {
    BatchNormConfig::new(channels).init(device)
}

/// A convolution with a kernel of one: the places that its stride meets, and then every one of them. In Burn 0.22 on wgpu the layer
/// itself has a wrong gradient of its input where the stride is not 1.
fn pointwise(layer: &Conv3d, x: Tensor<5>) -> Tensor<5> {
    let step = layer.stride[0];
    let x = if step == 1 { x } else { x.slice(s![.., .., ..;step, ..;step, ..;step]) };
    conv3d(x, layer.weight.val(), None, ConvOptions::new([1; 3], [0; 3], [1; 3], 1))
}

impl Block {
    fn new([before, after]: [usize; 2], stride: usize, device: &Device) -> Self {
        let changes = before != after || stride != 1;
        Self {
            conv1: convolution([before, after], 3, stride, device),
            bn1: norm(after, device),
            conv2: convolution([after, after], 3, 1, device),
            bn2: norm(after, device),
            downsample: changes
                .then(|| (convolution([before, after], 1, stride, device), norm(after, device))),
        }
    }

    fn forward(&self, x: Tensor<5>) -> Tensor<5> {
        let beside = relu(self.bn1.forward(self.conv1.forward(x.clone())));
        let beside = self.bn2.forward(self.conv2.forward(beside));
        let shortcut = match &self.downsample {
            Some((convolution, norm)) => norm.forward(pointwise(convolution, x)),
            None => x,
        };
        relu(beside + shortcut)
    }

    fn export(&self, graph: &mut Graph, x: &Value) -> Value {
        let mut beside = graph.convolution_3d(&self.conv1, x);
        beside = graph.batch_norm(&self.bn1, &beside);
        beside = graph.relu(&beside);
        beside = graph.convolution_3d(&self.conv2, &beside);
        beside = graph.batch_norm(&self.bn2, &beside);
        let shortcut = match &self.downsample {
            Some((convolution, norm)) => {
                let shortcut = graph.convolution_3d(convolution, x);
                graph.batch_norm(norm, &shortcut)
            }
            None => x.clone(),
        };
        let sum = graph.add(&beside, &shortcut);
        graph.relu(&sum)
    }
}

impl ResNet3dConfig {
    /// A network with random weights for volumes of `input`, slices, height and width, each at least 4.
    ///
    /// # Errors
    ///
    /// As [`BackboneConfig::init`](crate::BackboneConfig::init); [`BackboneError::FewSlices`] for images that are no volumes.
    pub fn init(
        &self,
        input: [usize; 3],
        feature_dim: usize,
        device: &Device,
    ) -> Result<ResNet3d, BackboneError> {
        let Self { width, blocks } = *self;
        let (backbone, smallest, way_out) = (ResNet3d::NAME, SMALLEST, "enlarge the volumes");
        Sizes { backbone, width, input, feature_dim, smallest, way_out }.check()?;
        at_least_one(backbone, "number of blocks", blocks)?;
        if input[0] < smallest {
            return Err(BackboneError::FewSlices { backbone, smallest, channels: input[0] });
        }
        let stage = |[before, after]: [usize; 2], stride: usize| -> Vec<Block> {
            let block = |i| if i == 0 { ([before, after], stride) } else { ([after, after], 1) };
            (0..blocks).map(block).map(|(channels, stride)| Block::new(channels, stride, device)).collect()
        };
        Ok(ResNet3d {
            conv1: convolution([1, width], 3, 1, device),
            bn1: norm(width, device),
            layer1: stage([width, width], 1),
            layer2: stage([width, 2 * width], 2),
            layer3: stage([2 * width, 4 * width], 2),
            fc: LinearConfig::new(4 * width, feature_dim).init(device),
            input,
        })
    }
}

impl ResNet3d {
    pub(crate) const NAME: &'static str = "resnet3d";

    /// Features of a batch of volumes.
    ///
    /// # Shapes
    ///
    /// - volumes: `[batch, slices, height, width]`, of any size from 4 on
    /// - output: `[batch, feature_dim]`
    pub fn forward(&self, volumes: Tensor<4>) -> Tensor<2> {
        let x: Tensor<5> = volumes.unsqueeze_dim(1);
        let x = relu(self.bn1.forward(self.conv1.forward(x)));
        let maps = self.blocks().fold(x, |x, block| block.forward(x));
        let [batch, channels, slices, height, width] = maps.dims();
        let mean = maps.reshape([batch, channels, slices * height * width]).mean_dim(2).squeeze_dim(2);
        self.fc.forward(mean)
    }

    /// The layer that gives the feature its dimensions.
    pub(crate) fn last(&self) -> &Linear {
        &self.fc
    }

    /// The same as a part of a graph.
    pub(crate) fn export(&self, graph: &mut Graph, volumes: &Value) -> Value {
        let [slices, height, width] = self.input;
        let volumes = graph.reshape(volumes, &[1, slices, height, width]);
        let mut maps = graph.convolution_3d(&self.conv1, &volumes);
        maps = graph.batch_norm(&self.bn1, &maps);
        maps = graph.relu(&maps);
        for block in self.blocks() {
            maps = block.export(graph, &maps);
        }
        let mean = graph.mean_over_image(&maps);
        graph.linear(&self.fc, &mean)
    }

    fn blocks(&self) -> impl Iterator<Item = &Block> {
        [&self.layer1, &self.layer2, &self.layer3].into_iter().flatten()
    }
}
