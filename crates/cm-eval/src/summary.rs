//! A sample in a few numbers.

/// Mean, deviation and quantiles of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Number of values.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation over n, not n − 1.
    pub std: f64,
    sorted: Vec<f64>,
}

impl Summary {
    /// Of the values of a sample; `None` if there are none, or one is not finite.
    pub fn of(values: &[f64]) -> Option<Self> {
        let largest = values.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        // Scaled, so that squares of large numbers stay within the range.
        let scale = if largest > 1e100 || (largest > 0.0 && largest < 1e-100) { largest } else { 1.0 };
        let count = values.len() as f64;
        let mean = values.iter().map(|value| value / scale).sum::<f64>() / count;
        let variance = values.iter().map(|value| (value / scale - mean).powi(2)).sum::<f64>() / count;
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self { count: values.len(), mean: mean * scale, std: variance.sqrt() * scale, sorted })
    }

    /// The value below which a share of the sample lies, interpolated between its neighbors as numpy does. A share outside
    /// 0 to 1 counts as the nearer of them.
    pub fn quantile(&self, share: f64) -> f64 {
        let position = share.clamp(0.0, 1.0) * (self.sorted.len() - 1) as f64;
        let (below, above) = (self.sorted[position.floor() as usize], self.sorted[position.ceil() as usize]);
        below + (above - below) * position.fract()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_between_ranks() {
        // numpy.quantile([1, 2, 4, 8], [.05, .25, .5, .75, .95]) == [1.15, 1.75, 3.0, 5.0, 7.4]
        let summary = Summary::of(&[4.0, 1.0, 8.0, 2.0]).expect("values");
        for (share, expected) in [(0.05, 1.15), (0.25, 1.75), (0.5, 3.0), (0.75, 5.0), (0.95, 7.4)] {
            assert!((summary.quantile(share) - expected).abs() < 1e-12, "{share}");
        }
        // numpy.mean and numpy.std
        assert_eq!(summary.mean, 3.75);
        assert!((summary.std - 2.680_951_323_690_902_3).abs() < 1e-12, "{}", summary.std);
        assert_eq!((summary.quantile(-1.0), summary.quantile(2.0)), (1.0, 8.0));
    }

    #[test]
    fn large_and_tiny_numbers_keep_their_deviation() {
        for factor in [1e200, 1e-200] {
            let values: Vec<f64> = [4.0, 1.0, 8.0, 2.0].iter().map(|value| value * factor).collect();
            let std = Summary::of(&values).expect("values").std;
            assert!((std / factor - 2.680_951_323_690_902_3).abs() < 1e-9, "{std}");
        }
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Summary::of(&[1.0, f64::NAN]), None);
    }
}
