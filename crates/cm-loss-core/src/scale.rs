//! How large the scale of normalized softmax must be for a number of classes.
//!
//! With cosines in `[−1, 1]`, logits `s cos θ` differ by `2s` at most, so that a small scale keeps every probability
//! away from 1: the loss then never ends pulling at samples that are right already.

use crate::Error;

/// The largest probability that a feature on its own center can have.
///
/// Of the other centers one lies opposite and the rest at a right angle, which takes at least half as many
/// dimensions as classes:
///
/// ```text
/// p = exp(s) / (exp(s) + C − 2 + exp(−s))
/// ```
pub fn largest_probability(scale: f64, classes: usize) -> f64 {
    match classes {
        0 | 1 => 1.0,
        _ => 1.0 / (1.0 + (classes - 2) as f64 * (-scale).exp() + (-2.0 * scale).exp()),
    }
}

/// The least scale with which a feature on its own center reaches `probability`, above 0 and below 1: the solution of
/// [`largest_probability`] for `s`.
///
/// Without the term `exp(−s)` it is the lower bound of L2-Softmax, `s ≥ ln(p (C − 2) / (1 − p))`: R. Ranjan,
/// C. Castillo, R. Chellappa 2017, arXiv 1703.09507.
///
/// # Errors
///
/// [`Error::OutOfRange`] for a probability outside (0, 1).
pub fn least_scale(probability: f64, classes: usize) -> Result<f64, Error> {
    let valid = probability > 0.0 && probability < 1.0;
    Error::check("probability", "above 0 and below 1", probability, valid)?;
    if classes < 2 {
        return Ok(0.0);
    }
    // (1 − p) u² − p (C − 2) u − p = 0 with u = exp(s)
    let linear = probability * (classes - 2) as f64;
    let root = (linear.powi(2) + 4.0 * probability * (1.0 - probability)).sqrt();
    Ok(((linear + root) / (2.0 * (1.0 - probability))).ln().max(0.0))
}

/// The least loss that normalized softmax without margin can reach, with every feature on its center and all centers
/// equally far apart: `ln(1 + (C − 1) exp(−C s / (C − 1)))`.
///
/// From F. Wang, X. Xiang, J. Cheng, A. Yuille, "NormFace", ACM Multimedia 2017, arXiv 1704.06369, where features and
/// centers have the norm `ℓ` and `s = ℓ²`. More classes than dimensions + 1 cannot lie so far apart; then the bound holds
/// and is not reached.
pub fn least_loss(scale: f64, classes: usize) -> f64 {
    if classes < 2 {
        return 0.0;
    }
    let others = (classes - 1) as f64;
    (others * (-(others + 1.0) / others * scale).exp()).ln_1p()
}

/// Checks that a feature on its own center can reach `probability`; 0.9 is a modest wish.
///
/// ```
/// use cm_loss_core::scale::check_scale;
///
/// assert!(check_scale(30.0, 10_000, 0.9).is_ok());
/// let error = check_scale(8.0, 10_000, 0.9).unwrap_err().to_string();
/// assert!(error.contains("0.2297") && error.contains("at least 11.41"), "{error}");
/// ```
///
/// # Errors
///
/// [`Error::ScaleTooSmall`] with the probability that it can reach and the least scale that reaches the wanted one;
/// [`Error::OutOfRange`] for a scale that is not above 0, or a probability outside (0, 1).
pub fn check_scale(scale: f64, classes: usize, probability: f64) -> Result<(), Error> {
    Error::check_positive("scale", scale)?;
    let least = least_scale(probability, classes)?;
    if scale >= least {
        return Ok(());
    }
    let reached = largest_probability(scale, classes);
    Err(Error::ScaleTooSmall { scale, classes, reached, wanted: probability, least })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_scale_reaches_the_probability_and_is_the_papers_where_its_term_is_small() {
        for classes in [2, 3, 10, 10_000, 1_000_000] {
            for probability in [0.6, 0.9, 0.999] {
                let scale = least_scale(probability, classes).expect("a probability");
                assert!((largest_probability(scale, classes) - probability).abs() < 1e-12);
                assert!(check_scale(scale * 1.001, classes, probability).is_ok());
                assert!(check_scale(scale * 0.999, classes, probability).is_err());
                if classes >= 10 {
                    let paper = (probability * (classes - 2) as f64 / (1.0 - probability)).ln();
                    assert!((scale - paper).abs() < 0.02, "{classes}, {probability}: {scale}, not {paper}");
                }
            }
        }
        assert!(least_scale(1.0, 10).is_err() && least_scale(0.0, 10).is_err());
        assert_eq!(
            (least_scale(0.9, 1).expect("a probability"), largest_probability(1.0, 1), least_loss(1.0, 1)),
            (0.0, 1.0, 0.0)
        );
    }

    #[test]
    fn the_least_loss_is_that_of_centers_which_are_equally_far_apart() {
        for (scale, classes) in [(1.0, 2), (10.0, 4), (20.0, 1000)] {
            let other = -1.0 / (classes - 1) as f64;
            let logits = (0..classes).map(|j| scale * if j == 0 { 1.0 } else { other });
            let expected = logits.map(f64::exp).sum::<f64>().ln() - scale;
            assert!((least_loss(scale, classes) - expected).abs() < 1e-9);
        }
    }
}
