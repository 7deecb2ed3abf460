//! Batches for Burn's Learner.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use burn::{
    data::{
        dataloader::{DataLoader, DataLoaderIterator, Progress},
        dataset::DatasetError,
    },
    tensor::{Device, Int, Tensor, TensorData},
};
use cm_data::{DataError, ImageSet, InputSpec, Loader, LoaderConfig, RawBatch, Subset};

use crate::{classifier::Batch, monitor::BatchPlace};

/// [`cm_data::Loader`] as Burn's Learner asks for it: once for each epoch, on a device, or in slices for several.
///
/// Burn's own loader draws each epoch's order from one running generator, so that a resumed training would begin
/// again with the order of the first epoch.
pub struct ImageLoader {
    set: Arc<dyn ImageSet>,
    input: InputSpec,
    config: LoaderConfig,
    loader: Loader,
    epochs_begun: AtomicUsize,
    device: Device,
}

impl ImageLoader {
    /// Images of a set; `epochs_done` epochs were trained before.
    ///
    /// # Errors
    ///
    /// [`DataError`] as [`Loader::new`].
    pub fn new(
        set: Arc<dyn ImageSet>,
        input: InputSpec,
        config: LoaderConfig,
        epochs_done: usize,
        device: &Device,
    ) -> Result<Self, DataError> {
        let loader = Loader::new(set.clone(), input.clone(), config.clone())?;
        let epochs_begun = AtomicUsize::new(epochs_done);
        Ok(Self { set, input, config, loader, epochs_begun, device: device.clone() })
    }

    /// The epochs counted so far, for a loader with a count of its own: each slice of a set has all epochs.
    fn epochs(&self) -> AtomicUsize {
        AtomicUsize::new(self.epochs_begun.load(Ordering::Relaxed))
    }
}

/// A batch on a device.
pub fn to_device(raw: RawBatch, epoch: usize, step: usize, device: &Device) -> Batch {
    let targets: Vec<i32> = raw.labels.iter().map(|&label| label as i32).collect();
    let count = targets.len();
    let weighted = raw.weights.iter().any(|&weight| weight != 1.0);
    let weights = weighted.then(|| Tensor::<1>::from_data(TensorData::new(raw.weights, [count]), device));
    Batch {
        images: Tensor::from_data(TensorData::new(raw.pixels, raw.shape), device),
        targets: Tensor::<1, Int>::from_data(TensorData::new(targets, [count]), device),
        weights,
        place: BatchPlace { epoch, step, indices: raw.indices },
    }
}

impl DataLoader<Batch> for ImageLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let epoch = self.epochs_begun.fetch_add(1, Ordering::Relaxed);
        Box::new(Batches {
            batches: self.loader.epoch(epoch),
            epoch: epoch + 1,
            step: 0,
            done: 0,
            total: self.set.len(),
            device: self.device.clone(),
        })
    }

    fn num_items(&self) -> usize {
        self.set.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self {
            set: self.set.clone(),
            input: self.input.clone(),
            config: self.config.clone(),
            loader: self.loader.clone(),
            epochs_begun: self.epochs(),
            device: device.clone(),
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        let set = Arc::new(Subset::new(self.set.clone(), (start..end).collect::<Vec<_>>()));
        let (input, config) = (self.input.clone(), self.config.clone());
        let Ok(loader) = Loader::new(set.clone(), input.clone(), config.clone()) else {
            unreachable!("the whole set was loaded in the same way")
        };
        Arc::new(Self {
            set,
            input,
            config,
            loader,
            epochs_begun: self.epochs(),
            device: self.device.clone(),
        })
    }
}

struct Batches {
    batches: cm_data::Batches,
    epoch: usize,
    step: usize,
    done: usize,
    total: usize,
    device: Device,
}

impl Iterator for Batches {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?.map(|raw| {
            self.step += 1;
            self.done += raw.labels.len();
            to_device(raw, self.epoch, self.step, &self.device)
        });
        Some(batch.map_err(DatasetError::new))
    }
}

impl DataLoaderIterator<Batch> for Batches {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.total, Some("images".to_owned()))
    }
}
