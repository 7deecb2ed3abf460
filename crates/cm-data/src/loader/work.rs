//! The work on one image, and on the images of some batches at once.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use fast_image_resize::Resizer;
use rayon::ThreadPool;

use super::{RawBatch, order::Turn};
use crate::{
    Augmentation, DataError, ImageSet, InputSpec, check::reason, dataset::prepared_image,
    normalize::Normalizer, random,
};

/// What is the same for all images.
pub(super) struct Work {
    pub set: Arc<dyn ImageSet>,
    pub input: InputSpec,
    pub normalizer: Normalizer,
    pub augmentation: Augmentation,
    pub seed: u64,
    pub skip_failed: bool,
}

/// An image that is to be made.
struct Place<'a> {
    turn: Turn,
    position: usize,
    pixels: &'a mut [f32],
}

/// Batches that were made, up to the first image that could not be.
pub(super) struct Made {
    pub batches: Vec<RawBatch>,
    pub error: Option<DataError>,
}

impl Work {
    /// Makes batches of up to `batch_size` images, one resizer for each task. Without a pool the
    /// only task is this thread.
    ///
    /// Tasks take images in their order. So when one fails, all before it were taken, and of
    /// several failures the first in the order is known.
    pub fn make(
        &self,
        turns: &[Turn],
        epoch: u64,
        batch_size: usize,
        resizers: &mut [Resizer],
        pool: Option<&ThreadPool>,
        stop: &AtomicBool,
    ) -> Made {
        let mut batches: Vec<RawBatch> = turns.chunks(batch_size).map(|turns| self.empty(turns)).collect();
        let values = self.input.values();
        let images = batches.iter_mut().flat_map(|batch| batch.pixels.chunks_exact_mut(values));
        let places = images.zip(turns).enumerate();
        let places = places.map(|(position, (pixels, &turn))| Place { turn, position, pixels });
        let places = Mutex::new(places);
        let failures = Mutex::new(Vec::<(usize, DataError)>::new());
        let ended = AtomicBool::new(false);
        let task = |resizer: &mut Resizer| {
            while !stop.load(Ordering::Relaxed)
                && !ended.load(Ordering::Relaxed)
                && let Some(place) = next(&places)
            {
                let position = place.position;
                if let Err(error) = self.fill(place, epoch, resizer) {
                    ended.store(!self.skip_failed, Ordering::Relaxed);
                    failures.lock().unwrap_or_else(PoisonError::into_inner).push((position, error));
                }
            }
        };
        match pool {
            None => resizers.iter_mut().take(1).for_each(task),
            Some(pool) => pool.in_place_scope(|scope| {
                let task = &task;
                resizers.iter_mut().for_each(|resizer| scope.spawn(move |_| task(resizer)));
            }),
        }
        let mut failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
        failures.sort_by_key(|(position, _)| *position);
        if self.skip_failed {
            leave_out(&mut batches, failures, batch_size, values);
            return Made { batches, error: None };
        }
        match failures.into_iter().next() {
            None => Made { batches, error: None },
            Some((position, error)) => {
                batches.truncate(position / batch_size);
                Made { batches, error: Some(error) }
            }
        }
    }

    /// A batch whose pixels are still to be made.
    fn empty(&self, turns: &[Turn]) -> RawBatch {
        let &InputSpec { width, height, channels, .. } = &self.input;
        let indices: Vec<usize> = turns.iter().map(|turn| turn.index).collect();
        RawBatch {
            pixels: vec![0.0; turns.len() * self.input.values()],
            shape: [turns.len(), channels, height, width],
            labels: indices.iter().map(|&index| self.set.label(index)).collect(),
            weights: indices.iter().map(|&index| self.set.weight(index)).collect(),
            indices,
            elsewhere: Vec::new(),
            failed: Vec::new(),
        }
    }

    fn fill(&self, place: Place, epoch: u64, resizer: &mut Resizer) -> Result<(), DataError> {
        let index = place.turn.index;
        catch_unwind(AssertUnwindSafe(|| self.fill_or_panic(place, epoch, resizer))).unwrap_or_else(|panic| {
            Err(DataError::Panicked { name: self.set.name(index), message: message(&*panic) })
        })
    }

    fn fill_or_panic(&self, place: Place, epoch: u64, resizer: &mut Resizer) -> Result<(), DataError> {
        let Turn { index, repetition } = place.turn;
        let image = prepared_image(&*self.set, index, &self.input, resizer)?;
        if self.augmentation.is_none() {
            self.normalizer.write(&image, place.pixels);
            return Ok(());
        }
        let mut random = random::generator(self.seed, epoch, index as u64);
        random.set_stream(repetition);
        let image = self.augmentation.apply(Arc::unwrap_or_clone(image), &mut random);
        self.normalizer.write(&image, place.pixels);
        Ok(())
    }
}

/// Takes out of their batches the images that could not be made, given by position in ascending order.
fn leave_out(batches: &mut [RawBatch], failures: Vec<(usize, DataError)>, batch_size: usize, values: usize) {
    // From the last, so that the places of the others stay.
    for (position, error) in failures.into_iter().rev() {
        let (batch, row) = (&mut batches[position / batch_size], position % batch_size);
        batch.failed.insert(0, (batch.indices.remove(row), reason(error)));
        batch.labels.remove(row);
        batch.weights.remove(row);
        batch.pixels.drain(row * values..(row + 1) * values);
        batch.shape[0] -= 1;
    }
}

/// Holds the lock no longer than it takes to say what comes next.
fn next<'a>(places: &Mutex<impl Iterator<Item = Place<'a>>>) -> Option<Place<'a>> {
    places.lock().unwrap_or_else(PoisonError::into_inner).next()
}

/// What a panic said.
pub(super) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it gave no reason".to_owned())
}
