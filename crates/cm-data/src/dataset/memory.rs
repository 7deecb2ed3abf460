//! Images in memory.

use std::sync::Arc;

use crate::{DataError, Image, ImageSet};

/// Labeled images in memory. They need not have the same size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemorySet {
    /// The images; a copy of the set shares them.
    pub images: Vec<Arc<Image>>,
    /// Class of each image.
    pub labels: Vec<u32>,
    /// Name of each image; none at all where messages may call an image by its position.
    pub names: Vec<String>,
}

impl MemorySet {
    /// Gray images of one size whose pixels are given image after image, as in an IDX file.
    ///
    /// # Panics
    ///
    /// If there are not `width · height` pixels for each label.
    pub fn gray(width: usize, height: usize, pixels: &[u8], labels: Vec<u32>) -> Self {
        let area = width * height;
        assert_eq!(
            pixels.len(),
            area * labels.len(),
            "each label needs an image of {width} x {height} pixels"
        );
        let image = |i| Image { width, height, channels: 1, pixels: pixels[i * area..][..area].to_vec() };
        let images = (0..labels.len()).map(|i| Arc::new(image(i))).collect();
        Self { images, labels, names: Vec::new() }
    }

    /// `count` of the images, spread evenly over the set, in their order; all if there are not
    /// more.
    ///
    /// The front of a set is not always like the rest: MNIST's first 5,000 test images are the
    /// easier ones.
    pub fn thinned(&self, count: usize) -> Self {
        let count = count.min(self.images.len());
        let kept = || (0..count).map(|i| i * self.images.len() / count);
        Self {
            images: kept().map(|i| self.images[i].clone()).collect(),
            labels: kept().map(|i| self.labels[i]).collect(),
            names: if self.names.is_empty() {
                Vec::new()
            } else {
                kept().map(|i| self.names[i].clone()).collect()
            },
        }
    }
}

impl ImageSet for MemorySet {
    fn len(&self) -> usize {
        self.images.len()
    }

    fn image(&self, index: usize) -> Result<Arc<Image>, DataError> {
        Ok(self.images[index].clone())
    }

    fn label(&self, index: usize) -> u32 {
        self.labels[index]
    }

    fn name(&self, index: usize) -> String {
        self.names.get(index).cloned().unwrap_or_else(|| format!("image {index}"))
    }
}
