//! SphereFace-20, a network for faces without batch normalization.

use burn::{
    module::Module,
    nn::{
        Linear, LinearConfig, PRelu, PReluConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::{Device, Tensor},
};
use cm_kernels::Fast;
use serde::{Deserialize, Serialize};

use crate::{
    BackboneError,
    error::Sizes,
    onnx::{Graph, Value},
};

/// Configuration of [`SphereFace20`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SphereFace20Config {
    /// Channels of the first stage, 64 in the paper; each further one has twice as many. At least
    /// 1.
    pub width: usize,
}

impl Default for SphereFace20Config {
    fn default() -> Self {
        Self { width: 64 }
    }
}

/// SphereFace-20: four stages of 3x3 convolutions, each halving the image, with 1, 2, 4 and 1
/// residual blocks, then a linear layer: 20 layers with weights.
///
/// Every convolution is followed by a PReLU with one slope per channel, which starts at 0.25.
///
/// From W. Liu et al., "SphereFace: Deep Hypersphere Embedding for Face Recognition", CVPR 2017,
/// arXiv 1704.08063, table 2, where the images have 3 x 112 x 96 pixels and the feature has 512
/// dimensions.
#[derive(Module, Debug)]
pub struct SphereFace20 {
    stages: Vec<Stage>,
    linear: Linear,
    #[module(skip)]
    pub(crate) input: [usize; 3],
}

/// A convolution with stride 2, and residual blocks.
#[derive(Module, Debug)]
struct Stage {
    down: Unit,
    blocks: Vec<[Unit; 2]>,
}

/// A convolution and its PReLU.
#[derive(Module, Debug)]
struct Unit {
    convolution: Conv2d,
    activation: PRelu,
}

impl Unit {
    fn new(channels: [usize; 2], stride: usize, device: &Device) -> Self {
        let convolution = Conv2dConfig::new(channels, [3, 3])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
        Self {
            convolution: convolution.init(device),
            activation: PReluConfig::new().with_num_parameters(channels[1]).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        (&self.convolution, &self.activation).fast(x)
    }

    fn export(&self, graph: &mut Graph, x: &Value) -> Value {
        let maps = graph.convolution(&self.convolution, x);
        graph.prelu(&self.activation, &maps, true)
    }
}

impl SphereFace20Config {
    /// A network with random weights for images of `input`, channels, height and width; at least 16
    /// x 16 pixels.
    ///
    /// # Errors
    ///
    /// As [`BackboneConfig::init`](crate::BackboneConfig::init).
    pub fn init(
        &self,
        input: [usize; 3],
        feature_dim: usize,
        device: &Device,
    ) -> Result<SphereFace20, BackboneError> {
        let Self { width } = *self;
        let way_out = "enlarge the images, or take another backbone";
        let backbone = SphereFace20::NAME;
        Sizes { backbone, width, input, feature_dim, smallest: 16, way_out }.check()?;
        let [mut before, image_height, image_width] = input;
        let stages = [(1, 1), (2, 2), (4, 4), (8, 1)].map(|(factor, blocks)| {
            let channels = factor * width;
            let stage = Stage {
                down: Unit::new([before, channels], 2, device),
                blocks: (0..blocks)
                    .map(|_| [(); 2].map(|()| Unit::new([channels, channels], 1, device)))
                    .collect(),
            };
            before = channels;
            stage
        });
        let halved = |size: usize| (0..4).fold(size, |size, _| size.div_ceil(2));
        let pixels = halved(image_height) * halved(image_width);
        Ok(SphereFace20 {
            stages: stages.into_iter().collect(),
            linear: LinearConfig::new(before * pixels, feature_dim).init(device),
            input,
        })
    }
}

impl SphereFace20 {
    pub(crate) const NAME: &'static str = "sphereface20";

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
        let maps = self.stages.iter().fold(images, |x, stage| {
            let x = stage.down.forward(x);
            stage.blocks.iter().fold(x, |x, [first, second]| x.clone() + second.forward(first.forward(x)))
        });
        self.linear.forward(maps.reshape([batch, self.linear.weight.dims()[0]]))
    }

    /// The layer that gives the feature its dimensions.
    pub(crate) fn last(&self) -> &Linear {
        &self.linear
    }

    /// The same as a part of a graph.
    pub(crate) fn export(&self, graph: &mut Graph, images: &Value) -> Value {
        let mut maps = images.clone();
        for stage in &self.stages {
            maps = stage.down.export(graph, &maps);
            for [first, second] in &stage.blocks {
                let beside = first.export(graph, &maps);
                let beside = second.export(graph, &beside);
                maps = graph.add(&maps, &beside);
            }
        }
        let flat = graph.flatten(&maps);
        graph.linear(&self.linear, &flat)
    }
}
