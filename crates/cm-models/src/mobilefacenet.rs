//! MobileFaceNet, a small network for faces.

use burn::{
    module::Module,
    nn::{
        BatchNorm, Linear, LinearConfig, PRelu, PReluConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::{Device, Tensor},
};
use cm_kernels::Fast;
use serde::{Deserialize, Serialize};

use crate::{
    BackboneError,
    error::{Sizes, at_least_one},
    onnx::{Graph, Value},
    residual::norm,
};

/// Configuration of [`MobileFaceNet`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MobileFaceNetConfig {
    /// Channels of the first stage: 64 in the paper, 128 in insightface (`scale` 2). Between the bottlenecks there are as many and
    /// twice as many; within them 128, 256 and 512, and 512 at the end, whatever the width. A multiple of 64.
    pub width: usize,
    /// Blocks of the four stages. Where the first has one, it is a convolution in 64 groups.
    pub blocks: [usize; 4],
}

impl Default for MobileFaceNetConfig {
    fn default() -> Self {
        Self { width: 128, blocks: [1, 4, 6, 2] }
    }
}

/// MobileFaceNet: bottlenecks around depthwise convolutions, and a depthwise convolution as large as the last maps in the place
/// of their mean. 2.1 million weights with 512-dimensional features of images of 3 x 112 x 112 pixels.
///
/// From S. Chen, Y. Liu, X. Gao, Z. Han, "MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile
/// Devices", CCBR 2018, arXiv 1804.07573, in the form of insightface's `mobilefacenet.py`.
// The fields are named as there, so that weights have the same names in files.
#[derive(Module, Debug)]
pub struct MobileFaceNet {
    layers: Vec<Stage>,
    conv_sep: Convolved,
    features: Last,
    #[module(skip)]
    pub(crate) input: [usize; 3],
}

/// A convolution, its normalization, and PReLU.
#[derive(Module, Debug)]
struct Convolved {
    layers: (Conv2d, BatchNorm, PRelu),
}

/// A convolution and its normalization.
#[derive(Module, Debug)]
struct Normalized {
    layers: (Conv2d, BatchNorm),
}

/// To more channels, a depthwise convolution there, and back.
#[derive(Module, Debug)]
struct Bottleneck {
    layers: (Convolved, Convolved, Normalized),
}

/// Bottlenecks, each beside a shortcut.
#[derive(Module, Debug)]
struct Residual {
    layers: Vec<Bottleneck>,
}

#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "there are eight of them, and a box is no module")]
enum Stage {
    Convolved(Convolved),
    Bottleneck(Bottleneck),
    Residual(Residual),
}

/// From the last maps to the feature. The second place is where PyTorch flattens, which has no weights.
#[derive(Module, Debug)]
struct Last {
    layers: (Normalized, Option<Linear>, Linear, BatchNorm),
}

/// What a convolution is made from, beside its channels.
#[derive(Clone, Copy)]
struct Shape {
    kernel: [usize; 2],
    stride: usize,
    padding: usize,
    groups: usize,
}

const POINTWISE: Shape = Shape { kernel: [1, 1], stride: 1, padding: 0, groups: 1 };

/// A 3x3 convolution in groups.
const fn in_groups(groups: usize, stride: usize) -> Shape {
    Shape { kernel: [3, 3], stride, padding: 1, groups }
}

fn convolution(channels: [usize; 2], shape: Shape, device: &Device) -> Conv2d {
    let Shape { kernel, stride, padding, groups } = shape;
    Conv2dConfig::new(channels, kernel)
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
        .with_groups(groups)
        .with_bias(false)
        .init(device)
}

impl Convolved {
    fn new(channels: [usize; 2], shape: Shape, device: &Device) -> Self {
        let after = channels[1];
        let prelu = PReluConfig::new().with_num_parameters(after).init(device);
        Self { layers: (convolution(channels, shape, device), norm(after, device), prelu) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (convolution, norm, prelu) = &self.layers;
        prelu.fast(norm.fast(convolution.fast(x)))
    }

    fn export(&self, graph: &mut Graph, x: &Value) -> Value {
        let (convolution, norm, prelu) = &self.layers;
        let maps = graph.convolution(convolution, x);
        let maps = graph.batch_norm(norm, &maps);
        graph.prelu(prelu, &maps, true)
    }
}

impl Normalized {
    fn new(channels: [usize; 2], shape: Shape, device: &Device) -> Self {
        Self { layers: (convolution(channels, shape, device), norm(channels[1], device)) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (convolution, norm) = &self.layers;
        norm.fast(convolution.fast(x))
    }

    fn export(&self, graph: &mut Graph, x: &Value) -> Value {
        let (convolution, norm) = &self.layers;
        let maps = graph.convolution(convolution, x);
        graph.batch_norm(norm, &maps)
    }
}

impl Bottleneck {
    fn new([before, after]: [usize; 2], within: usize, stride: usize, device: &Device) -> Self {
        Self {
            layers: (
                Convolved::new([before, within], POINTWISE, device),
                Convolved::new([within, within], in_groups(within, stride), device),
                Normalized::new([within, after], POINTWISE, device),
            ),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (widen, depthwise, narrow) = &self.layers;
        narrow.forward(depthwise.forward(widen.forward(x)))
    }

    fn export(&self, graph: &mut Graph, x: &Value) -> Value {
        let (widen, depthwise, narrow) = &self.layers;
        let maps = widen.export(graph, x);
        let maps = depthwise.export(graph, &maps);
        narrow.export(graph, &maps)
    }
}

impl Stage {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Convolved(layer) => layer.forward(x),
            Self::Bottleneck(bottleneck) => bottleneck.forward(x),
            Self::Residual(Residual { layers }) => {
                layers.iter().fold(x, |x, bottleneck| x.clone() + bottleneck.forward(x))
            }
        }
    }

    fn export(&self, graph: &mut Graph, x: &Value) -> Value {
        match self {
            Self::Convolved(layer) => layer.export(graph, x),
            Self::Bottleneck(bottleneck) => bottleneck.export(graph, x),
            Self::Residual(Residual { layers }) => layers.iter().fold(x.clone(), |x, bottleneck| {
                let beside = bottleneck.export(graph, &x);
                graph.add(&x, &beside)
            }),
        }
    }
}

impl MobileFaceNetConfig {
    /// A network with random weights for images of `input`, channels, height and width; at least 16 x 16 pixels.
    ///
    /// # Errors
    ///
    /// As [`BackboneConfig::init`](crate::BackboneConfig::init), and [`BackboneError::NoMultiple`] for a width that is no multiple
    /// of 64.
    pub fn init(
        &self,
        input: [usize; 3],
        feature_dim: usize,
        device: &Device,
    ) -> Result<MobileFaceNet, BackboneError> {
        const GROUPS: usize = 64;
        const LAST: usize = 512;
        let Self { width, blocks } = *self;
        let way_out = "enlarge the images, or take another backbone";
        let backbone = MobileFaceNet::NAME;
        Sizes { backbone, width, input, feature_dim, smallest: 16, way_out }.check()?;
        if !width.is_multiple_of(GROUPS) {
            return Err(BackboneError::NoMultiple { backbone, what: "width", of: GROUPS, value: width });
        }
        blocks.into_iter().try_for_each(|blocks| at_least_one(backbone, "number of blocks", blocks))?;
        let [channels, height, image_width] = input;
        let bottleneck = |channels, within, stride| Bottleneck::new(channels, within, stride, device);
        let down = |channels, within| Stage::Bottleneck(bottleneck(channels, within, 2));
        let residual = |channels: usize, within, blocks| {
            let layers = (0..blocks).map(|_| bottleneck([channels, channels], within, 1)).collect();
            Stage::Residual(Residual { layers })
        };
        let convolved = |channels, shape| Stage::Convolved(Convolved::new(channels, shape, device));
        let halved = |size: usize| (0..4).fold(size, |size, _| size.div_ceil(2));
        let whole =
            Shape { kernel: [halved(height), halved(image_width)], stride: 1, padding: 0, groups: LAST };
        Ok(MobileFaceNet {
            layers: vec![
                convolved([channels, width], in_groups(1, 2)),
                match blocks[0] {
                    1 => convolved([width, width], in_groups(GROUPS, 1)),
                    blocks => residual(width, 128, blocks),
                },
                down([width, width], 128),
                residual(width, 128, blocks[1]),
                down([width, 2 * width], 256),
                residual(2 * width, 256, blocks[2]),
                down([2 * width, 2 * width], 512),
                residual(2 * width, 256, blocks[3]),
            ],
            conv_sep: Convolved::new([2 * width, LAST], POINTWISE, device),
            features: Last {
                layers: (
                    Normalized::new([LAST, LAST], whole, device),
                    None,
                    LinearConfig::new(LAST, feature_dim).with_bias(false).init(device),
                    norm(feature_dim, device),
                ),
            },
            input,
        })
    }
}

impl MobileFaceNet {
    pub(crate) const NAME: &'static str = "mobilefacenet";

    /// The layer that gives the feature its dimensions.
    pub(crate) fn last(&self) -> &Linear {
        &self.features.layers.2
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
        let maps = self.layers.iter().fold(images, |x, stage| stage.forward(x));
        let (whole, _, linear, norm) = &self.features.layers;
        let last = whole.forward(self.conv_sep.forward(maps));
        let channels = last.dims()[1];
        norm.fast(linear.forward(last.reshape([batch, channels])))
    }

    /// The same as a part of a graph.
    pub(crate) fn export(&self, graph: &mut Graph, images: &Value) -> Value {
        let maps = self.layers.iter().fold(images.clone(), |x, stage| stage.export(graph, &x));
        let maps = self.conv_sep.export(graph, &maps);
        let (whole, _, linear, norm) = &self.features.layers;
        let last = whole.export(graph, &maps);
        let flat = graph.flatten(&last);
        let features = graph.linear(linear, &flat);
        graph.batch_norm(norm, &features)
    }
}
