//! What is reached without a network: pixels, and their principal components.

use burn::{
    linalg::svd,
    tensor::{Tensor, TensorData},
};
use cm_data::{DataError, Image, ImageSet, Pair};
use cm_train::{Error, device::Backend};
use image::{GrayImage, imageops};

use crate::vectors::{dot, unit};

/// Height and width of the gray images that are compared.
const SIDE: usize = 24;
/// Principal components that are kept.
const COMPONENTS: usize = 80;
/// Images that the components are of, at most.
const LEARNED: usize = 4000;
/// How often the decomposition may try to converge.
const SWEEPS: usize = 60;

/// Names of the rows.
pub const PIXELS: &str = "pixels";
pub const PCA: &str = "PCA";

/// Mean and principal components of faces.
pub struct Eigenfaces {
    mean: Vec<f32>,
    /// `[components][pixels]`, each divided by the deviation along it.
    components: Vec<Vec<f32>>,
}

/// Gray levels of an image, small, with mean 0 and length 1.
fn small(image: &Image) -> Vec<f32> {
    let gray = image.to_gray();
    let buffer = GrayImage::from_raw(gray.width as u32, gray.height as u32, gray.pixels);
    let buffer = buffer.unwrap_or_else(|| unreachable!("an image has its pixels"));
    let small = imageops::resize(&buffer, SIDE as u32, SIDE as u32, imageops::FilterType::Triangle);
    let mut values: Vec<f32> = small.into_raw().into_iter().map(f32::from).collect();
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    values.iter_mut().for_each(|value| *value -= mean);
    unit(values)
}

impl Eigenfaces {
    /// Of images spread evenly over a set.
    ///
    /// From M. Turk, A. Pentland, "Eigenfaces for Recognition", Journal of Cognitive Neuroscience 3 (1991); components are divided by
    /// the deviation along them, as is usual.
    ///
    /// # Errors
    ///
    /// An image that cannot be read, and a backend that is not there.
    pub fn learn(set: &dyn ImageSet) -> Result<Self, Error> {
        let step = set.len().div_ceil(LEARNED).max(1);
        let rows: Vec<Vec<f32>> = (0..set.len())
            .step_by(step)
            .map(|i| set.image(i).map(|image| small(&image)))
            .collect::<Result<_, _>>()?;
        let (count, dim) = (rows.len(), SIDE * SIDE);
        let device = Backend::choose(None)?.device()?;
        let data = Tensor::<2>::from_data(TensorData::new(rows.concat(), [count, dim]), &device);
        let mean = data.clone().mean_dim(0);
        let centered = data - mean.clone();
        let covariance = centered.clone().transpose().matmul(centered) / count as f64;
        let (directions, variances, _) = svd::<2, 1>(covariance, SWEEPS);
        let values = |tensor: Tensor<2>| tensor.into_data().iter::<f32>().collect::<Vec<f32>>();
        let directions = values(directions.transpose());
        let variances: Vec<f32> = variances.into_data().iter::<f32>().collect();
        let kept = COMPONENTS.min(count.saturating_sub(1)).max(1);
        let component = |(direction, variance): (&[f32], &f32)| {
            let deviation = variance.max(1e-12).sqrt();
            direction.iter().map(|value| value / deviation).collect()
        };
        let components = directions.chunks_exact(dim).zip(&variances).take(kept).map(component).collect();
        Ok(Self { mean: values(mean), components })
    }

    fn project(&self, pixels: &[f32]) -> Vec<f32> {
        let along = |component: &Vec<f32>| {
            component.iter().zip(pixels).zip(&self.mean).map(|((c, x), mean)| c * (x - mean)).sum()
        };
        unit(self.components.iter().map(along).collect())
    }

    /// The scores of pairs of images of a set, by pixels and by principal components.
    ///
    /// # Errors
    ///
    /// An image that cannot be read.
    pub fn scores(&self, pairs: &[Pair], set: &dyn ImageSet) -> Result<[Vec<f64>; 2], DataError> {
        let (mut by_pixels, mut by_components) = (Vec::new(), Vec::new());
        for pair in pairs {
            let [first, second] = pair.images.map(|image| set.image(image).map(|image| small(&image)));
            let (first, second) = (first?, second?);
            by_pixels.push(dot(&first, &second));
            by_components.push(dot(&self.project(&first), &self.project(&second)));
        }
        Ok([by_pixels, by_components])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::applications::faces::synthetic::faces;

    #[test]
    fn principal_components_tell_drawn_people_apart_better_than_chance() {
        let faces = faces(60, 32, 0);
        let learned = cm_data::Subset::new(faces.images.clone(), faces.train.clone());
        let eigenfaces = Eigenfaces::learn(&learned).expect("they are in memory");
        let same: Vec<bool> = faces.pairs.iter().map(|pair| pair.same).collect();
        let scores = eigenfaces.scores(&faces.pairs, faces.images.as_ref()).expect("they are in memory");
        for scores in scores {
            let area = cm_eval::auc(&scores, &same).expect("pairs of both kinds");
            assert!(area > 0.6, "{area}");
        }
        // Along every component the learned faces vary alike.
        let spread = |component: usize| {
            let values: Vec<f32> = (0..learned.len())
                .map(|i| {
                    let pixels = small(&learned.image(i).expect("it is in memory"));
                    let centered = pixels.iter().zip(&eigenfaces.mean).map(|(x, mean)| x - mean);
                    eigenfaces.components[component].iter().zip(centered).map(|(c, x)| c * x).sum()
                })
                .collect();
            values.iter().map(|value| value * value).sum::<f32>() / values.len() as f32
        };
        for component in [0, 5, 20] {
            assert!((spread(component) - 1.0).abs() < 0.05, "{}", spread(component));
        }
    }
}
