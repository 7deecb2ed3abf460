//! Angles from cosines, and what is done about their infinite derivatives at ±1.

use std::f64::consts::{FRAC_PI_2, PI};

use burn::tensor::{Bool, DType, Tensor};

/// Squared sines up to this are rounding noise of the cosine.
const NOISE: f64 = 1e-10;

fn squared_sine(cosines: &Tensor<2>) -> Tensor<2> {
    let one_minus = cosines.clone().neg().add_scalar(1.0);
    one_minus * cosines.clone().add_scalar(1.0)
}

/// `sin θ`, at least the root of the noise.
pub(super) fn sine(cosines: &Tensor<2>) -> Tensor<2> {
    squared_sine(cosines).clamp_min(NOISE).sqrt()
}

/// Where `sin θ` is rounding noise, so that nothing may be divided by it.
pub(super) fn is_noise(cosines: &Tensor<2>) -> Tensor<2, Bool> {
    squared_sine(cosines).lower_equal_scalar(NOISE)
}

/// `θ` in radians.
///
/// GPUs may return an arc cosine that is off by 1e-4 (Vulkan allows it), so that it is computed from operations that are
/// exact everywhere: `acos x = π/2 − asin x`, and `2 asin √((1 − x)/2)` where `x` is above 1/2.
pub(super) fn angle(cosines: &Tensor<2>) -> Tensor<2> {
    let cosines = cosines.clone().clamp(-1.0, 1.0);
    if cosines.dtype() == DType::F64 {
        return cosines.acos();
    }
    let magnitude = cosines.clone().abs();
    let outer = magnitude.clone().greater_scalar(0.5);
    // Halved after the subtraction, which is exact there.
    let root = magnitude.clone().neg().add_scalar(1.0).div_scalar(2.0).sqrt();
    let arcsine = small_arcsine(magnitude.mask_where(outer.clone(), root));
    let sharp = arcsine.clone().mul_scalar(2.0);
    let acute = arcsine.neg().add_scalar(FRAC_PI_2).mask_where(outer, sharp);
    let obtuse = acute.clone().neg().add_scalar(PI);
    acute.mask_where(cosines.lower_scalar(0.0), obtuse)
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

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn the_angle_is_the_arc_cosine_within_rounding() {
        let cosines: Vec<f32> =
            (-1000..=1000).map(|i| i as f32 / 1000.0).chain([0.999_999_9, -0.999_999_9]).collect();
        let data = TensorData::new(cosines.clone(), [cosines.len(), 1]);
        let found = angle(&Tensor::from_data(data, &Device::flex())).into_data();
        for (cosine, angle) in cosines.into_iter().zip(found.iter::<f64>()) {
            let expected = f64::from(cosine).acos();
            assert!((angle - expected).abs() < 5e-7, "{cosine}: {angle}, not {expected}");
        }
    }
}
