//! From the norm of a feature to the quality of its image.

use cm_eval::{Isotonic, Sigmoid, Summary};
use serde::{Deserialize, Serialize};

/// How a norm becomes a quality, and what that was fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityScale {
    /// The map.
    pub map: QualityMap,
    /// What it was fitted on.
    pub fitted: FittedOn,
}

/// The map from norm to quality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum QualityMap {
    /// Two numbers.
    Sigmoid(Sigmoid),
    /// Steps.
    Isotonic(Isotonic),
}

/// What a map was fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedOn {
    /// Name of the data.
    pub data: String,
    /// Checksum of the data.
    pub checksum: String,
    /// Number of images.
    pub images: usize,
    /// What quality was: a column, degraded copies, or whether the prediction was right.
    pub target: String,
    /// Spearman's correlation of norm and quality.
    pub correlation: f64,
    /// Its 95 % interval.
    pub interval: [f64; 2],
}

impl QualityMap {
    /// The quality of a norm, a whole number from 0 to 100; `None` for a norm that is not a number.
    pub fn quality(&self, norm: f64) -> Option<u8> {
        let share = match self {
            Self::Sigmoid(map) => map.score(norm),
            Self::Isotonic(map) => map.score(norm),
        };
        percent(share)
    }
}

fn percent(share: f64) -> Option<u8> {
    // A share is from 0 to 1, so that this is from 0 to 100.
    share.is_finite().then(|| (100.0 * share).round().clamp(0.0, 100.0) as u8)
}

/// The norms of the images that a model learned from: how long the shortest of them is, the next hundredth, and so on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct NormQuantiles(Vec<f64>);

/// Parts that the norms are divided into.
const PARTS: usize = 100;

impl NormQuantiles {
    /// Of the norms of so many images; `None` without images, or if one is not finite.
    pub fn of(norms: &[f64]) -> Option<Self> {
        let summary = Summary::of(norms)?;
        Some(Self((0..=PARTS).map(|part| summary.quantile(part as f64 / PARTS as f64)).collect()))
    }

    /// The share of images with a shorter norm, from 0 to 1; NaN for a norm that is not a number.
    pub fn share_below(&self, norm: f64) -> f64 {
        if norm.is_nan() {
            return f64::NAN;
        }
        let above = self.0.partition_point(|&quantile| quantile < norm);
        match above.checked_sub(1).map(|below| (self.0[below], self.0.get(above))) {
            None => 0.0,
            Some((_, None)) => 1.0,
            Some((low, Some(high))) => {
                // Between the two, as far as it lies.
                ((above - 1) as f64 + (norm - low) / (high - low)) / PARTS as f64
            }
        }
    }

    /// That share as a whole number from 0 to 100.
    pub fn quality(&self, norm: f64) -> Option<u8> {
        percent(self.share_below(norm))
    }

    /// The norm below which each hundredth of the images lies, from the shortest norm to the longest.
    pub fn values(&self) -> &[f64] {
        &self.0
    }
}

impl From<NormQuantiles> for Vec<f64> {
    fn from(quantiles: NormQuantiles) -> Self {
        quantiles.0
    }
}

impl TryFrom<Vec<f64>> for NormQuantiles {
    type Error = String;

    fn try_from(values: Vec<f64>) -> Result<Self, String> {
        let rises = values.windows(2).all(|pair| pair[0] <= pair[1]);
        let finite = values.iter().all(|value| value.is_finite());
        match values.len() == PARTS + 1 && rises && finite {
            true => Ok(Self(values)),
            false => Err(format!("the norms have to be {} finite numbers that do not fall", PARTS + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_shorter_norms_is_0_at_the_shortest_and_1_beyond_the_longest() {
        let norms: Vec<f64> = (0..1000).map(|i| f64::from(i) / 10.0).collect();
        let quantiles = NormQuantiles::of(&norms).expect("norms");
        for (norm, expected) in [(-1.0, 0.0), (0.0, 0.0), (49.95, 0.5), (99.9, 1.0), (500.0, 1.0)] {
            assert!((quantiles.share_below(norm) - expected).abs() < 1e-9, "{norm}");
        }
        assert_eq!((quantiles.quality(25.0), quantiles.quality(f64::NAN)), (Some(25), None));
        let text = serde_json::to_string(&quantiles).expect("it is data");
        assert_eq!(serde_json::from_str::<NormQuantiles>(&text).expect("it was written so"), quantiles);
        for wrong in ["[1,2]", &format!("[{}1]", "2,".repeat(100)), &format!("[{}null]", "2,".repeat(100))] {
            assert!(serde_json::from_str::<NormQuantiles>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(NormQuantiles::of(&[3.0]).map(|one| one.share_below(3.0)), Some(0.0));
        assert_eq!(NormQuantiles::of(&[]), None);
    }

    #[test]
    fn a_quality_is_a_whole_number_from_0_to_100() {
        let map = QualityMap::Sigmoid(Sigmoid { center: 10.0, width: 2.0 });
        let found = [-1e9, 10.0, 12.0, 1e9, f64::NAN].map(|norm| map.quality(norm));
        assert_eq!(found, [Some(0), Some(50), Some(73), Some(100), None]);
        let json = r#"{"kind":"isotonic","corners":[[1.0,0.25],[3.0,0.75]]}"#;
        let map: QualityMap = serde_json::from_str(json).expect("a map");
        assert_eq!([0.0, 2.0, 9.0].map(|norm| map.quality(norm)), [Some(25), Some(50), Some(75)]);
    }
}
