//! Angles from cosines, and what is done about their infinite derivatives at ±1.

use burn::tensor::{Bool, Tensor};

use crate::exact::arc_cosine;

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
pub(super) fn angle(cosines: &Tensor<2>) -> Tensor<2> {
    arc_cosine(cosines.clone().clamp(-1.0, 1.0))
}
