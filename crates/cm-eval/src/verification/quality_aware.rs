//! A comparison that trusts images of low quality less.

/// QMagFace's score of a comparison: `s + min(0, β s − α) · min(q₁, q₂)`, where `s` is the cosine of two features and `q` their lengths.
///
/// From P. Terhörst, M. Ihlefeld, M. Huber, N. Damer, F. Kirchbuchner, K. Raja, A. Kuijper, "QMagFace: Simple and Accurate
/// Quality-Aware Face Recognition", WACV 2023, arXiv 2111.13475.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QualityAware {
    /// α
    pub alpha: f64,
    /// β
    pub beta: f64,
}

impl QualityAware {
    /// The values that its authors fitted to the lengths of MagFace's features. Other losses have features of other lengths.
    pub const MAGFACE: Self = Self { alpha: 0.077428, beta: 0.125926 };

    /// The score of a comparison.
    pub fn score(&self, cosine: f64, norms: [f64; 2]) -> f64 {
        cosine + (self.beta * cosine - self.alpha).min(0.0) * norms[0].min(norms[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_cosine_is_lowered_the_more_the_better_the_images() {
        let aware = QualityAware::MAGFACE;
        // Above α / β the quality does not matter.
        assert_eq!(aware.score(0.7, [20.0, 30.0]), 0.7);
        let expected = 0.3 + (0.125926 * 0.3 - 0.077428) * 20.0;
        assert!((aware.score(0.3, [30.0, 20.0]) - expected).abs() < 1e-15);
        assert!(aware.score(0.3, [30.0, 25.0]) < aware.score(0.3, [30.0, 20.0]));
    }
}
