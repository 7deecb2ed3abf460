//! Numbers from numbers: how well a feature norm tells quality and what it is worth, and whether one method is better
//! than another. Pure functions on slices.
//!
//! | question | answer |
//! |---|---|
//! | does the norm track known quality? | [`spearman`], [`pearson`], within classes by [`Statistic`], with an interval and an alarm by [`Bootstrap`] |
//! | do fewer comparisons fail when those of low quality are left out? | [`ErrorDiscardCurve`] |
//! | are fewer images misclassified when those of low norm are left out? | [`RiskCoverageCurve`] |
//! | which quality from 0 to 1 does a norm stand for? | [`Isotonic`] |
//! | is a difference between two methods more than chance? | [`paired_difference`], [`adjusted_by_holm`] |

mod bootstrap;
mod calibration;
mod correlation;
mod discard;
mod paired;
mod risk_coverage;

pub use bootstrap::{Bootstrap, Correlation};
pub use calibration::Isotonic;
pub use correlation::{Statistic, pearson, spearman};
pub use discard::{Comparison, ErrorDiscardCurve};
pub use paired::{PairedDifference, adjusted_by_holm, paired_difference};
pub use risk_coverage::RiskCoverageCurve;
