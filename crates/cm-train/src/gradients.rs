//! Gradient clipping by the norm of all gradients together.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::Tensor,
};

/// Scales all gradients by `min(1, limit / (total + 1e-6))`, where `total` is the Euclidean norm of all gradients
/// of the module as one vector; the same as PyTorch's `clip_grad_norm_`.
///
/// Burn's own clipping takes the norm of each parameter by itself. The factor stays on the device.
pub fn clip_global_norm<M: Module>(module: &M, gradients: GradientsParams, limit: f64) -> GradientsParams {
    let mut sum = SumOfSquares { gradients: &gradients, sum: None };
    module.visit(&mut sum);
    let Some(sum) = sum.sum else { return gradients };
    let factor = (sum.sqrt() + 1e-6).recip().mul_scalar(limit).clamp_max(1.0);
    let mut scale = Scale { gradients, factor };
    module.visit(&mut scale);
    scale.gradients
}

struct SumOfSquares<'a> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for SumOfSquares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let squares = gradient.square().sum();
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + squares,
                None => squares,
            });
        }
    }
}

struct Scale {
    gradients: GradientsParams,
    factor: Tensor<1>,
}

impl ModuleVisitor for Scale {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients.register(param.id, gradient * self.factor.clone().reshape([1; D]));
        }
    }
}
