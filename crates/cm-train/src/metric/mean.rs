//! The mean of a quantity that every image has.

use std::marker::PhantomData;

use burn::{
    tensor::{Tensor, TensorReadError},
    train::metric::{
        Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
        SerializedEntry,
        state::{FormatOptions, NumericMetricState},
    },
};

/// What a mean is taken of.
pub trait Quantity: Send + Sync + 'static {
    /// Name under which it is logged.
    const NAME: &'static str;
    /// Whether more of it is better.
    const HIGHER_IS_BETTER: bool;

    /// The mean over a batch, `[1]`, and the number of its images.
    fn mean(&self) -> (Tensor<1>, usize);
}

/// Feature norms of a batch: `[batch]`.
pub struct FeatureNorms(pub Tensor<1>);

/// 1 for an image that was recognized, 0 for another: `[batch]`.
pub struct Hits(pub Tensor<1>);

/// Loss of a batch, `[1]`, weights counted, and the number of its images.
pub struct Losses(pub Tensor<1>, pub usize);

impl Quantity for FeatureNorms {
    const NAME: &'static str = "Feature norm";
    const HIGHER_IS_BETTER: bool = true;

    fn mean(&self) -> (Tensor<1>, usize) {
        (self.0.clone().mean(), self.0.dims()[0])
    }
}

impl Quantity for Hits {
    const NAME: &'static str = "Accuracy";
    const HIGHER_IS_BETTER: bool = true;

    fn mean(&self) -> (Tensor<1>, usize) {
        (self.0.clone().mean(), self.0.dims()[0])
    }
}

impl Quantity for Losses {
    const NAME: &'static str = "Loss";
    const HIGHER_IS_BETTER: bool = false;

    fn mean(&self) -> (Tensor<1>, usize) {
        (self.0.clone(), self.1)
    }
}

/// Mean of a quantity over the images of a batch, and of an epoch.
pub struct MeanMetric<Q> {
    name: MetricName,
    state: NumericMetricState,
    quantity: PhantomData<fn() -> Q>,
}

impl<Q: Quantity> MeanMetric<Q> {
    /// An empty metric.
    pub fn new() -> Self {
        Self {
            name: MetricName::new(Q::NAME.to_owned()),
            state: NumericMetricState::new(),
            quantity: PhantomData,
        }
    }

    fn format(&self) -> FormatOptions {
        FormatOptions::new(self.name.clone()).precision(3)
    }
}

impl<Q: Quantity> Default for MeanMetric<Q> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Q> Clone for MeanMetric<Q> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), state: self.state.clone(), quantity: PhantomData }
    }
}

impl<Q: Quantity> Metric for MeanMetric<Q> {
    type Input = Q;

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: None, higher_is_better: Q::HIGHER_IS_BETTER }.into()
    }

    fn update(&mut self, input: &Q, _metadata: &MetricMetadata) -> Result<SerializedEntry, TensorReadError> {
        let (mean, images) = input.mean();
        self.state.update(mean.try_into_scalar::<f64>()?, images);
        Ok(self.state.compute_update(self.format()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.state.compute_final(self.format()))
    }

    fn clear(&mut self) {
        self.state.reset();
    }
}

impl<Q: Quantity> Numeric for MeanMetric<Q> {
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
