//! The backbones in one type.

use std::str::FromStr;

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};
use serde::{Deserialize, Serialize};

use crate::{
    BackboneError, CifarResNet, CifarResNetConfig, LeNetPp, LeNetPpConfig, ResNet3d, ResNet3dConfig,
    ResNet18, ResNet18Config, SphereFace20, SphereFace20Config,
    onnx::{Graph, Value},
};

/// Which backbone, and how wide: a network as data. What images it takes and how long its features
/// are is said when it is made, by those who know the images and the head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "backbone")]
pub enum BackboneConfig {
    /// LeNet++, for images of digits.
    #[serde(rename = "lenet++")]
    LeNetPp(LeNetPpConfig),
    /// A small residual network, for images of about 32 x 32 pixels.
    #[serde(rename = "cifar-resnet")]
    CifarResNet(CifarResNetConfig),
    /// ResNet-18.
    #[serde(rename = "resnet18")]
    ResNet18(ResNet18Config),
    /// A small residual network for volumes.
    #[serde(rename = "resnet3d")]
    ResNet3d(ResNet3dConfig),
    /// SphereFace-20, for faces.
    #[serde(rename = "sphereface20")]
    SphereFace20(SphereFace20Config),
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

    /// Every backbone, as wide as in its paper.
    pub fn all() -> [Self; 5] {
        [
            Self::LeNetPp(LeNetPpConfig::default()),
            Self::CifarResNet(CifarResNetConfig::default()),
            Self::ResNet18(ResNet18Config::default()),
            Self::ResNet3d(ResNet3dConfig::default()),
            Self::SphereFace20(SphereFace20Config::default()),
        ]
    }

    /// The names of all backbones, separated by commas.
    pub fn names() -> String {
        Self::all().iter().map(Self::name).collect::<Vec<_>>().join(", ")
    }

    /// Name of the network.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LeNetPp(_) => LeNetPp::NAME,
            Self::CifarResNet(_) => CifarResNet::NAME,
            Self::ResNet18(_) => ResNet18::NAME,
            Self::ResNet3d(_) => ResNet3d::NAME,
            Self::SphereFace20(_) => SphereFace20::NAME,
        }
    }

    /// Channels of the first stage.
    pub fn width(&self) -> usize {
        match self {
            Self::LeNetPp(config) => config.width,
            Self::CifarResNet(config) => config.width,
            Self::ResNet18(config) => config.width,
            Self::ResNet3d(config) => config.width,
            Self::SphereFace20(config) => config.width,
        }
    }

    /// The same backbone with another number of channels in its first stage.
    pub fn with_width(mut self, width: usize) -> Self {
        *match &mut self {
            Self::LeNetPp(config) => &mut config.width,
            Self::CifarResNet(config) => &mut config.width,
            Self::ResNet18(config) => &mut config.width,
            Self::ResNet3d(config) => &mut config.width,
            Self::SphereFace20(config) => &mut config.width,
        } = width;
        self
    }

    /// A network with random weights for images of `input`, channels, height and width.
    ///
    /// # Errors
    ///
    /// [`BackboneError::OutOfRange`] where a number is 0 or beyond all measure;
    /// [`BackboneError::ImageTooSmall`] where nothing would be left of an image.
    pub fn init(
        &self,
        input: [usize; 3],
        feature_dim: usize,
        device: &Device,
    ) -> Result<Backbone, BackboneError> {
        Ok(match self {
            Self::LeNetPp(config) => Backbone::LeNetPp(config.init(input, feature_dim, device)?),
            Self::CifarResNet(config) => Backbone::CifarResNet(config.init(input, feature_dim, device)?),
            Self::ResNet18(config) => Backbone::ResNet18(config.init(input, feature_dim, device)?),
            Self::ResNet3d(config) => Backbone::ResNet3d(config.init(input, feature_dim, device)?),
            Self::SphereFace20(config) => Backbone::SphereFace20(config.init(input, feature_dim, device)?),
        })
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

/// A network of any kind.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a model has one backbone, and a box is no module")]
pub enum Backbone {
    /// LeNet++.
    LeNetPp(LeNetPp),
    /// A small residual network.
    CifarResNet(CifarResNet),
    /// ResNet-18.
    ResNet18(ResNet18),
    /// A small residual network for volumes.
    ResNet3d(ResNet3d),
    /// SphereFace-20.
    SphereFace20(SphereFace20),
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
    /// If the images have another shape than the network was made for. The residual networks take
    /// other heights and widths.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Self::LeNetPp(network) => network.forward(images),
            Self::CifarResNet(network) => network.forward(images),
            Self::ResNet18(network) => network.forward(images),
            Self::ResNet3d(network) => network.forward(images),
            Self::SphereFace20(network) => network.forward(images),
        }
    }

    /// The same as a part of an ONNX graph: from the images to the features.
    pub fn export(&self, graph: &mut Graph, images: &Value) -> Value {
        match self {
            Self::LeNetPp(network) => network.export(graph, images),
            Self::CifarResNet(network) => network.export(graph, images),
            Self::ResNet18(network) => network.export(graph, images),
            Self::ResNet3d(network) => network.export(graph, images),
            Self::SphereFace20(network) => network.export(graph, images),
        }
    }

    /// Name of the network, as [`BackboneConfig`] has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LeNetPp(_) => LeNetPp::NAME,
            Self::CifarResNet(_) => CifarResNet::NAME,
            Self::ResNet18(_) => ResNet18::NAME,
            Self::ResNet3d(_) => ResNet3d::NAME,
            Self::SphereFace20(_) => SphereFace20::NAME,
        }
    }

    /// Channels, height and width of the images that the network was made for.
    pub fn input(&self) -> [usize; 3] {
        match self {
            Self::LeNetPp(network) => network.input,
            Self::CifarResNet(network) => network.input,
            Self::ResNet18(network) => network.input,
            Self::ResNet3d(network) => network.input,
            Self::SphereFace20(network) => network.input,
        }
    }

    /// Dimensions of the feature.
    pub fn feature_dim(&self) -> usize {
        let last = match self {
            Self::LeNetPp(network) => &network.linear,
            Self::CifarResNet(network) => &network.fc,
            Self::ResNet18(network) => &network.fc,
            Self::ResNet3d(network) => &network.fc,
            Self::SphereFace20(network) => &network.linear,
        };
        last.weight.lazy_shape()[1]
    }
}
