//! Labeled images, wherever they come from.

mod cached;
mod collection;
mod joined;
mod memory;
mod subset;

use std::sync::Arc;

use fast_image_resize::Resizer;

pub use cached::Cached;
pub use joined::Joined;
pub use memory::MemorySet;
pub use subset::Subset;

use crate::{DataError, Image, InputSpec, resize::prepare};

/// Images with labels, weights and names. An image is the same whenever it is asked for.
///
/// # Panics
///
/// Every method that takes an index may panic if there is no image of that index.
pub trait ImageSet: Send + Sync {
    /// Number of images.
    fn len(&self) -> usize;

    /// Reads one image. Several threads do so at the same time.
    ///
    /// # Errors
    ///
    /// What is wrong with the image; the message names it.
    fn image(&self, index: usize) -> Result<Arc<Image>, DataError>;

    /// Class of an image.
    fn label(&self, index: usize) -> u32;

    /// How much an image counts in a loss.
    fn weight(&self, _index: usize) -> f32 {
        1.0
    }

    /// What messages call an image: its file, where it has one.
    fn name(&self, index: usize) -> String;

    /// Whether there is no image.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The preprocessing that the images had already, if any.
    fn prepared(&self) -> Option<&InputSpec> {
        None
    }
}

/// An image of a set after the region, the channels and the size of `input`; errors name the
/// image.
pub(crate) fn prepared_image(
    set: &dyn ImageSet,
    index: usize,
    input: &InputSpec,
    resizer: &mut Resizer,
) -> Result<Arc<Image>, DataError> {
    let image = set.image(index)?;
    if set.prepared().is_some() {
        return Ok(image);
    }
    match prepare(&image, input, resizer) {
        Ok(prepared) => Ok(prepared.map_or(image, Arc::new)),
        Err(source) => Err(DataError::InImage { name: set.name(index), source: Box::new(source) }),
    }
}

/// [`DataError::Setting`] if the set's images were made for other inputs.
pub(crate) fn check_prepared(set: &dyn ImageSet, input: &InputSpec) -> Result<(), DataError> {
    match set.prepared() {
        Some(prepared) if !prepared.makes_the_same_pixels(input) => Err(DataError::Setting {
            name: "input",
            value: format!("{input:?}"),
            reason: "the images were cached after another preprocessing; cache them for this one",
        }),
        _ => Ok(()),
    }
}
