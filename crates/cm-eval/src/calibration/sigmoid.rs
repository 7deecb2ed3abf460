//! A sigmoid of the norm: two numbers, and the same for every norm however long.

use serde::{Deserialize, Serialize};

use crate::Summary;

/// The quality `1 / (1 + exp((x₀ − r) / w))` of a norm `r`, as OFIQ has it for the norms of MagFace (ISO/IEC 29794-5).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sigmoid {
    /// `x₀`: the norm whose quality is 1/2.
    pub center: f64,
    /// `w`, above 0: from the center so much further, the quality is 0.73.
    pub width: f64,
}

/// Most steps of the fit; it takes fewer than ten where it is well posed.
const STEPS: usize = 100;

impl Sigmoid {
    /// Fits norms to outcomes from 0 to 1 by the largest likelihood (logistic regression; outcomes between 0 and 1 count in part
    /// as each). As J. Platt has it for support vector machines (1999), outcomes are drawn a little to the middle,
    /// `(n o + 1/2) / (n + 1)` for `n` images: where a norm parts them without an error, no sigmoid would be steep enough.
    ///
    /// `None` if the lengths differ, there are fewer than two norms, all are the same, a number is not finite, an outcome is not
    /// from 0 to 1, or the quality would not rise with the norm.
    pub fn fit(norms: &[f64], outcomes: &[f64]) -> Option<Self> {
        let valid =
            norms.iter().all(|norm| norm.is_finite()) && outcomes.iter().all(|o| (0.0..=1.0).contains(o));
        if norms.len() != outcomes.len() || !valid {
            return None;
        }
        let Summary { mean, std, .. } = Summary::of(norms)?;
        if std <= 0.0 {
            return None;
        }
        let count = norms.len() as f64;
        let points: Vec<(f64, f64)> = norms
            .iter()
            .zip(outcomes)
            .map(|(norm, outcome)| ((norm - mean) / std, (count * outcome + 0.5) / (count + 1.0)))
            .collect();
        let [offset, slope] = steepest(&points);
        (slope > 1e-9).then(|| Self { center: mean - std * offset / slope, width: std / slope })
    }

    /// The quality, from 0 to 1, that a norm stands for; NaN for a norm that is not a number.
    pub fn score(&self, norm: f64) -> f64 {
        1.0 / (1.0 + ((self.center - norm) / self.width).exp())
    }
}

/// `a`, `b` of the least `−Σ (o ln p + (1 − o) ln(1 − p))` with `p = sigmoid(a + b z)`, by Newton's method.
fn steepest(points: &[(f64, f64)]) -> [f64; 2] {
    // −o ln p − (1 − o) ln(1 − p) = softplus(u) − o u
    let loss = |[a, b]: [f64; 2]| -> f64 {
        let of = |&(z, o): &(f64, f64)| {
            let u: f64 = a + b * z;
            u.max(0.0) + (-u.abs()).exp().ln_1p() - o * u
        };
        points.iter().map(of).sum()
    };
    let mut at = [0.0, 0.0];
    let mut best = loss(at);
    for _ in 0..STEPS {
        let (mut gradient, mut hessian) = ([0.0; 2], [0.0; 3]);
        for &(z, o) in points {
            let p = 1.0 / (1.0 + (-(at[0] + at[1] * z)).exp());
            let (difference, weight) = (p - o, p * (1.0 - p));
            gradient = [gradient[0] + difference, gradient[1] + difference * z];
            hessian = [hessian[0] + weight, hessian[1] + weight * z, hessian[2] + weight * z * z];
        }
        let determinant = hessian[0] * hessian[2] - hessian[1] * hessian[1];
        if determinant.is_nan() || determinant <= 0.0 {
            break;
        }
        let step = [
            (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant,
            (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant,
        ];
        let along = |share: f64| [at[0] - share * step[0], at[1] - share * step[1]];
        // Half of it, and half of that, where the whole step would go too far.
        let better = (0..30).map(|halves| along(0.5f64.powi(halves))).find(|&next| loss(next) < best);
        let Some(next) = better else { break };
        (best, at) = (loss(next), next);
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sigmoid_that_made_the_outcomes_is_found_again() {
        let norms: Vec<f64> = (0..400).map(|i| f64::from(i) * 0.1).collect();
        let made = Sigmoid { center: 17.0, width: 3.5 };
        let outcomes: Vec<f64> = norms.iter().map(|&norm| made.score(norm)).collect();
        let found = Sigmoid::fit(&norms, &outcomes).expect("it rises");
        assert!((found.center - 17.0).abs() < 0.05 && (found.width - 3.5).abs() < 0.05, "{found:?}");
        assert!((found.score(found.center) - 0.5).abs() < 1e-12);
        assert!(found.score(f64::NAN).is_nan() && found.score(1e9) == 1.0 && found.score(-1e9) == 0.0);
    }

    #[test]
    fn the_likelihood_is_largest_at_the_fit() {
        // Recognized more often where the norm is long, with exceptions.
        let norms: Vec<f64> = (0..200).map(|i| 5.0 + f64::from(i) * 0.05).collect();
        let outcomes: Vec<f64> = (0..200)
            .map(|i| f64::from(u8::from(f64::from(i) + 60.0 * (f64::from(i) * 7.3).sin() > 80.0)))
            .collect();
        let found = Sigmoid::fit(&norms, &outcomes).expect("it rises");
        let likelihood = |fitted: &Sigmoid| -> f64 {
            norms
                .iter()
                .zip(&outcomes)
                .map(|(&norm, o)| {
                    let (p, o) = (fitted.score(norm), (200.0 * o + 0.5) / 201.0);
                    o * p.ln() + (1.0 - o) * (1.0 - p).ln()
                })
                .sum()
        };
        for (center, width) in [(0.05, 0.0), (-0.05, 0.0), (0.0, 0.05), (0.0, -0.05)] {
            let other = Sigmoid { center: found.center + center, width: found.width + width };
            assert!(likelihood(&found) > likelihood(&other), "{found:?} {other:?}");
        }
    }

    #[test]
    fn what_is_parted_without_an_error_has_a_finite_width_and_what_falls_or_does_not_vary_has_none() {
        let norms = [1.0, 2.0, 3.0, 10.0, 11.0, 12.0];
        let parted = Sigmoid::fit(&norms, &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0]).expect("it rises");
        assert!(parted.width > 0.1 && (parted.center - 6.5).abs() < 1.0, "{parted:?}");
        assert_eq!(Sigmoid::fit(&norms, &[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]), None);
        assert_eq!(Sigmoid::fit(&[2.0; 4], &[0.0, 1.0, 0.0, 1.0]), None);
        assert_eq!(Sigmoid::fit(&norms, &[0.5; 6]), None);
        assert_eq!(Sigmoid::fit(&[1.0], &[1.0]), None);
        assert_eq!(Sigmoid::fit(&[1.0, f64::NAN], &[0.0, 1.0]), None);
        assert_eq!(Sigmoid::fit(&[1.0, 2.0], &[0.0, 1.5]), None);
    }
}
