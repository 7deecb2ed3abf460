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

/// Two convolutions beside a shortcut.
#[derive(Module, Debug)]
pub(crate) struct Block {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
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

    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let relu = Relu::new();
        let beside = relu.fast(self.bn1.fast(self.conv1.fast(x.clone())));
        let beside = self.bn2.fast(self.conv2.fast(beside));
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

/// So many blocks, the first of which changes the channels and shrinks the image by the stride.
pub(crate) fn stage(
    [before, after]: [usize; 2],
    stride: usize,
    blocks: usize,
    device: &Device,
) -> Vec<Block> {
    let block = |i| if i == 0 { ([before, after], stride) } else { ([after, after], 1) };
    (0..blocks).map(block).map(|(channels, stride)| Block::new(channels, stride, device)).collect()
}

/// `[batch, channels, height, width]` becomes `[batch, channels]`.
pub(crate) fn mean_over_image(maps: Tensor<4>) -> Tensor<2> {
    let [batch, channels, height, width] = maps.dims();
    maps.reshape([batch, channels, height * width]).mean_dim(2).squeeze_dim(2)
}
