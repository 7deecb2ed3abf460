//! `exp` of several numbers at a time.

use pulp::Simd;

/// Below this `exp` is 0 here.
const LEAST: f32 = -87.0;

/// `exp(x)` for `x` of at most 0, with an error of 2 units in the last place; 0 below −87.
///
/// `2^n exp(f)` with `|f| ≤ ln 2 / 2` and the polynomial of S. Moshier's Cephes library, without a branch.
#[inline(always)]
pub fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // Added and subtracted, it rounds to a whole number, which then is in the last bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts, the first of which is exact with every n.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const POLYNOMIAL: [f32; 6] =
        [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];
    let splat = |number| simd.splat_f32s(number);
    // Not the maximum, which would hide NaN.
    let under = simd.less_than_f32s(x, splat(LEAST));
    let clamped = simd.select_f32s(under, splat(LEAST), x);
    let shifted = simd.mul_add_f32s(clamped, splat(std::f32::consts::LOG2_E), splat(ROUND));
    let n = simd.sub_f32s(shifted, splat(ROUND));
    let f = LN_2.iter().fold(clamped, |f, &part| simd.mul_add_f32s(n, splat(-part), f));
    let of_rest = |sum, &next| simd.mul_add_f32s(sum, f, splat(next));
    let polynomial = POLYNOMIAL[1..].iter().fold(splat(POLYNOMIAL[0]), of_rest);
    let one_and_f = simd.add_f32s(f, splat(1.0));
    let sum = simd.mul_add_f32s(simd.mul_f32s(polynomial, f), f, one_and_f);
    let exponent = simd.add_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(127));
    let power = simd.wrapping_dyn_shl_u32s(exponent, simd.splat_u32s(23));
    let value = simd.mul_f32s(sum, simd.transmute_f32s_u32s(power));
    simd.select_f32s(under, splat(0.0), value)
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, Scalar, WithSimd};

    use super::{super::batch::LANES, *};

    struct Exp<'a>(&'a mut [f32]);

    impl WithSimd for Exp<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let (vectors, rest) = S::as_mut_simd_f32s(self.0);
            assert!(rest.is_empty());
            vectors.iter_mut().for_each(|x| *x = exp(simd, *x));
        }
    }

    #[test]
    fn it_is_right_to_two_units_in_the_last_place() {
        let x: Vec<f32> = (0..=870_000).map(|i| -(i as f32) / 10_000.0).collect();
        let special = [0.0, -87.1, f32::MIN, f32::NEG_INFINITY, f32::NAN];
        let mut numbers: Vec<f32> = x.iter().chain(&special).copied().collect();
        numbers.resize(numbers.len().next_multiple_of(LANES), 0.0);
        for scalar in [false, true] {
            let mut found = numbers.clone();
            match scalar {
                true => Scalar::new().vectorize(Exp(&mut found)),
                false => Arch::new().dispatch(Exp(&mut found)),
            }
            for (x, found) in x.iter().zip(&found) {
                let expected = f64::from(*x).exp();
                let error = (f64::from(*found) / expected - 1.0).abs();
                assert!(error < 2.4e-7, "{x}: {found:e}, not {expected:e}");
            }
            let special = &found[x.len()..];
            assert_eq!(&special[..4], [1.0, 0.0, 0.0, 0.0]);
            assert!(special[4].is_nan());
        }
    }
}
