//! Row norms and unit vectors that stay finite, in value and in gradient, for every finite input.

use burn::tensor::Tensor;

/// Entries below this count as 0.
const LEAST: f64 = 1e-30;

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
/// - rows: `[rows, columns]`
/// - output: norms `[rows, 1]`, unit vectors `[rows, columns]`
pub fn norm_and_unit(rows: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
    // Both results are independent of this factor, which may therefore be a constant for the gradient.
    let largest = rows.clone().detach().max_abs_dim(1);
    let zero = largest.clone().lower_scalar(LEAST);
    let largest = largest.mask_fill(zero.clone(), 0.0);
    // An infinite divisor makes a zero row zero in value and in gradient.
    let divisor = largest.clone().mask_fill(zero, f32::INFINITY);
    let scaled = rows / divisor;
    // The sum is at least 1 unless the row is zero. Clamping before the root keeps its gradient finite there.
    let scaled_norm = scaled.clone().square().sum_dim(1).clamp_min(0.5).sqrt();
    (scaled_norm.clone() * largest, scaled / scaled_norm)
}
