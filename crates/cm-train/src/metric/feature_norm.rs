//! The mean length of the features.

use burn::{
    tensor::{Tensor, TensorReadError},
    train::metric::{
        Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
        SerializedEntry,
        state::{FormatOptions, NumericMetricState},
    },
};

/// Feature norms of a batch: `[batch]`.
pub struct FeatureNormInput {
    /// The norms.
    pub norms: Tensor<1>,
}

/// Mean feature norm, over a batch and over an epoch.
#[derive(Clone)]
pub struct FeatureNormMetric {
    name: MetricName,
    state: NumericMetricState,
}

impl FeatureNormMetric {
    /// Name under which the metric is logged.
    pub const NAME: &'static str = "Feature norm";

    /// An empty metric.
    pub fn new() -> Self {
        Self { name: MetricName::new(Self::NAME.to_owned()), state: NumericMetricState::new() }
    }

    fn format(&self) -> FormatOptions {
        FormatOptions::new(self.name()).precision(3)
    }
}

impl Default for FeatureNormMetric {
    fn default() -> Self {
        Self::new()
    }
}

impl Metric for FeatureNormMetric {
    type Input = FeatureNormInput;

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: None, higher_is_better: true }.into()
    }

    fn update(
        &mut self,
        input: &FeatureNormInput,
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let [batch] = input.norms.dims();
        self.state.update(input.norms.clone().mean().try_into_scalar::<f64>()?, batch);
        Ok(self.state.compute_update(self.format()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.state.compute_final(self.format()))
    }

    fn clear(&mut self) {
        self.state.reset();
    }
}

impl Numeric for FeatureNormMetric {
    fn value(&self) -> Option<NumericEntry> {
        Some(self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(self.state.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}
