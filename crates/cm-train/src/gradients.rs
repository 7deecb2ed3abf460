//! The norm of all gradients together, and clipping by it.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::Tensor,
};

/// The Euclidean norm of all gradients of the module as one vector.
///
/// Squares of large gradients leave the range of 32 bits, where the norm itself does not: then the largest of them is
/// divided out first. The norm is NaN or infinite only if a gradient is. It is read back from the device.
pub fn global_norm<M: Module>(module: &M, gradients: &GradientsParams) -> f64 {
    let mut sum = Sum { gradients, divisor: 1.0, total: None };
    module.visit(&mut sum);
    let plain = f64::from(read(sum.total).sqrt());
    // Also where so small that squares vanish.
    if plain.is_finite() && plain > 1e-15 {
        return plain;
    }
    let mut largest = Largest { gradients, largest: None };
    module.visit(&mut largest);
    let largest = f64::from(read(largest.largest));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let mut sum = Sum { gradients, divisor: largest, total: None };
    module.visit(&mut sum);
    largest * f64::from(read(sum.total).sqrt())
}

/// Scales all gradients by `min(1, limit / (norm + 1e-6))`, where `norm` is their [`global_norm`]; the same as
/// PyTorch's `clip_grad_norm_`.
///
/// Burn's own clipping takes the norm of each parameter by itself.
pub fn clip_by_norm<M: Module>(
    module: &M,
    gradients: GradientsParams,
    norm: f64,
    limit: f64,
) -> GradientsParams {
    // In 32 bits where the norm has them, as PyTorch does it.
    let single = norm as f32;
    let factor = match single.is_finite() {
        true => f64::from((single + 1e-6).recip() * limit as f32),
        false => limit / norm,
    };
    if factor >= 1.0 {
        return gradients;
    }
    let mut scale = Scale { gradients, factor };
    module.visit(&mut scale);
    scale.gradients
}

fn read(total: Option<Tensor<1>>) -> f32 {
    total.map_or(0.0, |total| total.into_scalar::<f32>())
}

struct Sum<'a> {
    gradients: &'a GradientsParams,
    divisor: f64,
    total: Option<Tensor<1>>,
}

impl ModuleVisitor for Sum<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let gradient = if self.divisor == 1.0 { gradient } else { gradient.div_scalar(self.divisor) };
            let squares = gradient.square().sum();
            self.total = Some(match self.total.take() {
                Some(total) => total + squares,
                None => squares,
            });
        }
    }
}

struct Largest<'a> {
    gradients: &'a GradientsParams,
    largest: Option<Tensor<1>>,
}

impl ModuleVisitor for Largest<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            // Not every backend's maximum keeps NaN; a sum of magnitudes times 0 does.
            let magnitudes = gradient.abs();
            let largest = magnitudes.clone().max() + magnitudes.mul_scalar(0.0).sum();
            self.largest = Some(match self.largest.take() {
                Some(other) => other.max_pair(largest.clone()) + largest.mul_scalar(0.0),
                None => largest,
            });
        }
    }
}

struct Scale {
    gradients: GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Scale {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients.register(param.id, gradient.mul_scalar(self.factor));
        }
    }
}
