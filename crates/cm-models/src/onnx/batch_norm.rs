//! Batch normalization.

use burn::nn::BatchNorm;

use super::{Graph, Value, float};

impl Graph {
    /// Batch normalization with the running statistics of a layer.
    pub(crate) fn batch_norm(&mut self, layer: &BatchNorm, maps: &Value) -> Value {
        let numbers = [
            layer.gamma.val(),
            layer.beta.val(),
            layer.running_mean.value_sync(),
            layer.running_var.value_sync(),
        ];
        let [gamma, beta, mean, variance] = numbers.map(|numbers| self.tensor(numbers));
        let inputs = [maps, &gamma, &beta, &mean, &variance];
        self.node("BatchNormalization", &inputs, vec![float("epsilon", layer.epsilon)])
    }
}
