//! SphereFace-20, a network for faces without batch normalisation.

use burn::{
    config::Config,
    module::Module,
    nn::{
        Linear, LinearConfig, PRelu, PReluConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::{Device, Tensor},
};
use cm_kernels::Fast;

/// Configuration of [`SphereFace20`].
#[derive(Config, Debug)]
pub struct SphereFace20Config {
    /// Height and width of the images, at least 16 each; 112 and 96 in the paper.
    pub image: [usize; 2],
    /// Channels of the images.
    #[config(default = 3)]
    pub channels: usize,
    /// Channels of the first stage; each further one has twice as many. At least 1.
    #[config(default = 64)]
    pub width: usize,
    /// Dimensions of the feature. At least 1.
    #[config(default = 512)]
    pub feature_dim: usize,
}

/// SphereFace-20: four stages of 3x3 convolutions, each halving the image, with 1, 2, 4 and 1 residual blocks, then a linear
/// layer: 20 layers with weights.
///
/// Every convolution is followed by a PReLU with a slope a channel, which starts at 0.25.
///
/// From W. Liu et al., "SphereFace: Deep Hypersphere Embedding for Face Recognition", CVPR 2017, arXiv 1704.08063, table 2.
#[derive(Module, Debug)]
pub struct SphereFace20 {
    stages: Vec<Stage>,
    linear: Linear,
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
}

impl SphereFace20Config {
    /// The network with random weights.
    ///
    /// # Panics
    ///
    /// If a size is 0 or the images are smaller than 16 x 16.
    pub fn init(&self, device: &Device) -> SphereFace20 {
        let Self { image: [height, width_of_image], channels, width, feature_dim } = *self;
        assert!(
            channels > 0 && width > 0 && feature_dim > 0 && height >= 16 && width_of_image >= 16,
            "SphereFace-20 needs images of at least 16 x 16 (they are {height} x {width_of_image}) and at least one channel \
             ({channels}), width ({width}) and feature dimension ({feature_dim})"
        );
        let mut before = channels;
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
        let pixels = halved(height) * halved(width_of_image);
        SphereFace20 {
            stages: stages.into_iter().collect(),
            linear: LinearConfig::new(before * pixels, feature_dim).init(device),
        }
    }
}

impl SphereFace20 {
    /// Features of a batch of images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`, as configured
    /// - output: `[batch, feature_dim]`
    ///
    /// # Panics
    ///
    /// If the images have another size.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let [batch, ..] = images.dims();
        let maps = self.stages.iter().fold(images, |x, stage| {
            let x = stage.down.forward(x);
            stage.blocks.iter().fold(x, |x, [first, second]| x.clone() + second.forward(first.forward(x)))
        });
        let [_, channels, height, width] = maps.dims();
        let (found, expected) = (channels * height * width, self.linear.weight.dims()[0]);
        assert_eq!(found, expected, "the images have another size than the network was made for");
        self.linear.forward(maps.reshape([batch, found]))
    }
}
