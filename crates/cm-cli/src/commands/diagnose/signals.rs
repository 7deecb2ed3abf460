//! What may tell the quality of an image, and how well it does.

use cm_eval::{Bootstrap, Comparison, ErrorDiscardCurve, Estimate, RiskCoverageCurve, Statistic};
use serde_json::{Value, json};

use crate::vectors::dot;

/// Share of the mated pairs that fail before any are discarded.
const STARTING_ERROR: f64 = 0.05;
/// Share of the pairs up to which the area of their errors is taken.
const DISCARDED: f64 = 0.2;
/// Most mated pairs.
const PAIRS: usize = 50_000;

/// Everything that is known of the images, a place each.
#[derive(Default)]
pub struct Images {
    pub norms: Vec<f64>,
    /// Of the class predicted.
    pub confidences: Vec<f64>,
    pub sharpness: Vec<f64>,
    pub contrast: Vec<f64>,
    /// Classes, where the images have some.
    pub classes: Vec<usize>,
    /// Whether they were recognized, where they have classes.
    pub right: Vec<bool>,
    /// A quality from 0 to 1, where one is known.
    pub qualities: Vec<f64>,
    /// What an image and its degraded copies have in common.
    pub groups: Vec<usize>,
    /// Features, row after row.
    pub features: Vec<f32>,
}

/// A number of each image that may tell its quality.
pub struct Signal {
    pub name: &'static str,
    /// With the known quality, over all images.
    pub overall: Option<Estimate>,
    /// The same within classes.
    pub within: Option<Estimate>,
    /// Errors of classification among the images of the highest signal.
    pub risk: Option<RiskCoverageCurve>,
    /// Failed comparisons where pairs of the lowest signal are discarded.
    pub discard: Option<ErrorDiscardCurve>,
}

impl Images {
    /// The norm first, and what does without it.
    pub fn signals(&self) -> Vec<Signal> {
        let pairs = self.mated_pairs();
        [
            ("norm of the feature", &self.norms),
            ("confidence (softmax)", &self.confidences),
            ("sharpness (Laplacian)", &self.sharpness),
            ("contrast", &self.contrast),
        ]
        .into_iter()
        .map(|(name, values)| self.signal(name, values, &pairs))
        .collect()
    }

    fn signal(&self, name: &'static str, values: &[f64], pairs: &[(usize, usize, f64)]) -> Signal {
        let bootstrap = Bootstrap { resamples: 400, ..Bootstrap::default() };
        let known = !self.qualities.is_empty();
        let overall = known
            .then(|| bootstrap.overall_by_group(Statistic::Spearman, values, &self.qualities, &self.groups))
            .flatten();
        let within = (known && !self.classes.is_empty())
            .then(|| bootstrap.within_classes(Statistic::Spearman, values, &self.qualities, &self.classes))
            .flatten();
        let risk = RiskCoverageCurve::new(values, &self.right);
        let comparisons: Vec<Comparison> = pairs
            .iter()
            .map(|&(a, b, score)| Comparison { score, quality: values[a].min(values[b]) })
            .collect();
        let discard = ErrorDiscardCurve::fixed(&comparisons, STARTING_ERROR);
        Signal { name, overall, within, risk, discard }
    }

    /// The area under the risk of an order that knows every error, and of one that knows nothing.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        let errors = self.right.iter().filter(|right| !**right).count() as f64;
        let perfect: Vec<f64> = self
            .right
            .iter()
            .enumerate()
            // All different, so that no images come together.
            .map(|(i, &right)| f64::from(u8::from(right)) * 2.0 * self.right.len() as f64 - i as f64)
            .collect();
        let best = RiskCoverageCurve::new(&perfect, &self.right)?.area();
        Some((best, errors / self.right.len() as f64))
    }

    /// Images of one class with the cosine of their features: each with those that follow it in its class, the nearest first, as far
    /// as there are places.
    fn mated_pairs(&self) -> Vec<(usize, usize, f64)> {
        let count = self.norms.len();
        if self.classes.is_empty() || count == 0 {
            return Vec::new();
        }
        let dim = self.features.len() / count;
        let classes = self.classes.iter().max().map_or(0, |last| last + 1);
        let mut members = vec![Vec::new(); classes];
        self.classes.iter().enumerate().for_each(|(i, &class)| members[class].push(i));
        let mut pairs = Vec::new();
        let longest = members.iter().map(Vec::len).max().unwrap_or(0);
        'all: for step in 1..longest {
            for images in &members {
                for (&a, &b) in images.iter().zip(images.iter().skip(step)) {
                    pairs.push((a, b, self.cosine(a, b, dim)));
                    if pairs.len() == PAIRS {
                        break 'all;
                    }
                }
            }
        }
        pairs
    }

    fn cosine(&self, a: usize, b: usize, dim: usize) -> f64 {
        let row = |i: usize| &self.features[i * dim..(i + 1) * dim];
        let product = dot(row(a), row(b));
        let lengths = self.norms[a] * self.norms[b];
        if lengths > 0.0 { product / lengths } else { 0.0 }
    }
}

impl Signal {
    /// The partial area of the errors that are left, up to a fifth of the pairs discarded; 0 is perfect.
    pub fn discard_area(&self) -> Option<f64> {
        Some(self.discard.as_ref()?.partial_area(DISCARDED))
    }

    /// The same where the discarded pairs are none in particular.
    pub fn random_area() -> f64 {
        let best = STARTING_ERROR * STARTING_ERROR / 2.0;
        STARTING_ERROR * DISCARDED - best
    }

    pub fn json(&self) -> Value {
        let correlation = |found: &Estimate| json!({"value": found.value, "low": found.interval.0, "high": found.interval.1, "reversed": found.is_reversed()});
        json!({
            "signal": self.name,
            "correlation": self.overall.as_ref().map(correlation),
            "correlation_within_classes": self.within.as_ref().map(correlation),
            "risk_coverage_area": self.risk.as_ref().map(RiskCoverageCurve::area),
            "error_discard_area": self.discard_area(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_knows_every_error_has_the_least_area_and_one_that_knows_nothing_the_error_rate() {
        let right: Vec<bool> = (0..1000).map(|i| i % 5 != 0).collect();
        let images = Images { right, ..Images::default() };
        let (best, random) = images.bounds().expect("there are images");
        // e + (1 − e) ln(1 − e) for many images.
        let expected = 0.2 + 0.8 * 0.8f64.ln();
        assert!((best - expected).abs() < 1e-3 && (random - 0.2).abs() < 1e-12, "{best} {random}");
    }

    #[test]
    fn mated_pairs_are_of_one_class_and_each_is_there_once() {
        let classes = vec![0, 1, 0, 0, 1];
        let features = vec![1.0, 0.0, 1.0, 1.0, 0.0, 2.0, 3.0, 0.0, 2.0, 2.0];
        let norms = vec![1.0, 2f64.sqrt(), 2.0, 3.0, 8f64.sqrt()];
        let images = Images { classes, features, norms, ..Images::default() };
        let mut pairs = images.mated_pairs();
        pairs.sort_by_key(|pair| (pair.0, pair.1));
        let places: Vec<(usize, usize)> = pairs.iter().map(|pair| (pair.0, pair.1)).collect();
        assert_eq!(places, [(0, 2), (0, 3), (1, 4), (2, 3)]);
        let expected = [0.0, 1.0, 1.0, 0.0];
        assert!(pairs.iter().zip(expected).all(|(pair, cosine)| (pair.2 - cosine).abs() < 1e-9), "{pairs:?}");
    }
}
