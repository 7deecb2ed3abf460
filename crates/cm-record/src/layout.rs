//! How tables and pictures arrange the measurements of an application.
//!
//! The layout is part of the record, so that a report can be drawn again by whoever has the record.

use serde::{Deserialize, Serialize};

/// What a report shows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Layout {
    /// The loss that the others are compared with; the first where it was not trained.
    pub baseline: String,
    /// Further pairs to compare: a loss, and the one that it extends.
    #[serde(default)]
    pub pairs: Vec<(String, String)>,
    /// The figures that sentences speak of and comparisons are made of, the most important first.
    pub headlines: Vec<Headline>,
    /// The ways in which the test images are divided.
    pub stratifications: Vec<Stratification>,
    /// Further columns of the tables, and lines of comparisons.
    pub columns: Vec<Column>,
    /// What stands under the tables.
    pub notes: Vec<String>,
}

/// A figure that sentences speak of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Headline {
    /// The metric of the measurement.
    pub metric: String,
    /// Its stratum.
    pub stratum: String,
    /// `on untouched images (severity 0)`: how a sentence names the images.
    pub phrase: String,
}

/// A way in which the test images are divided by their quality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stratification {
    /// Name, in measurements (`severity=3`), file names and features files.
    pub name: String,
    /// `severity of the degradation`: how a title names it.
    pub title: String,
    /// Description of an axis, with its unit.
    pub axis: String,
    /// The strata, in the order in which they are shown.
    pub levels: Vec<Level>,
}

/// A stratum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// After the name of the stratification in measurements: `3` of `severity=3`.
    pub name: String,
    /// On an axis and in a table.
    pub label: String,
}

/// A column of the tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// The metric of the measurement.
    pub metric: String,
    /// Its stratum.
    pub stratum: String,
    /// Heading; a line break separates its two lines.
    pub heading: String,
    /// Whether it is a share, shown in percent.
    pub percent: bool,
}

impl Headline {
    /// The figure of a metric and a stratum, and how a sentence names its images.
    pub fn new(metric: &str, stratum: impl Into<String>, phrase: impl Into<String>) -> Self {
        Self { metric: metric.to_owned(), stratum: stratum.into(), phrase: phrase.into() }
    }
}

impl Column {
    /// A number as it is.
    pub fn number(metric: &str, stratum: &str, heading: &str) -> Self {
        let [metric, stratum, heading] = [metric, stratum, heading].map(str::to_owned);
        Self { metric, stratum, heading, percent: false }
    }

    /// A share, shown in percent.
    pub fn percent(metric: &str, stratum: &str, heading: &str) -> Self {
        Self { percent: true, ..Self::number(metric, stratum, heading) }
    }
}

impl Stratification {
    /// The stratum of a level as measurements name it: `severity=3`.
    pub fn stratum(&self, level: &Level) -> String {
        format!("{}={}", self.name, level.name)
    }
}
