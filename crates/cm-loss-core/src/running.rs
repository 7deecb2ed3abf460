//! State that moves while a head trains.

use burn::{module::RunningState, tensor::Tensor};

/// Replaces the value of a state.
///
/// Burn keeps an update aside until the state is read next, and a record taken in between has the value before it.
/// Reading it at once makes a checkpoint hold the last step.
pub(crate) fn replace<const D: usize>(state: &RunningState<Tensor<D>>, value: Tensor<D>) {
    state.update(value);
    state.value_sync();
}
