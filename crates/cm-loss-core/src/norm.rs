//! Row norms and unit vectors that stay finite, in value and in gradient, for every finite input.

use burn::tensor::{Bool, DType, Tensor};

/// Entries below this count as 0.
pub(crate) const LEAST: f64 = 1e-30;

/// Euclidean norm of each row.
///
/// ```text
/// r_i = ‖x_i‖₂
/// ```
///
/// The gradient is `x_i / r_i`, and 0 for a zero row.
///
/// # Shapes
///
/// - rows: `[rows, columns]`
/// - output: `[rows, 1]`
pub fn norm(rows: Tensor<2>) -> Tensor<2> {
    norm_and_unit(rows).0
}

/// Euclidean norm `r_i = ‖x_i‖₂` of each row, and the row divided by it.
///
/// A zero row has no direction: its unit vector and the gradient through it are zero. A row whose entries are all
/// below 1e-30 in magnitude counts as a zero row, since the gradient of a direction is as large as the inverse norm and
/// would leave the range of 32-bit floats.
///
/// Rows are divided by their largest magnitude before they are squared, so that neither small nor large rows
/// leave the range of the number format on the way.
///
/// # Shapes
///
/// - rows: `[rows, columns]`; of 16-bit floats they are computed, and returned, in 32 bits
/// - output: norms `[rows, 1]`, unit vectors `[rows, columns]`
pub fn norm_and_unit(rows: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
    let rows = single_precision(rows);
    // Both results are independent of this factor, which may therefore be a constant for the gradient.
    let largest = rows.clone().detach().max_abs_dim(1);
    let zero = largest.clone().lower_scalar(LEAST);
    let largest = largest.mask_fill(zero.clone(), 0.0);
    // An infinite divisor makes a zero row zero in value and in gradient.
    let divisor = largest.clone().mask_fill(zero, f32::INFINITY);
    let scaled = rows.clone() / divisor;
    // The sum is at least 1 unless the row is zero. Clamping before the root keeps its gradient finite there.
    let scaled_norm = scaled.clone().square().sum_dim(1).clamp_min(0.5).sqrt();
    let units = scaled / scaled_norm.clone();
    let norms = scaled_norm.detach() * largest;
    // Of entries near the end of the range the norm lies beyond it, though all of them are finite.
    let norms = if norms.dtype() == DType::F32 { norms.clamp_max(f32::MAX) } else { norms };
    // The gradient of a norm is the unit vector; on its way through the scaled row it could leave the range.
    let zero = rows.clone() - rows.detach();
    (norms + (units.clone().detach() * zero).sum_dim(1), units)
}

/// 1 where it is true and 0 elsewhere, in this format and not in the default one of the device.
pub(crate) fn indicator<const D: usize>(of: Tensor<D, Bool>, dtype: DType) -> Tensor<D> {
    of.float().cast(dtype)
}

/// 16-bit floats as 32-bit floats; others as they are.
pub(crate) fn single_precision<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    match tensor.dtype() {
        DType::F16 | DType::BF16 => tensor.cast(DType::F32),
        _ => tensor,
    }
}
