//! Shares of a number of things, as whole numbers of them.

/// So far may a product be off by rounding, as a share of the whole.
const ROUNDING: f64 = 1e-9;

/// The largest whole number that is at most `share · count`. A product that is whole but for rounding counts as whole:
/// 0.29 of 100 is 29, though their product is 28.999999999999996 in 64 bits.
pub fn at_most(share: f64, count: usize) -> usize {
    let product = share * count as f64;
    ((product + ROUNDING * product.max(1.0)).floor().max(0.0) as usize).min(count)
}

/// The whole number nearest to `share · count`, halves away from 0.
pub fn nearest(share: f64, count: usize) -> usize {
    let product = share * count as f64;
    ((product + ROUNDING * product.max(1.0)).round().max(0.0) as usize).min(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decimal_share_of_a_hundred_is_itself() {
        for percent in 0..=100usize {
            let share = percent as f64 / 100.0;
            assert_eq!((at_most(share, 100), nearest(share, 100)), (percent, percent), "{share}");
            assert_eq!(at_most(share, 1000), 10 * percent, "{share}");
        }
    }

    #[test]
    fn what_is_not_whole_is_rounded_down_or_to_the_nearest() {
        assert_eq!((at_most(0.259, 10), nearest(0.259, 10)), (2, 3));
        assert_eq!((at_most(0.0, 10), at_most(1.0, 10), at_most(0.5, 0)), (0, 10, 0));
    }
}
