//! Sets after one another.

use std::sync::Arc;

use crate::{DataError, Image, ImageSet};

/// The images of several sets, those of the first set first. None of them may be preprocessed already.
pub struct Joined {
    sets: Vec<Arc<dyn ImageSet>>,
    /// Where each set begins, and the number of all images.
    starts: Vec<usize>,
}

impl Joined {
    /// The sets in their order.
    ///
    /// # Panics
    ///
    /// If a set is preprocessed already: what holds for one would be said of all.
    pub fn new(sets: Vec<Arc<dyn ImageSet>>) -> Self {
        assert!(
            sets.iter().all(|set| set.prepared().is_none()),
            "sets are joined before they are preprocessed"
        );
        let mut starts = vec![0];
        for set in &sets {
            starts.push(starts[starts.len() - 1] + set.len());
        }
        Self { sets, starts }
    }

    /// The set that an image is in, and its place there.
    fn place(&self, index: usize) -> (&dyn ImageSet, usize) {
        assert!(index < self.len(), "there is no image {index} among {}", self.len());
        let at = self.starts.partition_point(|&start| start <= index) - 1;
        (&*self.sets[at], index - self.starts[at])
    }
}

impl ImageSet for Joined {
    fn len(&self) -> usize {
        self.starts[self.sets.len()]
    }

    fn image(&self, index: usize) -> Result<Arc<Image>, DataError> {
        let (set, index) = self.place(index);
        set.image(index)
    }

    fn label(&self, index: usize) -> u32 {
        let (set, index) = self.place(index);
        set.label(index)
    }

    fn weight(&self, index: usize) -> f32 {
        let (set, index) = self.place(index);
        set.weight(index)
    }

    fn name(&self, index: usize) -> String {
        let (set, index) = self.place(index);
        set.name(index)
    }
}
