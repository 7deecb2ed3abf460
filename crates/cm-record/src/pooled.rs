//! Figures and tests of the scores of several runs together, where each run is tested on another part of the data.

use serde::{Deserialize, Serialize};

use crate::CONFIDENCE;

/// What is said of all folds together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Pooled {
    /// Figures by loss and stratum.
    pub figures: Vec<PooledFigure>,
    /// Tests of a loss against another.
    pub tests: Vec<PooledTest>,
    /// How they were found, as a reader should know it.
    pub notes: Vec<String>,
}

/// A figure with its interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PooledFigure {
    /// The loss, or what else the scores are of.
    pub loss: String,
    /// Dimensions of the feature.
    pub feature_dim: usize,
    /// What was measured, for example `auc`.
    pub metric: String,
    /// Of which images; empty for all of them.
    pub stratum: String,
    /// The figure; `None` where it is not defined.
    pub value: Option<f64>,
    /// The interval with a probability of [`CONFIDENCE`].
    pub interval: Option<(f64, f64)>,
    /// Images it is of.
    pub count: usize,
}

/// A paired test of two losses on the same images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PooledTest {
    /// The test, for example `DeLong`.
    pub test: String,
    /// The figure whose difference it tests.
    pub metric: String,
    /// Of which images; empty for all of them.
    pub stratum: String,
    /// Dimensions of the feature.
    pub feature_dim: usize,
    /// The loss.
    pub loss: String,
    /// What it is compared with.
    pub baseline: String,
    /// Loss minus baseline.
    pub difference: f64,
    /// The interval of the difference with a probability of [`CONFIDENCE`], where the test has one.
    pub interval: Option<(f64, f64)>,
    /// Two-sided p value.
    pub p: Option<f64>,
    /// The p value corrected by Holm's method for all comparisons of this test and stratum.
    pub p_adjusted: Option<f64>,
}

impl PooledTest {
    /// Whether the corrected test finds a difference.
    pub fn is_significant(&self) -> bool {
        self.p_adjusted.is_some_and(|p| p < 1.0 - CONFIDENCE)
    }
}

impl Pooled {
    /// The figure of a loss, if it was measured.
    pub fn figure(
        &self,
        loss: &str,
        feature_dim: usize,
        metric: &str,
        stratum: &str,
    ) -> Option<&PooledFigure> {
        self.figures.iter().find(|found| {
            (&*found.loss, found.feature_dim, &*found.metric, &*found.stratum)
                == (loss, feature_dim, metric, stratum)
        })
    }
}
