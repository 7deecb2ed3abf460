//! LeNet++, the network of the experiments on digits.

use burn::{
    config::Config,
    module::Module,
    nn::{
        Linear, LinearConfig, PRelu, PReluConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
        pool::{MaxPool2d, MaxPool2dConfig},
    },
    tensor::{Device, Tensor},
};
use cm_kernels::Fast;

/// Height and width of the images.
const IMAGE_SIZE: usize = 28;
/// Height and width after three halvings, each rounded down.
const FINAL_SIZE: usize = IMAGE_SIZE / 8;

/// Configuration of [`LeNetPp`].
#[derive(Config, Debug)]
pub struct LeNetPpConfig {
    /// Channels of the first stage; the second has twice, the third four times as many. At least 1.
    #[config(default = 32)]
    pub width: usize,
    /// Dimensions of the feature. At least 1.
    #[config(default = 2)]
    pub feature_dim: usize,
}

/// LeNet++: three stages of two 5x5 convolutions and a 2x2 maximum, then a linear layer.
///
/// ```text
/// [1, 28, 28] → conv, conv, pool → [w, 14, 14] → conv, conv, pool → [2w, 7, 7] → conv, conv, pool → [4w, 3, 3]
///             → linear → [feature_dim]
/// ```
///
/// Every convolution (padding 2) and the linear layer is followed by a PReLU with one parameter, which starts at
/// 0.25. Weights and biases start as `U(−1/√n, 1/√n)` for `n` inputs to an output, as in PyTorch.
///
/// From Y. Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition", ECCV 2016, table 1,
/// in the form that Liu et al., Pattern Recognition Letters 185 (2024) 232–238, use.
#[derive(Module, Debug)]
pub struct LeNetPp {
    stages: Vec<Stage>,
    linear: Linear,
    activation: PRelu,
}

/// Two convolutions, each with its PReLU, and a maximum over 2x2.
#[derive(Module, Debug)]
struct Stage {
    convolutions: [Conv2d; 2],
    activations: [PRelu; 2],
    pool: MaxPool2d,
}

impl Stage {
    fn new(channels_in: usize, channels_out: usize, device: &Device) -> Self {
        let convolution = |channels_in| {
            Conv2dConfig::new([channels_in, channels_out], [5, 5])
                .with_padding(PaddingConfig2d::Explicit(2, 2, 2, 2))
                .init(device)
        };
        Self {
            convolutions: [convolution(channels_in), convolution(channels_out)],
            activations: [PReluConfig::new().init(device), PReluConfig::new().init(device)],
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let layers = self.convolutions.iter().zip(&self.activations);
        let images = layers.fold(images, |x, layer| layer.fast(x));
        self.pool.fast(images)
    }
}

impl LeNetPpConfig {
    /// The network with random weights.
    ///
    /// # Panics
    ///
    /// If the width or the feature dimension is 0.
    pub fn init(&self, device: &Device) -> LeNetPp {
        let Self { width, feature_dim } = *self;
        assert!(
            width > 0 && feature_dim > 0,
            "LeNet++ needs a width ({width}) and a feature dimension ({feature_dim}) of at least 1"
        );
        LeNetPp {
            stages: vec![
                Stage::new(1, width, device),
                Stage::new(width, 2 * width, device),
                Stage::new(2 * width, 4 * width, device),
            ],
            linear: LinearConfig::new(4 * width * FINAL_SIZE * FINAL_SIZE, feature_dim).init(device),
            activation: PReluConfig::new().init(device),
        }
    }
}

impl LeNetPp {
    /// Features of a batch of images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, 1, 28, 28]`
    /// - output: `[batch, feature_dim]`
    ///
    /// # Panics
    ///
    /// If the images have another size.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let [batch, channels, height, width] = images.dims();
        assert_eq!(
            [channels, height, width],
            [1, IMAGE_SIZE, IMAGE_SIZE],
            "LeNet++ takes grey images of 28 x 28 pixels, [batch, 1, 28, 28]"
        );
        let maps = self.stages.iter().fold(images, |x, stage| stage.forward(x));
        let flat = maps.reshape([batch, self.linear.weight.dims()[0]]);
        self.activation.fast(self.linear.forward(flat))
    }
}
