//! LeNet++, the network of the experiments on digits.

use burn::{
    module::Module,
    nn::{
        Linear, LinearConfig, PRelu, PReluConfig, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
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
};

/// By how much the three maxima shrink an image, rounded down.
const REDUCTION: usize = 8;

/// Configuration of [`LeNetPp`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeNetPpConfig {
    /// Channels of the first stage, 32 in the paper; the second has twice, the third four times as
    /// many. At least 1.
    pub width: usize,
}

impl Default for LeNetPpConfig {
    fn default() -> Self {
        Self { width: 32 }
    }
}

/// LeNet++: three stages of two 5x5 convolutions and a 2x2 maximum, then a linear layer. For digits:
///
/// ```text
/// [1, 28, 28] → conv, conv, pool → [w, 14, 14] → conv, conv, pool → [2w, 7, 7]
///             → conv, conv, pool → [4w, 3, 3]  → linear → [feature_dim]
/// ```
///
/// Every convolution (padding 2) and the linear layer is followed by a PReLU with one parameter,
/// which starts at 0.25. Weights and biases start as `U(−1/√n, 1/√n)` for `n` inputs to an output,
/// as in PyTorch.
///
/// From Y. Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition", ECCV
/// 2016, table 1, in the form that Liu et al., Pattern Recognition Letters 185 (2024) 232–238, use.
#[derive(Module, Debug)]
pub struct LeNetPp {
    stages: Vec<Stage>,
    linear: Linear,
    activation: PRelu,
    #[module(skip)]
    pub(crate) input: [usize; 3],
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
    /// A network with random weights for images of `input`, channels, height and width; at least 8
    /// x 8 pixels.
    ///
    /// # Errors
    ///
    /// As [`BackboneConfig::init`](crate::BackboneConfig::init).
    pub fn init(
        &self,
        input: [usize; 3],
        feature_dim: usize,
        device: &Device,
    ) -> Result<LeNetPp, BackboneError> {
        let Self { width } = *self;
        let way_out = "enlarge the images";
        let backbone = LeNetPp::NAME;
        Sizes { backbone, width, input, feature_dim, smallest: REDUCTION, way_out }.check()?;
        let [channels, image_height, image_width] = input;
        let pixels = (image_height / REDUCTION) * (image_width / REDUCTION);
        Ok(LeNetPp {
            stages: vec![
                Stage::new(channels, width, device),
                Stage::new(width, 2 * width, device),
                Stage::new(2 * width, 4 * width, device),
            ],
            linear: LinearConfig::new(4 * width * pixels, feature_dim).init(device),
            activation: PReluConfig::new().init(device),
            input,
        })
    }
}

impl LeNetPp {
    pub(crate) const NAME: &'static str = "lenet++";

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
        let maps = self.stages.iter().fold(images, |x, stage| stage.forward(x));
        let flat = maps.reshape([batch, self.linear.weight.dims()[0]]);
        self.activation.fast(self.linear.forward(flat))
    }

    /// The layer that gives the feature its dimensions.
    pub(crate) fn last(&self) -> &Linear {
        &self.linear
    }

    /// The same as a part of a graph.
    pub(crate) fn export(&self, graph: &mut Graph, images: &Value) -> Value {
        let mut maps = images.clone();
        for stage in &self.stages {
            for (convolution, activation) in stage.convolutions.iter().zip(&stage.activations) {
                maps = graph.convolution(convolution, &maps);
                maps = graph.prelu(activation, &maps, true);
            }
            maps = graph.max_pool(&stage.pool, &maps);
        }
        let flat = graph.flatten(&maps);
        let features = graph.linear(&self.linear, &flat);
        graph.prelu(&self.activation, &features, false)
    }
}

// Apart from the other tests: random numbers belong to the process, and here nobody else draws any.
#[cfg(test)]
mod tests {
    use burn::module::{ModuleVisitor, Param};

    use super::*;

    /// Name and checksum of every parameter.
    #[derive(Default)]
    struct Checksums {
        path: Vec<String>,
        found: Vec<(String, u64)>,
    }

    impl ModuleVisitor for Checksums {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }

        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let data = param.val().into_data();
            let bytes = data.iter::<f32>().flat_map(|value| value.to_bits().to_le_bytes());
            // FNV-1a.
            let checksum = bytes.fold(0xcbf2_9ce4_8422_2325, |sum: u64, byte| {
                (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
            self.found.push((self.path.join("."), checksum));
        }
    }

    /// Of the seed 7 at width 4 and three dimensions, when LeNet++ took images of 1 x 28 x 28
    /// pixels only.
    const PARAMETERS: [(&str, u64); 21] = [
        ("stages.0.convolutions.0.weight", 0xdb60_20a5_063f_6168),
        ("stages.0.convolutions.0.bias", 0xc8fa_f61c_5a3f_cd13),
        ("stages.0.convolutions.1.weight", 0x8d67_90c3_0713_392e),
        ("stages.0.convolutions.1.bias", 0x09e6_baf4_a633_5525),
        ("stages.0.activations.0.alpha", 0x4b72_487f_9c5c_314b),
        ("stages.0.activations.1.alpha", 0x4b72_487f_9c5c_314b),
        ("stages.1.convolutions.0.weight", 0xa3b3_ca30_dba6_2a4f),
        ("stages.1.convolutions.0.bias", 0x0fee_5293_8b42_6626),
        ("stages.1.convolutions.1.weight", 0x18f6_3ece_7d38_559e),
        ("stages.1.convolutions.1.bias", 0x3d19_5192_bcf1_3fab),
        ("stages.1.activations.0.alpha", 0x4b72_487f_9c5c_314b),
        ("stages.1.activations.1.alpha", 0x4b72_487f_9c5c_314b),
        ("stages.2.convolutions.0.weight", 0xd5a0_f3a4_402b_6fa3),
        ("stages.2.convolutions.0.bias", 0x578a_461b_e219_1e39),
        ("stages.2.convolutions.1.weight", 0x8222_3081_5b1b_7f36),
        ("stages.2.convolutions.1.bias", 0x946f_6971_1963_1be9),
        ("stages.2.activations.0.alpha", 0x4b72_487f_9c5c_314b),
        ("stages.2.activations.1.alpha", 0x4b72_487f_9c5c_314b),
        ("linear.weight", 0x811a_3da9_c855_3812),
        ("linear.bias", 0x4234_7600_1d6b_1764),
        ("activation.alpha", 0x4b72_487f_9c5c_314b),
    ];

    #[test]
    fn a_seed_gives_the_parameters_and_features_that_it_gave_when_only_digits_were_taken() {
        let device = Device::flex();
        let pixels: Vec<f32> = (0..784).map(|i| (i % 29) as f32 / 28.0).collect();
        let images = Tensor::<1>::from_data(&pixels[..], &device).reshape([1, 1, 28, 28]);
        let network = |width: usize, feature_dim: usize| {
            device.seed(7);
            let config = LeNetPpConfig { width };
            config.init([1, 28, 28], feature_dim, &device).expect("the sizes are good").fork(&device)
        };
        let features = |network: &LeNetPp| -> Vec<f32> {
            network.forward(images.clone()).into_data().iter::<f32>().collect()
        };
        let close = |found: Vec<f32>, expected: &[f32]| {
            found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6)
        };
        let narrow = network(4, 3);
        let mut checksums = Checksums::default();
        narrow.visit(&mut checksums);
        assert_eq!(checksums.found, PARAMETERS.map(|(name, checksum)| (name.to_owned(), checksum)));
        assert!(close(features(&narrow), &[0.047_967_885, 0.068_282_17, 0.049_995_787]));
        assert!(close(features(&network(32, 2)), &[-0.004_217_630_7, 0.025_110_7]));
    }
}
