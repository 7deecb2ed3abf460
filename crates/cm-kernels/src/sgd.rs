//! Stochastic gradient descent.

use burn::{
    optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource, join_path},
    tensor::{Device, Tensor},
};

/// Stochastic gradient descent with momentum: `v ← momentum · v + (g + weight_decay · w)`, `w ← w − rate · v`.
///
/// The numbers and the records are those of Burn's [`Sgd`](burn::optim::Sgd) without dampening and those of
/// `torch.optim.SGD`. On flex a step is one pass over the weights, in place and on all threads.
///
/// ```
/// use burn::optim::ModuleOptimizer;
///
/// let optimizer: ModuleOptimizer = cm_kernels::Sgd { momentum: 0.9, weight_decay: 5e-4 }.into();
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// Share of the last velocity that is kept, from 0 to below 1.
    pub momentum: f64,
    /// L2 penalty, added to the gradient of every weight.
    pub weight_decay: f64,
}

/// The velocity of a weight, in records as Burn's `Sgd` keeps it.
#[derive(Debug, Clone)]
pub struct Velocity<const D: usize>(Tensor<D>);

impl<const D: usize> RecordState for Velocity<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(&join_path(prefix, "momentum"), "velocity", self.0.to_data());
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let velocity = source.take_tensor(&join_path(prefix, "momentum"), "velocity")?;
        Some(Self(Tensor::from_data(velocity, device)))
    }
}

impl Optimizer for Sgd {
    type State<const D: usize> = Velocity<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        weight: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Velocity<D>>,
    ) -> (Tensor<D>, Option<Velocity<D>>) {
        let velocity = match state {
            Some(Velocity(velocity)) => velocity,
            None => gradient.zeros_like(),
        };
        let (weight, velocity) = self.descend(rate, weight, velocity, gradient);
        (weight, Some(Velocity(velocity)))
    }

    fn to_device<const D: usize>(Velocity(velocity): Velocity<D>, device: &Device) -> Velocity<D> {
        Velocity(velocity.to_device(device))
    }
}

impl Sgd {
    fn descend<const D: usize>(
        &self,
        rate: f64,
        weight: Tensor<D>,
        velocity: Tensor<D>,
        gradient: Tensor<D>,
    ) -> (Tensor<D>, Tensor<D>) {
        #[cfg(feature = "flex")]
        if [&weight, &velocity, &gradient].into_iter().all(crate::layers::suits)
            && !weight.device().is_autodiff()
        {
            use crate::{extension::Kernels, kernel::descent::Descent};
            use burn::backend::Dispatch;

            let descent = Descent {
                rate: rate as f32,
                momentum: self.momentum as f32,
                weight_decay: self.weight_decay as f32,
            };
            let [weight, velocity, gradient] =
                [weight, velocity, gradient].map(|tensor| tensor.into_dispatch());
            let (weight, velocity) = <Dispatch as Kernels>::descend(weight, velocity, gradient, descent);
            return (Tensor::from_dispatch(weight), Tensor::from_dispatch(velocity));
        }
        let gradient = gradient + weight.clone().mul_scalar(self.weight_decay);
        let velocity = gradient + velocity.mul_scalar(self.momentum);
        (weight - velocity.clone().mul_scalar(rate), velocity)
    }
}
