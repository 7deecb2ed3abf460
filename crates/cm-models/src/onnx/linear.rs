//! Linear layers and products of matrices.

use burn::nn::Linear;

use super::{Graph, Value, values};

impl Graph {
    /// `x W + b` of a layer.
    pub fn linear(&mut self, layer: &Linear, input: &Value) -> Value {
        let weight = layer.weight.val();
        let weight = self.constant(&weight.dims(), &values(weight));
        let bias = layer.bias.as_ref().map(|bias| {
            let bias = bias.val();
            self.constant(&bias.dims(), &values(bias))
        });
        let inputs: Vec<&Value> = [input, &weight].into_iter().chain(bias.as_ref()).collect();
        self.node("Gemm", &inputs, Vec::new())
    }

    /// The product of two matrices.
    pub fn product(&mut self, a: &Value, b: &Value) -> Value {
        self.node("MatMul", &[a, b], Vec::new())
    }
}
