//! Numbers from numbers: how well a feature norm tells quality and what it is worth, how good a classification is, and
//! whether one method is better than another. Pure functions on slices.
//!
//! | question | answer |
//! |---|---|
//! | does the norm track known quality? | [`spearman`], [`pearson`], within classes by [`Statistic`], with an interval and an alarm by [`Bootstrap`] |
//! | are two images of the same person? | [`Verification`], in folds [`FoldAccuracy`], with their quality [`QualityAware`] |
//! | who is it, and what is like it? | [`Search`], [`rank_accuracy`], [`tpir_at_fpir`], [`Retrieval`] |
//! | do fewer comparisons fail when those of low quality are left out? | [`ErrorDiscardCurve`] |
//! | are fewer images misclassified when those of low norm are left out? | [`RiskCoverageCurve`] |
//! | which quality from 0 to 1 does a norm stand for? | [`Isotonic`], [`Sigmoid`] |
//! | is it this or that? | [`auc`], [`RocCurve`], [`BinaryFigures`]; of several numbers together, [`Logistic`] |
//! | how many are recognized, of which class? | [`Classification`], with an interval by [`Proportion`] |
//! | does a confidence mean what it says? | [`Reliability`] |
//! | how is it for images of low resolution? | [`Strata`] |
//! | what are the numbers of a sample like? | [`Summary`] |
//! | how sure is a figure of images that come in groups? | [`Bootstrap::by_group`], [`auc_interval`] |
//! | is a difference between two methods more than chance? | [`paired_difference`], [`auc_difference`] (DeLong), [`mcnemar`], [`accuracy_difference`] (images in groups), [`adjusted_by_holm`] |
//!
//! ```
//! use cm_eval::{Classification, Strata, spearman};
//!
//! let (norms, resolution) = ([3.1, 8.0, 5.2, 9.9], [20.0, 64.0, 32.0, 128.0]);
//! assert!(spearman(&norms, &resolution).is_some_and(|rho| rho > 0.999));
//! let found = Classification::new(&[0, 1, 1, 2], &[0, 1, 2, 2], 3).expect("images");
//! assert_eq!(found.accuracy().value(), Some(0.75));
//! assert_eq!(Strata::quantiles(&resolution, 2).levels()[0].label, "20–32");
//! ```

mod binary;
mod bootstrap;
mod calibration;
mod classification;
mod correlation;
mod delong;
mod discard;
mod identification;
mod logistic;
mod mcnemar;
mod paired;
mod proportion;
mod reliability;
mod retrieval;
mod risk_coverage;
mod roc;
mod shares;
mod strata;
mod summary;
mod verification;

pub use binary::{BinaryFigures, CALIBRATION_BINS};
pub use bootstrap::{Bootstrap, Estimate};
pub use calibration::{Isotonic, Sigmoid};
pub use classification::{ClassFigures, Classification, ConfusionMatrix};
pub use correlation::{Statistic, pearson, spearman};
pub use delong::{AucDifference, auc_difference, auc_interval};
pub use discard::{Comparison, ErrorDiscardCurve};
pub use identification::{Search, rank_accuracy, tpir_at_fpir};
pub use logistic::Logistic;
pub use mcnemar::{AccuracyDifference, McNemar, accuracy_difference, mcnemar};
pub use paired::{PairedDifference, adjusted_by_holm, paired_difference};
pub use proportion::Proportion;
pub use reliability::{Reliability, ReliabilityBin};
pub use retrieval::Retrieval;
pub use risk_coverage::RiskCoverageCurve;
pub use roc::{RocCurve, RocPoint, auc};
pub use strata::{Level, MISSING, Strata};
pub use summary::Summary;
pub use verification::{FarRule, Fold, FoldAccuracy, QualityAware, TarAtFar, Thresholds, Verification};
