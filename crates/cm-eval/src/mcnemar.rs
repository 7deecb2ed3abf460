//! Is one classifier right more often than another on the same images?

use statrs::distribution::{Binomial, DiscreteCDF};

/// McNemar's test of two classifiers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// Images that only the first classifier got right.
    pub first_only: usize,
    /// Images that only the second got right.
    pub second_only: usize,
    /// Two-sided p value of the hypothesis that each is as likely as the other, from the binomial distribution (exact); 1 where
    /// they never differ.
    pub p: f64,
}

/// McNemar's exact test, from whether each classifier got each image right. The images count as independent.
///
/// `None` if the lengths differ or there is no image.
///
/// From Q. McNemar, "Note on the Sampling Error of the Difference between Correlated Proportions or Percentages", Psychometrika
/// 12 (1947).
pub fn mcnemar(first: &[bool], second: &[bool]) -> Option<McNemar> {
    if first.is_empty() || first.len() != second.len() {
        return None;
    }
    let only = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|(a, b)| **a && !**b).count();
    let (first_only, second_only) = (only(first, second), only(second, first));
    let discordant = (first_only + second_only) as u64;
    let half = Binomial::new(0.5, discordant).ok()?;
    let p = (2.0 * half.cdf(first_only.min(second_only) as u64)).min(1.0);
    Some(McNemar { first_only, second_only, p })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(both: usize, first_only: usize, second_only: usize) -> Option<McNemar> {
        let rights =
            |own: usize, other: usize| [vec![true; both], vec![true; own], vec![false; other]].concat();
        let first = rights(first_only, second_only);
        let second = [vec![true; both], vec![false; first_only], vec![true; second_only]].concat();
        mcnemar(&first, &second)
    }

    #[test]
    fn classifiers_that_never_differ_have_a_p_of_1() {
        assert_eq!(test(5, 0, 0), Some(McNemar { first_only: 0, second_only: 0, p: 1.0 }));
        assert_eq!(test(5, 4, 4).map(|found| found.p), Some(1.0));
        assert_eq!(mcnemar(&[], &[]), None);
        assert_eq!(mcnemar(&[true], &[true, false]), None);
    }

    #[test]
    fn one_that_is_always_better_is_as_unlikely_as_so_many_coins() {
        let found = test(0, 6, 0).expect("images");
        assert!((found.p - 2.0 / 64.0).abs() < 1e-12, "{found:?}");
    }
}
