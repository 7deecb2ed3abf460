//! What a trained network says of images.

use std::{mem, sync::Arc};

use burn::{
    module::Module,
    tensor::{Device, Tensor, activation::softmax},
    train::Interrupter,
};
use cm_data::{ImageSet, InputSpec, Loader, LoaderConfig, RawBatch};
use cm_loss_core::norm;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use crate::{Error, classifier::Classifier, stoppable::Stoppable, training::to_device};

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

/// What is asked of a network beside the lengths of its features. What is not asked for is not computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// The class of each image, with its probability.
    pub classes: bool,
    /// The probabilities of all classes.
    pub probabilities: bool,
    /// The features.
    pub features: bool,
    /// Images that cannot be read are left out and named ([`PredictedBatch::failed`]), in place of an error.
    pub skip_failed: bool,
}

/// What a network says of some images, in the order of their set. A row of each list is an image; what was not asked for is
/// empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PredictedBatch {
    /// Positions of the images in their set.
    pub indices: Vec<usize>,
    /// Their classes.
    pub labels: Vec<u32>,
    /// The classes predicted.
    pub predicted: Vec<u32>,
    /// Probabilities of the classes predicted, without margin.
    pub confidences: Vec<f32>,
    /// Lengths of the features, the mean over the views.
    pub norms: Vec<f32>,
    /// The features, row after row.
    pub features: Vec<f32>,
    /// Probabilities of all classes, row after row.
    pub probabilities: Vec<f32>,
    /// Images that cannot be read, which are in no list: position in the set, and why.
    pub failed: Vec<(usize, String)>,
}

/// The views of an image that a network looks at. Its feature is the mean of their features, and class and probability are of
/// that mean. Its norm is the mean of their norms: the mean feature is the shorter the less the views agree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Views {
    /// The image as it is.
    #[default]
    One,
    /// The image and its mirror image.
    Flip,
    /// The eight symmetries of a square image: its four rotations by right angles, and the mirror image of each.
    Symmetries,
}

impl Views {
    /// How many there are.
    pub fn count(self) -> usize {
        match self {
            Self::One => 1,
            Self::Flip => 2,
            Self::Symmetries => 8,
        }
    }

    /// The mean feature `(batch, dim)` and the mean norm `(batch, 1)` of the views of images `(batch, channels, height, width)`,
    /// which are square for [`Views::Symmetries`].
    pub fn features(
        self,
        images: Tensor<4>,
        forward: impl Fn(Tensor<4>) -> Tensor<2>,
    ) -> (Tensor<2>, Tensor<2>) {
        let seen = |images| {
            let features = forward(images);
            (features.clone(), norm(features))
        };
        let mirrored = |images: Tensor<4>| [images.clone(), images.flip([3])];
        let views: Vec<Tensor<4>> = match self {
            Self::One => return seen(images),
            Self::Flip => mirrored(images).into(),
            Self::Symmetries => {
                let transposed = images.clone().swap_dims(2, 3);
                [images, transposed]
                    .into_iter()
                    .flat_map(mirrored)
                    .flat_map(|images| [images.clone(), images.flip([2])])
                    .collect()
            }
        };
        let count = views.len() as f64;
        let sums = views.into_iter().map(seen).reduce(|sum, of| (sum.0 + of.0, sum.1 + of.1));
        let (features, norms) = sums.expect("there is a view");
        (features / count, norms / count)
    }
}

/// Predicts images and keeps count on a bar.
#[derive(Clone, Copy)]
pub struct Predictor<'a> {
    /// What is done to an image before the network sees it.
    pub input: &'a InputSpec,
    /// What the network looks at of each image.
    pub views: Views,
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
        let mut predictions = Vec::with_capacity(set.len());
        let asked = Asked { classes: true, features: true, ..Asked::default() };
        let finished = self.each_batch(network, set, asked, |batch| {
            let dim = batch.features.len() / batch.indices.len().max(1);
            predictions.extend((0..batch.indices.len()).map(|row| Prediction {
                index: batch.indices[row],
                label: batch.labels[row],
                predicted: batch.predicted[row],
                confidence: batch.confidences[row],
                norm: batch.norms[row],
                point: match dim {
                    2 => [batch.features[2 * row], batch.features[2 * row + 1]],
                    _ => [0.0; 2],
                },
            }));
            Ok::<(), Error>(())
        })?;
        Ok(finished.then_some(predictions))
    }

    /// Calls `each` with what the network says of the images of a set, batch after batch in their order. Whether all were
    /// seen: `false` when told to stop.
    ///
    /// # Errors
    ///
    /// Those of `each`, and [`Error::Data`] if an image cannot be read, unless such images are to be left out.
    pub fn each_batch<E: From<Error>>(
        &self,
        network: &Classifier,
        set: Arc<dyn ImageSet>,
        asked: Asked,
        mut each: impl FnMut(PredictedBatch) -> Result<(), E>,
    ) -> Result<bool, E> {
        let network = network.valid();
        let config = LoaderConfig {
            batch_size: BATCH_SIZE,
            workers: self.workers,
            skip_failed: asked.skip_failed,
            ..LoaderConfig::default()
        };
        let set = Arc::new(Stoppable { set, interrupter: self.interrupter.clone() });
        let loader = Loader::new(set, self.input.clone(), config).map_err(Error::from)?;
        for raw in loader.epoch(0) {
            if self.interrupter.should_stop() {
                return Ok(false);
            }
            let raw = raw.map_err(Error::from)?;
            let seen = raw.indices.len() + raw.failed.len();
            each(self.look(&network, raw, asked))?;
            self.bar.inc(seen as u64);
        }
        Ok(true)
    }

    fn look(&self, network: &Classifier, mut raw: RawBatch, asked: Asked) -> PredictedBatch {
        let failed = mem::take(&mut raw.failed);
        if raw.indices.is_empty() {
            return PredictedBatch { failed, ..PredictedBatch::default() };
        }
        let (labels, indices) = (raw.labels.clone(), raw.indices.clone());
        let images = to_device(raw, 0, 0, self.device).images;
        let (features, norms) = self.views.features(images, |images| network.backbone.forward(images));
        let mut batch =
            PredictedBatch { indices, labels, norms: floats(norms), failed, ..Default::default() };
        if asked.classes || asked.probabilities {
            let (logits, _) = network.head.logits(features.clone());
            let probabilities = softmax(logits.clone(), 1);
            batch.confidences = floats(probabilities.clone().max_dim(1));
            batch.predicted = logits.argmax(1).into_data().iter::<i64>().map(|class| class as u32).collect();
            if asked.probabilities {
                batch.probabilities = floats(probabilities);
            }
        }
        if asked.features {
            batch.features = floats(features);
        }
        batch
    }
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn the_views_are_different_and_their_features_are_averaged() {
        let image = || Tensor::<1>::from_data([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], &Device::flex());
        for (views, mean) in [
            (Views::One, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]),
            (Views::Flip, [2.0, 2.0, 2.0, 5.0, 5.0, 5.0, 8.0, 8.0, 8.0]),
            (Views::Symmetries, [5.0; 9]),
        ] {
            let seen = RefCell::new(Vec::new());
            let (found, norms) = views.features(image().reshape([1, 1, 3, 3]), |image| {
                let flat = image.reshape([1, 9]);
                seen.borrow_mut().push(floats(flat.clone()));
                flat
            });
            assert_eq!(floats(found), mean, "{views:?}");
            // Every view has the same numbers in another order: their norms are alike, that of the mean is not.
            assert!((floats(norms)[0] - 285.0f32.sqrt()).abs() < 1e-4, "{views:?}");
            let mut seen = seen.into_inner();
            seen.sort_by(|a, b| a.partial_cmp(b).expect("numbers"));
            seen.dedup();
            assert_eq!(seen.len(), views.count(), "{views:?}");
        }
    }
}
