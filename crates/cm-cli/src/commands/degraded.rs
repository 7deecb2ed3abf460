//! Copies of good images at known severities.

use std::sync::Arc;

use cm_data::{DataError, Degradation, Image, ImageSet, InputSpec, SEVERITIES, degrade};

/// Seed of what becomes of each image.
const SEED: u64 = 0;

/// Each image of a set five times, untouched and at the severities 1 to 4 of one kind.
pub struct DegradedSet(Arc<dyn ImageSet>);

impl DegradedSet {
    /// What the known quality is, in words.
    pub const TARGET: &str = "copies degraded at five severities";

    /// Copies of the images of a set. Those that are preprocessed already are degraded as the network would see them, so that a
    /// severity is the same for images of every size.
    pub fn new(set: Arc<dyn ImageSet>) -> Self {
        Self(set)
    }

    /// The known quality of a copy, from 0 for the worst to 1 for an untouched one, and the image that it is of.
    pub fn quality(index: usize) -> (f64, usize) {
        let severity = index % SEVERITIES;
        (1.0 - severity as f64 / (SEVERITIES - 1) as f64, index / SEVERITIES)
    }
}

impl ImageSet for DegradedSet {
    fn len(&self) -> usize {
        self.0.len() * SEVERITIES
    }

    fn image(&self, index: usize) -> Result<Arc<Image>, DataError> {
        let image = self.0.image(index / SEVERITIES)?;
        let severity = (index % SEVERITIES) as u8;
        Ok(match severity {
            0 => image,
            _ => Arc::new(degrade(&image, Degradation::Mixed, severity, SEED, (index / SEVERITIES) as u64)),
        })
    }

    fn label(&self, index: usize) -> u32 {
        self.0.label(index / SEVERITIES)
    }

    fn name(&self, index: usize) -> String {
        format!("{} at severity {}", self.0.name(index / SEVERITIES), index % SEVERITIES)
    }

    fn prepared(&self) -> Option<&InputSpec> {
        self.0.prepared()
    }
}
