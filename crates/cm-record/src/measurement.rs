//! Figures by name.

use serde::{Deserialize, Serialize};

/// A figure of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// What was measured, for example `accuracy`; rates go from 0 to 1.
    pub metric: String,
    /// Of which test images, for example `severity=3`; empty for all of them.
    pub stratum: String,
    /// The figure; `None` where it is not defined or not finite.
    pub value: Option<f64>,
    /// Images it is of.
    pub count: usize,
}

impl Measurement {
    /// A figure; `None` or a value that is not finite is kept as undefined.
    pub fn new(metric: &str, stratum: &str, value: impl Into<Option<f64>>, count: usize) -> Self {
        let value = value.into().filter(|value| value.is_finite());
        Self { metric: metric.to_owned(), stratum: stratum.to_owned(), value, count }
    }
}
