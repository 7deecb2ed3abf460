//! Metrics that Burn does not have.

mod feature_norm;

pub use feature_norm::{FeatureNormInput, FeatureNormMetric};
