//! How well a feature norm tells quality, and what it is worth: pure functions on slices.
//!
//! | question | answer |
//! |---|---|
//! | does the norm track known quality? | [`spearman`], [`pearson`], within classes by [`Statistic`], with an interval and an alarm by [`Bootstrap`] |
//! | do fewer comparisons fail when those of low quality are left out? | [`ErrorDiscardCurve`] |
//! | are fewer images misclassified when those of low norm are left out? | [`RiskCoverageCurve`] |
//! | which quality from 0 to 1 does a norm stand for? | [`Isotonic`] |

mod bootstrap;
mod calibration;
mod correlation;
mod discard;
mod risk_coverage;

pub use bootstrap::{Bootstrap, Correlation};
pub use calibration::Isotonic;
pub use correlation::{Statistic, pearson, spearman};
pub use discard::{Comparison, ErrorDiscardCurve};
pub use risk_coverage::RiskCoverageCurve;
