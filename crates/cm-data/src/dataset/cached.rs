//! Images that are read and preprocessed once.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use fast_image_resize::Resizer;

use super::{check_prepared, prepared_image};
use crate::{DataError, Image, ImageSet, InputSpec};

/// Keeps a set's preprocessed images in memory, as far as a budget goes.
///
/// What is kept is the image after the region, the channels and the size of an [`InputSpec`]: no
/// epoch needs more than that, augmentation comes after it, and it is often a small part of the
/// image that was decoded. So this set gives preprocessed images, and a [`Loader`](crate::Loader)
/// that is given the same preprocessing does not repeat it.
///
/// The images that come first are kept, up to the budget, and stay; the others are read again each
/// time. Whether an image is kept changes when it is there and nothing else.
pub struct Cached {
    set: Arc<dyn ImageSet>,
    input: InputSpec,
    budget: usize,
    used: AtomicUsize,
    kept: Vec<OnceLock<Arc<Image>>>,
    /// Those that no thread uses at the moment.
    resizers: Mutex<Vec<Resizer>>,
}

impl Cached {
    /// Keeps images of `set`, preprocessed by `input`, while their pixels take no more than
    /// `budget` bytes.
    ///
    /// # Errors
    ///
    /// [`DataError::Setting`] if the preprocessing is not valid, or the set's images had another
    /// already.
    pub fn new(set: Arc<dyn ImageSet>, input: InputSpec, budget: usize) -> Result<Self, DataError> {
        input.validate()?;
        check_prepared(&*set, &input)?;
        let kept = (0..set.len()).map(|_| OnceLock::new()).collect();
        Ok(Self { set, input, budget, used: AtomicUsize::new(0), kept, resizers: Mutex::default() })
    }

    /// Bytes of the pixels that are kept.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn read(&self, index: usize) -> Result<Arc<Image>, DataError> {
        let resizers = || self.resizers.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken and given back: nobody waits while an image is read.
        let taken = resizers().pop();
        let mut resizer = taken.unwrap_or_default();
        let image = prepared_image(&*self.set, index, &self.input, &mut resizer);
        resizers().push(resizer);
        image
    }

    fn keep(&self, slot: &OnceLock<Arc<Image>>, image: &Arc<Image>) {
        let bytes = image.pixels.len();
        let fits = |used: usize| used.checked_add(bytes).filter(|&sum| sum <= self.budget);
        if self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
            && slot.set(image.clone()).is_err()
        {
            // Another thread has read the same image in the meantime.
            self.used.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

impl ImageSet for Cached {
    fn len(&self) -> usize {
        self.set.len()
    }

    fn image(&self, index: usize) -> Result<Arc<Image>, DataError> {
        let slot = &self.kept[index];
        if let Some(image) = slot.get() {
            return Ok(image.clone());
        }
        let image = self.read(index)?;
        self.keep(slot, &image);
        Ok(image)
    }

    fn label(&self, index: usize) -> u32 {
        self.set.label(index)
    }

    fn weight(&self, index: usize) -> f32 {
        self.set.weight(index)
    }

    fn name(&self, index: usize) -> String {
        self.set.name(index)
    }

    fn prepared(&self) -> Option<&InputSpec> {
        Some(&self.input)
    }
}
