//! Means over the images of an epoch.

mod mean;

pub use mean::{FeatureNorms, Hits, Losses, MeanMetric, Quantity};
