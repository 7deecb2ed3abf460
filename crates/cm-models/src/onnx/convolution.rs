//! Convolution.

use burn::nn::{PaddingConfig2d, conv::Conv2d};

use super::{Graph, Value, integers};

impl Graph {
    /// A convolution with the weights and the padding of a layer.
    pub(crate) fn convolution(&mut self, layer: &Conv2d, images: &Value) -> Value {
        let shape = layer.weight.val().dims();
        let weight = self.tensor(layer.weight.val());
        let bias = layer.bias.as_ref().map(|bias| self.tensor(bias.val()));
        let pads = match layer.padding {
            PaddingConfig2d::Explicit(top, left, bottom, right) => [top, left, bottom, right],
            PaddingConfig2d::Valid => [0; 4],
            PaddingConfig2d::Same => shape_same(shape),
        };
        let attributes = vec![
            integers("kernel_shape", &shape[2..]),
            integers("strides", &layer.stride),
            integers("dilations", &layer.dilation),
            integers("pads", &pads),
        ];
        let inputs: Vec<&Value> = [images, &weight].into_iter().chain(bias.as_ref()).collect();
        self.node("Conv", &inputs, attributes)
    }
}

/// As much on every side as keeps the size, for odd kernels and a stride of 1.
fn shape_same([_, _, height, width]: [usize; 4]) -> [usize; 4] {
    [height / 2, width / 2, height / 2, width / 2]
}
