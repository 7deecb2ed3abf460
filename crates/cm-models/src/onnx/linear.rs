//! Linear layers and products of matrices.

use burn::nn::Linear;

use super::{Graph, Value};

impl Graph {
    /// `x W + b` of a layer.
    pub fn linear(&mut self, layer: &Linear, input: &Value) -> Value {
        let weight = self.tensor(layer.weight.val());
        let bias = layer.bias.as_ref().map(|bias| self.tensor(bias.val()));
        let inputs: Vec<&Value> = [input, &weight].into_iter().chain(bias.as_ref()).collect();
        self.node("Gemm", &inputs, Vec::new())
    }

    /// The product of two matrices.
    pub fn product(&mut self, a: &Value, b: &Value) -> Value {
        self.node("MatMul", &[a, b], Vec::new())
    }
}
