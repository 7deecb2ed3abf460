//! `exp` of several numbers at a time.

/// Numbers that are worked on side by side.
pub const LANES: usize = 32;

/// Below this `exp` is 0 here.
const LEAST: f32 = -87.0;

/// `exp(x)` for `x` of at most 0, with an error of 2 units in the last place; 0 below −87.
///
/// `2^n exp(f)` with `|f| ≤ ln 2 / 2` and the polynomial of S. Moshier's Cephes library, without a branch, so that the
/// compiler computes as many at a time as the machine can.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Added and subtracted, it rounds to a whole number, which then is in the last bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    // Not the maximum, which would hide a number that is none.
    let held = if x < LEAST { LEAST } else { x };
    let shifted = held * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts, the first of which is exact with every n.
    let f = (held - n * 0.693_359_4) + n * 2.121_944_4e-4;
    let polynomial = ((((1.987_569_1e-4 * f + 1.398_199_9e-3) * f + 8.333_452e-3) * f + 4.166_579_6e-2) * f
        + 1.666_666_5e-1)
        * f
        + 0.5;
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    let value = (polynomial * f * f + f + 1.0) * power;
    if x < LEAST { 0.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_right_to_two_units_in_the_last_place() {
        for i in 0..=870_000 {
            let x = -(i as f32) / 10_000.0;
            let (found, expected) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((found / expected - 1.0).abs() < 2.4e-7, "{x}: {found:e}, not {expected:e}");
        }
        assert_eq!((exp(0.0), exp(-87.1), exp(f32::MIN), exp(f32::NEG_INFINITY)), (1.0, 0.0, 0.0, 0.0));
        assert!(exp(f32::NAN).is_nan());
    }
}
