//! How well a feature norm tells quality, and what it is worth: pure functions on slices.
//!
//! | question | answer |
//! |---|---|
//! | does the norm track known quality? | [`spearman`], [`Correlation`], [`spearman_within_classes`] |
//! | do fewer comparisons fail when those of low quality are left out? | [`ErrorDiscardCurve`] |
//! | are fewer images misclassified when those of low norm are left out? | [`RiskCoverageCurve`] |
//! | which quality from 0 to 1 does a norm stand for? | [`Isotonic`] |

mod calibration;
mod correlation;
mod discard;
mod risk_coverage;

pub use calibration::Isotonic;
pub use correlation::{Correlation, pearson, spearman, spearman_within_classes};
pub use discard::{Comparison, ErrorDiscardCurve};
pub use risk_coverage::RiskCoverageCurve;
