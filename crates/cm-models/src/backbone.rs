//! The backbones in one type.

use std::str::FromStr;

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};
use serde::{Deserialize, Serialize};

use crate::{
    BackboneError, CifarResNet, CifarResNetConfig, IResNet, IResNet18Config, IResNet34Config,
    IResNet50Config, IResNet100Config, LeNetPp, LeNetPpConfig, MobileFaceNet, MobileFaceNetConfig, ResNet,
    ResNet3d, ResNet3dConfig, ResNet18Config, ResNet50Config, SphereFace20, SphereFace20Config,
    onnx::{Graph, Value},
};

/// Declares the backbones once: what each is, its variant, network, configuration and name.
macro_rules! backbones {
    ($($(#[$documentation:meta])* $variant:ident($network:ident, $config:ident) = $name:literal,)*) => {
        /// Which backbone, and how wide: a network as data. What images it takes and how long its features
        /// are is said when it is made, by those who know the images and the head.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "backbone")]
        pub enum BackboneConfig {
            $($(#[$documentation])* #[serde(rename = $name)] $variant($config),)*
        }

        impl BackboneConfig {
            /// Every backbone, as wide as in its paper.
            pub fn all() -> Vec<Self> {
                vec![$(Self::$variant($config::default()),)*]
            }

            /// Name of the network.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// Channels of the first stage.
            pub fn width(&self) -> usize {
                match self {
                    $(Self::$variant(config) => config.width,)*
                }
            }

            /// The same backbone with another number of channels in its first stage.
            pub fn with_width(mut self, width: usize) -> Self {
                match &mut self {
                    $(Self::$variant(config) => config.width = width,)*
                }
                self
            }

            /// A network with random weights for images of `input`, channels, height and width.
            ///
            /// # Errors
            ///
            /// [`BackboneError::OutOfRange`] where a number is 0 or far too large;
            /// [`BackboneError::ImageTooSmall`] where nothing would be left of an image.
            pub fn init(
                &self,
                input: [usize; 3],
                feature_dim: usize,
                device: &Device,
            ) -> Result<Backbone, BackboneError> {
                Ok(match self {
                    $(Self::$variant(config) => Backbone::$variant(config.init(input, feature_dim, device)?),)*
                })
            }
        }

        /// A network of any kind.
        #[derive(Module, Debug)]
        #[allow(clippy::large_enum_variant, reason = "a model has one backbone, and a box is no module")]
        pub enum Backbone {
            $($(#[$documentation])* $variant($network),)*
        }

        impl Backbone {
            /// Features of a batch of images.
            ///
            /// # Shapes
            ///
            /// - images: `[batch, channels, height, width]`, see [`input`](Self::input)
            /// - output: `[batch, feature_dim]`
            ///
            /// # Panics
            ///
            /// If the images have another shape than the network was made for. Residual networks that end with a
            /// mean over the image take other heights and widths.
            pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
                match self {
                    $(Self::$variant(network) => network.forward(images),)*
                }
            }

            /// The same as a part of an ONNX graph: from the images to the features.
            pub fn export(&self, graph: &mut Graph, images: &Value) -> Value {
                match self {
                    $(Self::$variant(network) => network.export(graph, images),)*
                }
            }

            /// Name of the network, as [`BackboneConfig`] has it.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// Channels, height and width of the images that the network was made for.
            pub fn input(&self) -> [usize; 3] {
                match self {
                    $(Self::$variant(network) => network.input,)*
                }
            }

            /// Dimensions of the feature.
            pub fn feature_dim(&self) -> usize {
                let last = match self {
                    $(Self::$variant(network) => network.last(),)*
                };
                last.weight.lazy_shape()[1]
            }
        }
    };
}

backbones! {
    /// LeNet++, for images of digits.
    LeNetPp(LeNetPp, LeNetPpConfig) = "lenet++",
    /// A small residual network, for images of about 32 x 32 pixels.
    CifarResNet(CifarResNet, CifarResNetConfig) = "cifar-resnet",
    /// ResNet-18.
    ResNet18(ResNet, ResNet18Config) = "resnet18",
    /// ResNet-50.
    ResNet50(ResNet, ResNet50Config) = "resnet50",
    /// A small residual network for volumes.
    ResNet3d(ResNet3d, ResNet3dConfig) = "resnet3d",
    /// SphereFace-20, for faces.
    SphereFace20(SphereFace20, SphereFace20Config) = "sphereface20",
    /// IResNet-18, for faces.
    IResNet18(IResNet, IResNet18Config) = "iresnet18",
    /// IResNet-34, for faces.
    IResNet34(IResNet, IResNet34Config) = "iresnet34",
    /// IResNet-50, for faces.
    IResNet50(IResNet, IResNet50Config) = "iresnet50",
    /// IResNet-100, for faces.
    IResNet100(IResNet, IResNet100Config) = "iresnet100",
    /// MobileFaceNet, for faces on small devices.
    MobileFaceNet(MobileFaceNet, MobileFaceNetConfig) = "mobilefacenet",
}

impl BackboneConfig {
    /// LeNet++ with `width` channels in its first stage.
    pub fn lenet_pp(width: usize) -> Self {
        Self::LeNetPp(LeNetPpConfig { width })
    }

    /// A small residual network with `width` channels in its first stage and so many `blocks` in each.
    pub fn cifar_resnet(width: usize, blocks: usize) -> Self {
        Self::CifarResNet(CifarResNetConfig { width, blocks, ..Default::default() })
    }

    /// ResNet-18 with `width` channels in its first stage and a stem for small images.
    pub fn resnet18(width: usize) -> Self {
        Self::ResNet18(ResNet18Config { width, ..Default::default() })
    }

    /// SphereFace-20 with `width` channels in its first stage.
    pub fn sphereface20(width: usize) -> Self {
        Self::SphereFace20(SphereFace20Config { width })
    }

    /// IResNet-18 with `width` channels in its first stage.
    pub fn iresnet18(width: usize) -> Self {
        Self::IResNet18(IResNet18Config { width })
    }

    /// The names of all backbones, separated by commas.
    pub fn names() -> String {
        Self::all().iter().map(Self::name).collect::<Vec<_>>().join(", ")
    }
}

impl FromStr for BackboneConfig {
    type Err = BackboneError;

    /// The backbone of this name, as wide as in its paper.
    fn from_str(name: &str) -> Result<Self, BackboneError> {
        let found = Self::all().into_iter().find(|config| config.name() == name);
        found.ok_or_else(|| BackboneError::UnknownBackbone { name: name.to_owned() })
    }
}
