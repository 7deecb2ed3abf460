//! A ResNet with 18 layers for small images.

use burn::{
    config::Config,
    module::Module,
    nn::{
        BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d, Relu,
        conv::{Conv2d, Conv2dConfig},
        pool::{MaxPool2d, MaxPool2dConfig},
    },
    tensor::{Device, Tensor},
};
use cm_kernels::Fast;

/// Configuration of [`ResNet18`].
#[derive(Config, Debug)]
pub struct ResNet18Config {
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

/// ResNet-18 with a stem for small images: a 3x3 convolution and a 2x2 maximum in place of 7x7 with stride 2 and 3x3. Four stages of
/// two residual blocks, the mean over the image, and a linear layer.
///
/// From K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv 1512.03385.
#[derive(Module, Debug)]
pub struct ResNet18 {
    stem: Unit,
    pool: MaxPool2d,
    blocks: Vec<Block>,
    linear: Linear,
}

/// A convolution and its normalisation.
#[derive(Module, Debug)]
struct Unit {
    convolution: Conv2d,
    norm: BatchNorm,
}

/// Two convolutions beside a shortcut.
#[derive(Module, Debug)]
struct Block {
    first: Unit,
    second: Unit,
    shortcut: Option<Unit>,
}

impl Unit {
    fn new(channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Self {
        let pad = kernel / 2;
        let convolution = Conv2dConfig::new(channels, [kernel, kernel])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
            .with_bias(false);
        Self { convolution: convolution.init(device), norm: BatchNormConfig::new(channels[1]).init(device) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.fast(self.convolution.fast(x))
    }
}

impl Block {
    fn new(channels: [usize; 2], stride: usize, device: &Device) -> Self {
        let changes = channels[0] != channels[1] || stride != 1;
        Self {
            first: Unit::new(channels, 3, stride, device),
            second: Unit::new([channels[1], channels[1]], 3, 1, device),
            shortcut: changes.then(|| Unit::new(channels, 1, stride, device)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let relu = Relu::new();
        let beside = self.second.forward(relu.fast(self.first.forward(x.clone())));
        let shortcut = match &self.shortcut {
            Some(unit) => unit.forward(x),
            None => x,
        };
        relu.fast(beside + shortcut)
    }
}

impl ResNet18Config {
    /// The network with random weights.
    ///
    /// # Panics
    ///
    /// If a size is 0.
    pub fn init(&self, device: &Device) -> ResNet18 {
        let Self { channels, width, feature_dim } = *self;
        assert!(
            channels > 0 && width > 0 && feature_dim > 0,
            "ResNet-18 needs at least one channel ({channels}), width ({width}) and feature dimension ({feature_dim})"
        );
        let mut before = width;
        let mut blocks = Vec::new();
        for (factor, stride) in [(1, 1), (2, 2), (4, 2), (8, 2)] {
            for stride in [stride, 1] {
                blocks.push(Block::new([before, factor * width], stride, device));
                before = factor * width;
            }
        }
        ResNet18 {
            stem: Unit::new([channels, width], 3, 1, device),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            blocks,
            linear: LinearConfig::new(before, feature_dim).init(device),
        }
    }
}

impl ResNet18 {
    /// Features of a batch of images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`, at least 16 x 16
    /// - output: `[batch, feature_dim]`
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.pool.fast(Relu::new().fast(self.stem.forward(images)));
        let maps = self.blocks.iter().fold(x, |x, block| block.forward(x));
        let [batch, channels, height, width] = maps.dims();
        let mean = maps.reshape([batch, channels, height * width]).mean_dim(2).squeeze_dim(2);
        self.linear.forward(mean)
    }
}
