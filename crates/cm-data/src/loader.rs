//! Batches in an order that depends on the seed and the epoch alone.

mod batches;
mod order;
mod part;
mod work;

use std::sync::Arc;

pub use batches::Batches;
use order::Order;
pub use part::Part;
use serde::{Deserialize, Serialize};
use work::Work;

use crate::{Augmentation, DataError, ImageSet, InputSpec, dataset::check_prepared, normalize::Normalizer};

/// How a set is loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct LoaderConfig {
    /// Images in a batch; the last batch of an epoch holds what remains.
    pub batch_size: usize,
    /// Seed of an order that is another one in each epoch. Without it images come in the order of
    /// the set.
    pub shuffle: Option<u64>,
    /// How often each image comes.
    pub sampling: Sampling,
    /// Random changes of the images.
    pub augmentation: Augmentation,
    /// Seed of these changes.
    pub augmentation_seed: u64,
    /// Threads that read and change images; 0 leaves it to the thread that asks for the batches.
    pub workers: usize,
    /// Batches that are made ahead, where there are workers.
    pub queue: usize,
    /// Whether images that cannot be read are left out and named ([`RawBatch::failed`]), in place of an error.
    pub skip_failed: bool,
    /// The part of every batch that is loaded.
    pub part: Part,
}

impl Default for LoaderConfig {
    /// Batches of 128 in the order of the set, images as they are, in the thread that asks.
    fn default() -> Self {
        Self {
            batch_size: 128,
            shuffle: None,
            sampling: Sampling::Natural,
            augmentation: Augmentation::default(),
            augmentation_seed: 0,
            workers: 0,
            queue: 4,
            skip_failed: false,
            part: Part::default(),
        }
    }
}

/// How often each image comes in an epoch, which always has as many images as the set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// Once.
    #[default]
    Natural,
    /// So often that all classes come equally often; where the number of images cannot be divided,
    /// some classes, others in each epoch, come once more.
    ///
    /// A class that has more images than its turns leaves some out, others in each epoch. A class
    /// that has fewer repeats them, none before all came equally often; a repeated image is
    /// augmented differently.
    Balanced,
    /// So that a batch has so many images of each of its classes, and no class twice as long as there are others left: what losses
    /// that compare the images of a batch need. A class that has fewer images repeats some, and what then is too much for the
    /// epoch is left out; others in each epoch.
    ByClass {
        /// Images of a class, at least 2. The batch size is a multiple of it.
        images: usize,
    },
}

/// Images and labels of a batch, ready to become tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct RawBatch {
    /// Normalized values: image after image, in it channel after channel, in it row after row.
    pub pixels: Vec<f32>,
    /// Images, channels, height and width.
    pub shape: [usize; 4],
    /// Class of each image.
    pub labels: Vec<u32>,
    /// How much each image counts in a loss.
    pub weights: Vec<f32>,
    /// Position of each image in its set.
    pub indices: Vec<usize>,
    /// Positions of the images of the same batch that are in other parts of it.
    pub elsewhere: Vec<usize>,
    /// Images that are not in the batch, since they cannot be read: position in the set, and why. A batch may hold
    /// nothing else.
    pub failed: Vec<(usize, String)>,
}

/// Loads a set, batch after batch, the same for any number of workers.
#[derive(Clone)]
pub struct Loader {
    work: Arc<Work>,
    order: Arc<Order>,
    config: LoaderConfig,
}

impl Loader {
    /// Images of `set`, preprocessed by `input`.
    ///
    /// # Errors
    ///
    /// [`DataError::Setting`] for a preprocessing, an augmentation or a number that cannot be
    /// used, for images that were [cached](crate::Cached) after another preprocessing, for
    /// sampling that is not natural without a seed to draw by, and for a batch size that is no
    /// multiple of the images of a class in it.
    pub fn new(set: Arc<dyn ImageSet>, input: InputSpec, config: LoaderConfig) -> Result<Self, DataError> {
        input.validate()?;
        config.augmentation.validate()?;
        check_prepared(&*set, &input)?;
        if config.augmentation.transpose && input.width != input.height {
            let (name, value) = (
                "augmentation.transpose",
                format!("true for images of {} x {} pixels", input.width, input.height),
            );
            return Err(DataError::Setting {
                name,
                value,
                reason: "only square images can be mirrored at their diagonal",
            });
        }
        if config.batch_size == 0 {
            let (name, value, reason) = ("batch_size", "0".to_owned(), "a batch needs at least one image");
            return Err(DataError::Setting { name, value, reason });
        }
        config.part.validate(config.batch_size)?;
        let order = Arc::new(Order::new(&*set, config.shuffle, config.sampling, config.batch_size)?);
        let (augmentation, seed) = (config.augmentation.clone(), config.augmentation_seed);
        let normalizer = Normalizer::new(&input);
        let work =
            Arc::new(Work { set, input, normalizer, augmentation, seed, skip_failed: config.skip_failed });
        Ok(Self { work, order, config })
    }

    /// Images in an epoch, of this part.
    pub fn images(&self) -> usize {
        let LoaderConfig { batch_size, part, .. } = self.config;
        let count = self.work.set.len();
        count / batch_size * part.images(batch_size) + part.images(count % batch_size)
    }

    /// Batches in an epoch. The last may have no images for this part.
    pub fn batches(&self) -> usize {
        self.images().div_ceil(self.config.part.images(self.config.batch_size))
    }

    /// The batches of one epoch, the first being 0.
    ///
    /// An error ends the epoch; it comes in the place of the batch that it makes impossible. With
    /// [`skip_failed`](LoaderConfig::skip_failed) no image is an error.
    /// Dropping the iterator early ends its threads.
    pub fn epoch(&self, epoch: usize) -> Batches {
        let order = self.order.of_epoch(epoch as u64);
        Batches::new(self.work.clone(), order, epoch as u64, &self.config)
    }
}
