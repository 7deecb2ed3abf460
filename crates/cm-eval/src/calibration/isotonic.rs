//! The non-decreasing function of the norm that is closest to what is known.

use serde::{Deserialize, Serialize};

/// A monotone calibration, fitted by the pool-adjacent-violators algorithm: the non-decreasing function of the norm that
/// is closest to the outcomes in the sense of least squares.
///
/// Between the norms of two steps it is linear, outside it stays as at the end.
///
/// From M. Ayer et al., "An Empirical Distribution Function for Sampling with Incomplete Information", Annals of
/// Mathematical Statistics 26 (1955).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Isotonic {
    /// Norm and score of each corner, both not decreasing.
    corners: Vec<(f64, f64)>,
}

/// Images pooled into one step.
struct Pool {
    first: f64,
    last: f64,
    sum: f64,
    weight: f64,
}

impl Isotonic {
    /// Fits norms to outcomes from 0 to 1: a known quality, or 1 where the image was recognized and 0 where not.
    ///
    /// `None` if the lengths differ, there is no image, a norm is not finite, or an outcome is not from 0 to 1.
    pub fn fit(norms: &[f64], outcomes: &[f64]) -> Option<Self> {
        let valid =
            norms.iter().all(|norm| norm.is_finite()) && outcomes.iter().all(|o| (0.0..=1.0).contains(o));
        if norms.len() != outcomes.len() || norms.is_empty() || !valid {
            return None;
        }
        let mut order: Vec<usize> = (0..norms.len()).collect();
        order.sort_by(|&i, &j| norms[i].total_cmp(&norms[j]));
        let mut pools: Vec<Pool> = Vec::new();
        for tied in order.chunk_by(|&i, &j| norms[i] == norms[j]) {
            let norm = norms[tied[0]];
            let sum = tied.iter().map(|&i| outcomes[i]).sum();
            let mut pool = Pool { first: norm, last: norm, sum, weight: tied.len() as f64 };
            // Steps that would fall are made one.
            while let Some(below) = pools.pop_if(|below| below.sum * pool.weight >= pool.sum * below.weight) {
                pool.first = below.first;
                pool.sum += below.sum;
                pool.weight += below.weight;
            }
            pools.push(pool);
        }
        let mut corners = Vec::new();
        for pool in pools {
            let score = pool.sum / pool.weight;
            corners.push((pool.first, score));
            if pool.last > pool.first {
                corners.push((pool.last, score));
            }
        }
        Some(Self { corners })
    }

    /// Norm and quality of each corner, both not decreasing.
    pub fn corners(&self) -> &[(f64, f64)] {
        &self.corners
    }

    /// The quality, from 0 to 1, that a norm stands for; NaN for a norm that is not a number.
    pub fn score(&self, norm: f64) -> f64 {
        if norm.is_nan() {
            return f64::NAN;
        }
        let above = self.corners.partition_point(|&(corner, _)| corner < norm);
        match (above.checked_sub(1).map(|below| self.corners[below]), self.corners.get(above)) {
            (Some((x0, y0)), Some(&(x1, y1))) => y0 + (y1 - y0) * (norm - x0) / (x1 - x0),
            (Some((_, y)), None) | (None, Some(&(_, y))) => y,
            (None, None) => f64::NAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violators_are_pooled_to_their_mean() {
        // sklearn.isotonic.IsotonicRegression().fit_transform([1, 2, 3, 4, 5], [0, 1, 0.5, 0.3, 1])
        let fitted = Isotonic::fit(&[1.0, 2.0, 3.0, 4.0, 5.0], &[0.0, 1.0, 0.5, 0.3, 1.0]).expect("a fit");
        for (norm, expected) in [(1.0, 0.0), (2.0, 0.6), (3.0, 0.6), (4.0, 0.6), (5.0, 1.0), (4.5, 0.8)] {
            assert!((fitted.score(norm) - expected).abs() < 1e-12, "{norm}: {}", fitted.score(norm));
        }
        assert_eq!((fitted.score(-3.0), fitted.score(99.0)), (0.0, 1.0));
        assert!(fitted.score(f64::NAN).is_nan());
    }

    #[test]
    fn a_score_never_falls_with_the_norm_and_no_other_such_function_is_closer() {
        let norms: Vec<f64> = (0..50).map(|i| f64::from(i) * 0.3).collect();
        let outcomes: Vec<f64> =
            norms.iter().map(|r| (r / 15.0 + 0.4 * (r * 5.3).sin()).clamp(0.0, 1.0)).collect();
        let fitted = Isotonic::fit(&norms, &outcomes).expect("a fit");
        let scores: Vec<f64> = norms.iter().map(|&r| fitted.score(r)).collect();
        assert!(scores.windows(2).all(|w| w[0] <= w[1] + 1e-12));
        let error = |scores: &[f64]| scores.iter().zip(&outcomes).map(|(s, o)| (s - o).powi(2)).sum::<f64>();
        for shift in [0.9, 0.99, 1.01, 1.1] {
            // Powers keep the order.
            let other: Vec<f64> = scores.iter().map(|s| s.powf(shift)).collect();
            assert!(error(&other) >= error(&scores) - 1e-12);
        }
    }

    #[test]
    fn a_calibration_goes_through_json_unchanged_and_wrong_input_gives_none() {
        let fitted = Isotonic::fit(&[1.0, 2.0, 2.0], &[0.1, 0.7, 0.2]).expect("a fit");
        let text = serde_json::to_string(&fitted).expect("it is data");
        assert_eq!(serde_json::from_str::<Isotonic>(&text).expect("it was written so"), fitted);
        assert!((fitted.score(2.0) - 0.45).abs() < 1e-12);
        assert_eq!(Isotonic::fit(&[], &[]), None);
        assert_eq!(Isotonic::fit(&[1.0], &[1.1]), None);
        assert_eq!(Isotonic::fit(&[f64::NAN], &[1.0]), None);
        assert_eq!(Isotonic::fit(&[1.0, 2.0], &[1.0]), None);
    }
}
