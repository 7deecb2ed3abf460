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
use cm_data::{DataError, ImageSet, InputSpec, Loader, LoaderConfig, Part, RawBatch, Subset};

use crate::{
    Error,
    classifier::{Batch, Share},
    monitor::BatchPlace,
};

/// [`cm_data::Loader`] as Burn's Learner asks for it: once for each epoch, on a device, or in parts for several.
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
    shares: Shares,
}

/// How several devices share each batch.
#[derive(Clone)]
struct Shares {
    devices: usize,
    class_weights: Option<Arc<[f64]>>,
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
        let shares = Shares { devices: 1, class_weights: None };
        Ok(Self { set, input, config, loader, epochs_begun, device: device.clone(), shares })
    }

    /// The same images for so many devices, each of which gets its part of every batch. Burn asks for as many slices.
    ///
    /// With weights of the classes as the head has them, the losses of the parts add up to that of the whole batch.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyDevices`] for more devices than a batch has images, or the set.
    pub fn for_devices(self, devices: usize, class_weights: Option<&[f64]>) -> Result<Self, Error> {
        check_devices(devices, self.config.batch_size, self.set.len())?;
        let shares = Shares { devices, class_weights: class_weights.map(Arc::from) };
        Ok(Self { shares, ..self })
    }

    /// The same for other images or another part.
    fn of(&self, set: Arc<dyn ImageSet>, config: LoaderConfig) -> Arc<dyn DataLoader<Batch>> {
        let Ok(loader) = Loader::new(set.clone(), self.input.clone(), config.clone()) else {
            unreachable!("the whole set was loaded in the same way, and has an image for each part")
        };
        let (input, device, shares) = (self.input.clone(), self.device.clone(), self.shares.clone());
        Arc::new(Self { set, input, config, loader, epochs_begun: self.epochs(), device, shares })
    }

    /// What this loader's part of a batch is of the whole; `None` where it is the whole.
    fn share(&self, raw: &RawBatch) -> Option<Share> {
        if raw.elsewhere.is_empty() {
            return None;
        }
        let weight = |index: &usize| {
            let of_classes = self.shares.class_weights.as_ref();
            let of_class = of_classes.map_or(1.0, |of| of[self.set.label(*index) as usize]);
            of_class * f64::from(self.set.weight(*index))
        };
        let [here, elsewhere] = [&raw.indices, &raw.elsewhere].map(|of| of.iter().map(weight).sum::<f64>());
        // Where nothing counts, nothing is lost.
        let weights = if here > 0.0 { here / (here + elsewhere) } else { 0.0 };
        let (here, elsewhere) = (raw.indices.len() as f64, raw.elsewhere.len() as f64);
        Some(Share { weights, images: here / (here + elsewhere), part: self.config.part.number as u32 })
    }

    /// The epochs counted so far, for a loader with a count of its own: each slice of a set has all epochs.
    fn epochs(&self) -> AtomicUsize {
        AtomicUsize::new(self.epochs_begun.load(Ordering::Relaxed))
    }
}

/// Whether so many devices can share batches of this size, of so many images.
///
/// # Errors
///
/// [`Error::TooManyDevices`] where some device would never get an image.
pub(crate) fn check_devices(devices: usize, batch_size: usize, images: usize) -> Result<(), Error> {
    let most = batch_size.min(images);
    if (1..=most).contains(&devices) {
        return Ok(());
    }
    Err(Error::TooManyDevices { devices, most })
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
        share: None,
        place: BatchPlace { epoch, step, indices: raw.indices },
    }
}

impl DataLoader<Batch> for ImageLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let epoch = self.epochs_begun.fetch_add(1, Ordering::Relaxed);
        Box::new(Batches {
            loader: self,
            batches: self.loader.epoch(epoch),
            epoch: epoch + 1,
            step: 0,
            done: 0,
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
            shares: self.shares.clone(),
        })
    }

    /// For several devices ([`for_devices`](Self::for_devices)) not some of the images, but the part of every batch that belongs to
    /// the device whose slice begins there, so that all together see the batches that one would see.
    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        let of = self.shares.devices;
        if of == 1 {
            let images = Subset::new(self.set.clone(), (start..end).collect::<Vec<_>>());
            return self.of(Arc::new(images), self.config.clone());
        }
        let part = Part { number: start / (self.set.len() / of), of };
        self.of(self.set.clone(), LoaderConfig { part, ..self.config.clone() })
    }
}

struct Batches<'a> {
    loader: &'a ImageLoader,
    batches: cm_data::Batches,
    epoch: usize,
    step: usize,
    done: usize,
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?.map(|raw| {
            self.step += 1;
            self.done += raw.labels.len();
            let share = self.loader.share(&raw);
            Batch { share, ..to_device(raw, self.epoch, self.step, &self.loader.device) }
        });
        Some(batch.map_err(DatasetError::new))
    }
}

impl DataLoaderIterator<Batch> for Batches<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.loader.loader.images(), Some("images".to_owned()))
    }
}
