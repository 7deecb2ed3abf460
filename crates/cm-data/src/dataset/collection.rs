//! The images of a data set.

use std::sync::Arc;

use crate::{Collection, DataError, Image, ImageSet};

impl ImageSet for Collection {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn image(&self, index: usize) -> Result<Arc<Image>, DataError> {
        Collection::image(self, index).map(Arc::new)
    }

    fn label(&self, index: usize) -> u32 {
        self.items[index].label
    }

    fn weight(&self, index: usize) -> f32 {
        self.items[index].weight
    }

    fn name(&self, index: usize) -> String {
        self.items[index].file.clone()
    }
}
