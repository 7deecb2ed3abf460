//! Batches in an order that depends on the seed and the epoch alone.

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
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};

use crate::{classifier::Batch, data::LabelledImages};

/// Mean and standard deviation of MNIST's training pixels, from 0 to 1, which every input is normalised with.
const PIXEL_MEAN: f32 = 0.1307;
const PIXEL_STD: f32 = 0.3081;

/// Loads images held in memory, a batch at a time. The last batch of an epoch holds what remains.
///
/// Burn's own loader draws each epoch's order from one running generator, so that a resumed training would begin
/// again with the order of the first epoch.
#[derive(Clone)]
pub struct ImageLoader {
    images: Arc<LabelledImages>,
    range: std::ops::Range<usize>,
    batch_size: usize,
    shuffle_seed: Option<u64>,
    epochs_begun: Arc<AtomicUsize>,
    device: Device,
}

impl ImageLoader {
    /// Images in their order.
    pub fn new(images: Arc<LabelledImages>, batch_size: usize, device: &Device) -> Self {
        let range = 0..images.len();
        let epochs_begun = Arc::default();
        Self { images, range, batch_size, shuffle_seed: None, epochs_begun, device: device.clone() }
    }

    /// Images in another order each epoch; `epochs_done` epochs were trained before.
    pub fn shuffled(self, seed: u64, epochs_done: usize) -> Self {
        Self { shuffle_seed: Some(seed), epochs_begun: Arc::new(AtomicUsize::new(epochs_done)), ..self }
    }

    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = self.range.clone().collect();
        if let Some(seed) = self.shuffle_seed {
            let epoch = self.epochs_begun.fetch_add(1, Ordering::Relaxed) as u64;
            // Far apart for every pair of seed and epoch: an odd multiplier maps seeds one to one.
            let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(epoch);
            order.shuffle(&mut StdRng::seed_from_u64(mixed));
        }
        order
    }
}

/// Images `indices` as a batch on a device.
pub fn batch(images: &LabelledImages, indices: &[usize], device: &Device) -> Batch {
    let normalised = |&pixel: &u8| (f32::from(pixel) / 255.0 - PIXEL_MEAN) / PIXEL_STD;
    let pixels: Vec<f32> = indices.iter().flat_map(|&i| images.image(i)).map(normalised).collect();
    let targets: Vec<i32> = indices.iter().map(|&i| i32::from(images.labels[i])).collect();
    let shape = [indices.len(), 1, images.rows, images.cols];
    Batch {
        images: Tensor::from_data(TensorData::new(pixels, shape), device),
        targets: Tensor::<1, Int>::from_data(TensorData::new(targets, [indices.len()]), device),
    }
}

impl DataLoader<Batch> for ImageLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        Box::new(Batches { loader: self, order: self.order(), next: 0 })
    }

    fn num_items(&self) -> usize {
        self.range.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self { device: device.clone(), ..self.clone() })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        let range = self.range.start + start..self.range.start + end;
        Arc::new(Self { range, ..self.clone() })
    }
}

struct Batches<'a> {
    loader: &'a ImageLoader,
    order: Vec<usize>,
    next: usize,
}

impl Iterator for Batches<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.order[self.next..];
        let indices = &rest[..rest.len().min(self.loader.batch_size)];
        self.next += indices.len();
        (!indices.is_empty()).then(|| Ok(batch(&self.loader.images, indices, &self.loader.device)))
    }
}

impl DataLoaderIterator<Batch> for Batches<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.next, self.order.len(), Some("images".to_owned()))
    }
}
