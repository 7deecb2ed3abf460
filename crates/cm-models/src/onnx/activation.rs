//! Activations.

use burn::nn::PRelu;

use super::{Graph, Value, integer, values};

impl Graph {
    /// PReLU with the slopes of a layer: one for all, or one a channel of maps.
    pub(crate) fn prelu(&mut self, layer: &PRelu, input: &Value, is_map: bool) -> Value {
        let slopes = values(layer.alpha.val());
        let shape = if is_map { vec![slopes.len(), 1, 1] } else { vec![slopes.len()] };
        let slopes = self.constant(&shape, &slopes);
        self.node("PRelu", &[input, &slopes], Vec::new())
    }

    /// `max(x, 0)`
    pub fn relu(&mut self, input: &Value) -> Value {
        self.node("Relu", &[input], Vec::new())
    }

    /// `1 / (1 + exp(−x))`
    pub fn sigmoid(&mut self, input: &Value) -> Value {
        self.node("Sigmoid", &[input], Vec::new())
    }

    /// `tanh x`
    pub fn tanh(&mut self, input: &Value) -> Value {
        self.node("Tanh", &[input], Vec::new())
    }

    /// Probabilities along the last side.
    pub fn softmax(&mut self, input: &Value) -> Value {
        self.node("Softmax", &[input], vec![integer("axis", -1)])
    }
}
