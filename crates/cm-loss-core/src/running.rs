//! State that moves while a head trains.

use burn::{module::RunningState, tensor::Tensor};

/// Replaces the value of a state.
///
/// Burn keeps an update aside until the state is read next, and a record taken in between has the value before it.
/// Reading it at once makes a checkpoint hold the last step. The value is taken off the graph: what was computed beside
/// tensors with gradients counts as part of their step, which a second step cannot go through again.
pub(crate) fn replace<const D: usize>(state: &RunningState<Tensor<D>>, value: Tensor<D>) {
    state.update(value.detach());
    state.value_sync();
}
