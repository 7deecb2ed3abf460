//! Grey images in memory.

/// Grey images of one size, each with its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledImages {
    /// Height in pixels.
    pub rows: usize,
    /// Width in pixels.
    pub cols: usize,
    /// Pixels from 0 (black) to 255 (white), image after image, row after row.
    pub pixels: Vec<u8>,
    /// Class of each image.
    pub labels: Vec<u8>,
}

impl LabelledImages {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Pixels of one image.
    ///
    /// # Panics
    ///
    /// If there is no image `index`.
    pub fn image(&self, index: usize) -> &[u8] {
        let size = self.rows * self.cols;
        &self.pixels[index * size..(index + 1) * size]
    }

    /// `count` of the images, spread evenly over the set, in their order; all if there are not more.
    ///
    /// The front of a set is not always like the rest: MNIST's first 5,000 test images are the easier ones.
    pub fn thinned(&self, count: usize) -> Self {
        let count = count.min(self.len());
        let kept: Vec<usize> = (0..count).map(|i| i * self.len() / count).collect();
        Self {
            rows: self.rows,
            cols: self.cols,
            pixels: kept.iter().flat_map(|&i| self.image(i)).copied().collect(),
            labels: kept.iter().map(|&i| self.labels[i]).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_images_from_the_whole_set_with_their_labels() {
        let images =
            LabelledImages { rows: 1, cols: 2, pixels: (0..20).collect(), labels: (0..10).collect() };
        let thinned = images.thinned(4);
        assert_eq!(thinned.labels, [0, 2, 5, 7]);
        assert_eq!(thinned.image(2), [10, 11]);
        assert_eq!(images.thinned(100), images);
        assert!(images.thinned(0).is_empty());
    }
}
