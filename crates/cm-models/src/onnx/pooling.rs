//! Pooling.

use burn::nn::{PaddingConfig2d, pool::MaxPool2d};

use super::{Graph, Value, integers};

impl Graph {
    /// The largest of a window, as a layer has it.
    pub(crate) fn max_pool(&mut self, layer: &MaxPool2d, maps: &Value) -> Value {
        let pads = match layer.padding {
            PaddingConfig2d::Explicit(top, left, bottom, right) => [top, left, bottom, right],
            _ => [0; 4],
        };
        let attributes = vec![
            integers("kernel_shape", &layer.kernel_size),
            integers("strides", &layer.stride),
            integers("pads", &pads),
        ];
        self.node("MaxPool", &[maps], attributes)
    }

    /// The mean of each channel, `[batch, channels]`.
    pub(crate) fn mean_over_image(&mut self, maps: &Value) -> Value {
        let mean = self.node("GlobalAveragePool", &[maps], Vec::new());
        self.flatten(&mean)
    }
}
