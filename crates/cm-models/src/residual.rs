//! What residual networks are made of.

use burn::{
    module::Module,
    nn::{
        BatchNorm, BatchNormConfig, PaddingConfig2d, Relu,
        conv::{Conv2d, Conv2dConfig},
    },
    tensor::{Device, Tensor},
};
use cm_kernels::Fast;

use crate::onnx::{Graph, Value};

/// What a block is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Two 3x3 convolutions.
    Basic,
    /// A pointwise convolution to fewer channels, a 3x3 one, and a pointwise one to four times as many.
    Bottleneck,
}

impl Kind {
    /// Channels that come out of a block, for each within it.
    pub const fn expansion(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Bottleneck => 4,
        }
    }
}

/// Convolutions beside a shortcut.
#[derive(Module, Debug)]
pub(crate) struct Block {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    // A bottleneck's alone; the names in files are those of torchvision.
    conv3: Option<Conv2d>,
    bn3: Option<BatchNorm>,
    downsample: Option<(Conv2d, BatchNorm)>,
}

pub(crate) fn convolution(channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Conv2d {
    let pad = kernel / 2;
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
        .with_bias(false)
        .init(device)
}

pub(crate) fn norm(channels: usize, device: &Device) -> BatchNorm {
    BatchNormConfig::new(channels).init(device)
}

/// Batch norm of features with a scale that stays 1.
pub(crate) fn norm_of_features(dim: usize, device: &Device) -> BatchNorm {
    let mut features = norm(dim, device);
    features.gamma = features.gamma.set_require_grad(false);
    features
}

impl Block {
    fn new(kind: Kind, before: usize, within: usize, stride: usize, device: &Device) -> Self {
        let after = within * kind.expansion();
        let is_bottleneck = kind == Kind::Bottleneck;
        let (kernel, first_stride, second_stride) =
            if is_bottleneck { (1, 1, stride) } else { (3, stride, 1) };
        Self {
            conv1: convolution([before, within], kernel, first_stride, device),
            bn1: norm(within, device),
            conv2: convolution([within, within], 3, second_stride, device),
            bn2: norm(within, device),
            conv3: is_bottleneck.then(|| convolution([within, after], 1, 1, device)),
            bn3: is_bottleneck.then(|| norm(after, device)),
            downsample: (before != after || stride != 1)
                .then(|| (convolution([before, after], 1, stride, device), norm(after, device))),
        }
    }

    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let relu = Relu::new();
        let beside = relu.fast(self.bn1.fast(self.conv1.fast(x.clone())));
        let mut beside = self.bn2.fast(self.conv2.fast(beside));
        if let (Some(convolution), Some(norm)) = (&self.conv3, &self.bn3) {
            beside = norm.fast(convolution.fast(relu.fast(beside)));
        }
        let shortcut = match &self.downsample {
            Some((convolution, norm)) => norm.fast(convolution.fast(x)),
            None => x,
        };
        relu.fast(beside + shortcut)
    }

    pub fn export(&self, graph: &mut Graph, x: &Value) -> Value {
        let mut beside = graph.convolution(&self.conv1, x);
        beside = graph.batch_norm(&self.bn1, &beside);
        beside = graph.relu(&beside);
        beside = graph.convolution(&self.conv2, &beside);
        beside = graph.batch_norm(&self.bn2, &beside);
        if let (Some(convolution), Some(norm)) = (&self.conv3, &self.bn3) {
            beside = graph.relu(&beside);
            beside = graph.convolution(convolution, &beside);
            beside = graph.batch_norm(norm, &beside);
        }
        let shortcut = match &self.downsample {
            Some((convolution, norm)) => {
                let shortcut = graph.convolution(convolution, x);
                graph.batch_norm(norm, &shortcut)
            }
            None => x.clone(),
        };
        let sum = graph.add(&beside, &shortcut);
        graph.relu(&sum)
    }
}

/// So many blocks with `within` channels, the first of which takes `before` and shrinks the image by the stride.
pub(crate) fn stage(
    kind: Kind,
    before: usize,
    within: usize,
    stride: usize,
    blocks: usize,
    device: &Device,
) -> Vec<Block> {
    let block = |i| if i == 0 { (before, stride) } else { (within * kind.expansion(), 1) };
    (0..blocks).map(block).map(|(before, stride)| Block::new(kind, before, within, stride, device)).collect()
}

/// `[batch, channels, height, width]` becomes `[batch, channels]`.
pub(crate) fn mean_over_image(maps: Tensor<4>) -> Tensor<2> {
    let [batch, channels, height, width] = maps.dims();
    maps.reshape([batch, channels, height * width]).mean_dim(2).squeeze_dim(2)
}
