//! What a trained network says of images.

use std::sync::Arc;

use burn::{
    module::Module,
    tensor::{Device, TensorData, activation::softmax},
    train::Interrupter,
};
use cm_data::{ImageSet, InputSpec, Loader, LoaderConfig};
use indicatif::ProgressBar;

use crate::{Error, classifier::Classifier, training::to_device};

/// Images a pass: enough to keep every core busy.
const BATCH_SIZE: usize = 250;

/// What a network says of one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Position of the image in its set.
    pub index: usize,
    /// Its class.
    pub label: u32,
    /// The class predicted.
    pub predicted: u32,
    /// Probability of the class predicted, without margin.
    pub confidence: f32,
    /// Length of the feature.
    pub norm: f32,
    /// The feature, if it has two dimensions; otherwise zeros.
    pub point: [f32; 2],
}

impl Prediction {
    /// Whether the image was recognized.
    pub fn is_right(&self) -> bool {
        self.predicted == self.label
    }
}

/// Predicts images and keeps count on a bar.
pub struct Predictor<'a> {
    /// What is done to an image before the network sees it.
    pub input: &'a InputSpec,
    /// Threads that decode and transform images.
    pub workers: usize,
    /// Where to compute.
    pub device: &'a Device,
    /// Moves by one for each image.
    pub bar: &'a ProgressBar,
    /// Stops when asked.
    pub interrupter: &'a Interrupter,
}

impl Predictor<'_> {
    /// Predictions of all images of a set, in their order; `None` when told to stop.
    ///
    /// # Errors
    ///
    /// [`Error::Data`] if an image cannot be read.
    pub fn predict(
        &self,
        network: &Classifier,
        set: Arc<dyn ImageSet>,
    ) -> Result<Option<Vec<Prediction>>, Error> {
        let network = network.valid();
        let mut predictions = Vec::with_capacity(set.len());
        let config =
            LoaderConfig { batch_size: BATCH_SIZE, workers: self.workers, ..LoaderConfig::default() };
        let loader = Loader::new(set, self.input.clone(), config)?;
        for raw in loader.epoch(0) {
            if self.interrupter.should_stop() {
                return Ok(None);
            }
            let raw = raw?;
            let (labels, indices) = (raw.labels.clone(), raw.indices.clone());
            let features = network.backbone.forward(to_device(raw, 0, 0, self.device).images);
            let [_, dim] = features.dims();
            let (logits, norms) = network.head.logits(features.clone());
            let confidences = softmax(logits.clone(), 1).max_dim(1);
            let floats = |data: TensorData| -> Vec<f32> { data.iter::<f32>().collect() };
            let (features, norms) = (floats(features.into_data()), floats(norms.into_data()));
            let confidences = floats(confidences.into_data());
            let predicted: Vec<u32> =
                logits.argmax(1).into_data().iter::<i64>().map(|class| class as u32).collect();
            predictions.extend((0..labels.len()).map(|row| Prediction {
                index: indices[row],
                label: labels[row],
                predicted: predicted[row],
                confidence: confidences[row],
                norm: norms[row],
                point: if dim == 2 { [features[2 * row], features[2 * row + 1]] } else { [0.0; 2] },
            }));
            self.bar.inc(labels.len() as u64);
        }
        Ok(Some(predictions))
    }
}
