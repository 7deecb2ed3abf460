//! A share that was counted.

use statrs::distribution::{ContinuousCDF, Normal};

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proportion {
    /// Those that count.
    pub successes: usize,
    /// All of them.
    pub count: usize,
}

impl Proportion {
    /// The share; `None` of nothing.
    pub fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.successes as f64 / self.count as f64)
    }

    /// Wilson's score interval of the true share, which stays within 0 and 1 and is right for small counts as well:
    /// `(p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)`. `None` of nothing, or for a confidence that is not between 0
    /// and 1.
    ///
    /// From E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927).
    pub fn wilson(self, confidence: f64) -> Option<(f64, f64)> {
        let share = self.value()?;
        if !(confidence > 0.0 && confidence < 1.0) {
            return None;
        }
        let z = Normal::standard().inverse_cdf(0.5 + confidence / 2.0);
        let (n, square) = (self.count as f64, z * z);
        let middle = share + square / (2.0 * n);
        let half = z * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
        let whole = 1.0 + square / n;
        Some((((middle - half) / whole).max(0.0), ((middle + half) / whole).min(1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_statsmodels() {
        // statsmodels.stats.proportion.proportion_confint(count, nobs, method="wilson")
        let cases = [
            (9, 10, (0.595_849_973_204_761, 0.982_123_786_904_927)),
            (0, 20, (0.0, 0.161_125_158_052_819)),
            (970, 1000, (0.957_496_585_852_413, 0.978_906_261_171_165)),
        ];
        for (successes, count, (low, high)) in cases {
            let found = Proportion { successes, count }.wilson(0.95).expect("an interval");
            assert!((found.0 - low).abs() < 1e-9 && (found.1 - high).abs() < 1e-9, "{found:?}");
        }
        assert_eq!(Proportion { successes: 0, count: 0 }.wilson(0.95), None);
        assert_eq!(Proportion { successes: 1, count: 2 }.wilson(1.0), None);
    }
}
