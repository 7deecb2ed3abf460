//! Some images of a set.

use std::sync::Arc;

use crate::{DataError, Image, ImageSet, InputSpec};

/// Some of a set's images, in an order of their own; an image may be in it more than once.
#[derive(Clone)]
pub struct Subset {
    set: Arc<dyn ImageSet>,
    indices: Arc<[usize]>,
}

impl Subset {
    /// Images `indices` of `set`.
    ///
    /// # Panics
    ///
    /// If the set does not have one of them.
    pub fn new(set: Arc<dyn ImageSet>, indices: impl Into<Arc<[usize]>>) -> Self {
        let indices = indices.into();
        let count = set.len();
        if let Some(index) = indices.iter().find(|&&index| index >= count) {
            panic!("there is no image {index} among {count}");
        }
        Self { set, indices }
    }

    /// Positions of the images in the whole set.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }
}

impl ImageSet for Subset {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn image(&self, index: usize) -> Result<Arc<Image>, DataError> {
        self.set.image(self.indices[index])
    }

    fn label(&self, index: usize) -> u32 {
        self.set.label(self.indices[index])
    }

    fn weight(&self, index: usize) -> f32 {
        self.set.weight(self.indices[index])
    }

    fn name(&self, index: usize) -> String {
        self.set.name(self.indices[index])
    }

    fn prepared(&self) -> Option<&InputSpec> {
        self.set.prepared()
    }
}
