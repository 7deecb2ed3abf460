//! Convolution.

use burn::{
    nn::{
        PaddingConfig2d, PaddingConfig3d,
        conv::{Conv2d, Conv3d},
    },
    tensor::Tensor,
};

use super::{Graph, Value, integer, integers};

impl Graph {
    /// A convolution with the weights and the padding of a layer.
    pub(crate) fn convolution(&mut self, layer: &Conv2d, images: &Value) -> Value {
        let pads = match layer.padding {
            PaddingConfig2d::Explicit(top, left, bottom, right) => [top, left, bottom, right],
            PaddingConfig2d::Valid => [0; 4],
            PaddingConfig2d::Same => shape_same(layer.weight.val().dims()),
        };
        let bias = layer.bias.as_ref().map(|bias| bias.val());
        self.convolved(
            images,
            layer.weight.val(),
            bias,
            [&layer.stride, &layer.dilation, &pads],
            layer.groups,
        )
    }

    /// The same of volumes.
    pub(crate) fn convolution_3d(&mut self, layer: &Conv3d, volumes: &Value) -> Value {
        let pads = match layer.padding {
            PaddingConfig3d::Explicit(front, top, left) => [front, top, left, front, top, left],
            PaddingConfig3d::Valid => [0; 6],
            PaddingConfig3d::Same => {
                let [_, _, depth, height, width] = layer.weight.val().dims();
                [depth / 2, height / 2, width / 2, depth / 2, height / 2, width / 2]
            }
        };
        let bias = layer.bias.as_ref().map(|bias| bias.val());
        self.convolved(
            volumes,
            layer.weight.val(),
            bias,
            [&layer.stride, &layer.dilation, &pads],
            layer.groups,
        )
    }

    fn convolved<const D: usize>(
        &mut self,
        input: &Value,
        weight: Tensor<D>,
        bias: Option<Tensor<1>>,
        [strides, dilations, pads]: [&[usize]; 3],
        groups: usize,
    ) -> Value {
        let attributes = vec![
            integers("kernel_shape", &weight.dims()[2..]),
            integers("strides", strides),
            integers("dilations", dilations),
            integers("pads", pads),
            integer("group", groups as i64),
        ];
        let weight = self.tensor(weight);
        let bias = bias.map(|bias| self.tensor(bias));
        let inputs: Vec<&Value> = [input, &weight].into_iter().chain(bias.as_ref()).collect();
        self.node("Conv", &inputs, attributes)
    }
}

/// As much on every side as keeps the size, for odd kernels and a stride of 1.
fn shape_same([_, _, height, width]: [usize; 4]) -> [usize; 4] {
    [height / 2, width / 2, height / 2, width / 2]
}
