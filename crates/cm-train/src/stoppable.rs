//! Images that are no longer read once somebody asked for a stop.

use std::sync::Arc;

use burn::train::Interrupter;
use cm_data::{DataError, Image, ImageSet, InputSpec};

/// A set whose images are [`DataError::Stopped`] after a stop: what is made ahead of a network, hundreds of large photographs
/// perhaps, is then not made to the end.
pub struct Stoppable {
    /// The images.
    pub set: Arc<dyn ImageSet>,
    /// Who is asked.
    pub interrupter: Interrupter,
}

impl ImageSet for Stoppable {
    fn len(&self) -> usize {
        self.set.len()
    }

    fn image(&self, index: usize) -> Result<Arc<Image>, DataError> {
        if self.interrupter.should_stop() {
            return Err(DataError::Stopped);
        }
        self.set.image(index)
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
        self.set.prepared()
    }
}
