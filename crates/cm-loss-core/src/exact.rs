//! Functions that GPUs may compute inexactly, from operations that are exact on all of them.
//!
//! Vulkan and WebGPU allow an arc cosine that is off by 1e-4, a hyperbolic tangent made of exponentials and a logarithm
//! with an absolute error of 5e-7: near 0 none of their digits may be right.

use std::f64::consts::{FRAC_PI_2, PI};

use burn::tensor::{DType, Tensor, activation::sigmoid};

/// A function of `x` with this value and derivative, which were computed off the graph.
pub(crate) fn with_slope(value: Tensor<2>, slope: Tensor<2>, x: Tensor<2>) -> Tensor<2> {
    value + slope * (x.clone() - x.detach())
}

/// `sigmoid'(x) = sigmoid(x) sigmoid(−x)`, which keeps its digits where `1 − sigmoid(x)` has none left.
pub(crate) fn sigmoid_slope(x: Tensor<2>) -> Tensor<2> {
    sigmoid(x.clone()) * sigmoid(x.neg())
}

/// `tanh'(x) = 4 sigmoid'(2x)`.
pub(crate) fn tanh_slope(x: Tensor<2>) -> Tensor<2> {
    sigmoid_slope(x.mul_scalar(2.0)).mul_scalar(4.0)
}

/// `acos x` from −1 to 1, as `π/2 − asin x`, and `2 asin √((1 − x)/2)` where `x` is above 1/2.
pub(crate) fn arc_cosine(x: Tensor<2>) -> Tensor<2> {
    if x.dtype() == DType::F64 {
        return x.acos();
    }
    let magnitude = x.clone().abs();
    let outer = magnitude.clone().greater_scalar(0.5);
    // Halved after the subtraction, which is exact there.
    let root = magnitude.clone().neg().add_scalar(1.0).div_scalar(2.0).sqrt();
    let arcsine = small_arcsine(magnitude.mask_where(outer.clone(), root));
    let sharp = arcsine.clone().mul_scalar(2.0);
    let acute = arcsine.neg().add_scalar(FRAC_PI_2).mask_where(outer, sharp);
    let obtuse = acute.clone().neg().add_scalar(PI);
    acute.mask_where(x.lower_scalar(0.0), obtuse)
}

/// `asin x` from 0 to 1/2, with an error of 2e-7: `x + x³ P(x²)`, the polynomial of S. Moshier's Cephes library.
fn small_arcsine(x: Tensor<2>) -> Tensor<2> {
    let square = x.clone().square();
    let coefficients = [2.418_131_1e-2, 4.547_002_6e-2, 7.495_3e-2, 1.666_675_2e-1];
    let first = square.clone().mul_scalar(4.216_319_9e-2);
    let polynomial = coefficients.into_iter().enumerate().fold(first, |sum, (i, coefficient)| {
        let sum = sum.add_scalar(coefficient);
        if i + 1 < coefficients.len() { sum * square.clone() } else { sum }
    });
    x.clone() + polynomial * square * x
}

/// `tanh x`
pub(crate) fn tanh(x: Tensor<2>) -> Tensor<2> {
    if x.dtype() == DType::F64 {
        return x.tanh();
    }
    let near = x.clone().abs().lower_scalar(0.03);
    // Elsewhere the series is not used, and must not overflow.
    let small = x.clone().mask_fill(near.clone().bool_not(), 0.0);
    let square = small.clone().square();
    // x − x³/3 + 2x⁵/15
    let series = square.clone().mul_scalar(2.0 / 15.0).sub_scalar(1.0 / 3.0) * square;
    x.tanh().mask_where(near, small * series.add_scalar(1.0))
}

/// `ln(1 + x)` for `x` of at least 0.
pub(crate) fn log1p(x: Tensor<2>) -> Tensor<2> {
    if x.dtype() == DType::F64 {
        return x.log1p();
    }
    let near = x.clone().lower_scalar(0.5);
    let small = x.clone().mask_fill(near.clone().bool_not(), 0.0);
    // 2 artanh t = 2 (t + t³/3 + t⁵/5 + ...) with t = x / (2 + x), which is at most 1/5.
    let t = small.clone() / small.add_scalar(2.0);
    let square = t.clone().square();
    let series =
        [7.0, 5.0, 3.0, 1.0].into_iter().fold(t.clone().zeros_like().add_scalar(1.0 / 9.0), |sum, k| {
            (sum * square.clone()).add_scalar(1.0 / k)
        });
    x.log1p().mask_where(near, (t * series).mul_scalar(2.0))
}

/// `ln(1 + exp x)`, with the derivative `sigmoid x`.
pub(crate) fn softplus(x: Tensor<2>) -> Tensor<2> {
    let outside = x.clone().detach();
    let value = outside.clone().clamp_min(0.0) + log1p(outside.clone().abs().neg().exp());
    with_slope(value, sigmoid(outside), x)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    fn column(values: &[f32]) -> Tensor<2> {
        Tensor::from_data(TensorData::new(values.to_vec(), [values.len(), 1]), &Device::flex())
    }

    #[test]
    fn the_arc_cosine_is_exact_within_rounding() {
        let x: Vec<f32> =
            (-1000..=1000).map(|i| i as f32 / 1000.0).chain([0.999_999_9, -0.999_999_9]).collect();
        for (x, found) in x.iter().zip(arc_cosine(column(&x)).into_data().iter::<f64>()) {
            let expected = f64::from(*x).acos();
            assert!((found - expected).abs() < 5e-7, "{x}: {found}, not {expected}");
        }
    }

    #[test]
    fn tangent_and_logarithm_keep_their_digits_near_zero() {
        let x: Vec<f32> = (-80..=60).map(|i| 1.2f32.powi(i)).collect();
        for (x, found) in x.iter().zip(tanh(column(&x)).into_data().iter::<f64>()) {
            let expected = f64::from(*x).tanh();
            assert!((found / expected - 1.0).abs() < 1e-6, "{x}: {found}, not {expected}");
        }
        for (x, found) in x.iter().zip(log1p(column(&x)).into_data().iter::<f64>()) {
            let expected = f64::from(*x).ln_1p();
            assert!((found / expected - 1.0).abs() < 1e-6, "{x}: {found}, not {expected}");
        }
    }
}
