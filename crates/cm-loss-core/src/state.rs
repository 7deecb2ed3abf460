//! What a module remembers beside its parameters: numbers that move while it trains.

use std::sync::{Arc, Mutex, PoisonError};

use burn::{
    module::{Module, RunningState},
    tensor::{DType, Device, Tensor, TensorData, kind::Autodiff},
};

/// A value of 32 bits, whatever the default format of the device. A record of the module holds it.
///
/// Clones of a module share it, on whatever device they are, as they share the running statistics of Burn's batch norm:
/// what one of them trains on, all of them remember. Updates of several workers follow one another, and none is lost.
#[derive(Module, Debug)]
pub(crate) struct State<const D: usize> {
    value: RunningState<Tensor<D>>,
    /// Held from reading the old value to writing the new one.
    #[module(skip)]
    turn: Arc<Mutex<()>>,
}

/// A constant on the device of another tensor, with or without a graph and in the format as that one.
pub(crate) fn beside<const D: usize, const E: usize>(value: Tensor<D>, like: &Tensor<E>) -> Tensor<D> {
    on(value, &like.device()).cast(like.dtype())
}

/// A constant on a device. Burn's own way leaves a tensor in or out of a graph, and in the same kind of graph.
pub(crate) fn on<const D: usize, K: Autodiff>(value: Tensor<D, K>, device: &Device) -> Tensor<D, K> {
    let value = value.without_autodiff().to_device(&device.clone().without_autodiff());
    match device.gradient_checkpointing_strategy() {
        Some(strategy) => value.autodiff().with_gradient_checkpointing_strategy(strategy),
        None => value,
    }
}

impl<const D: usize> State<D> {
    pub fn new(values: Vec<f32>, shape: [usize; D], device: &Device) -> Self {
        let device = device.clone().without_autodiff();
        let value = Tensor::from_data(TensorData::new(values, shape), (&device, DType::F32));
        Self { value: RunningState::new(value), turn: Arc::default() }
    }

    /// The value beside another tensor. A fork of this module may have taken it elsewhere.
    pub fn value<const E: usize>(&self, like: &Tensor<E>) -> Tensor<D> {
        beside(self.value.value_sync(), like)
    }

    /// The value on the host.
    pub fn read(&self) -> Vec<f32> {
        self.value.value_sync().into_data().iter::<f32>().collect()
    }

    /// Replaces the value, which `to` gets on a device, by what it gives. Gives the value before.
    ///
    /// Burn keeps an update aside until the state is read next, and a record taken in between has the value before it:
    /// it is read at once. The value is kept off any graph: what was computed beside tensors with gradients counts as
    /// part of their step, which a second step cannot go through again.
    pub fn replace(&self, device: &Device, to: impl FnOnce(Tensor<D>) -> Tensor<D>) -> Tensor<D> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let before = on(self.value.value_sync(), device);
        self.value.update(to(before.clone()).without_autodiff().cast(DType::F32));
        self.value.value_sync();
        before
    }

    /// Replaces the value by numbers of the host.
    pub fn set(&self, values: Vec<f32>) {
        let device = self.value.value().device();
        self.replace(&device, |before| {
            Tensor::from_data(TensorData::new(values, before.dims()), (&device, DType::F32))
        });
    }
}
