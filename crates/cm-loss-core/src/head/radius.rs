//! Norms, cosines and radii: what every head with class centers begins with.

use std::ops::Range;

use burn::{
    module::Module,
    tensor::{Bool, DType, Device, Tensor},
};

use super::Saturation;
use crate::{NormMap, NormStatistics, norm::indicator, norm_and_unit};

/// Features in polar coordinates, and unit class centers.
pub(super) struct Polar {
    /// `[batch, 1]`
    pub norms: Tensor<2>,
    /// `[batch, feature_dim]`, each of length 1 or 0.
    pub directions: Tensor<2>,
    /// `[rows, feature_dim]`, each of length 1 or 0.
    pub centers: Tensor<2>,
}

impl Polar {
    pub fn new(features: Tensor<2>, class_centers: Tensor<2>) -> Self {
        let (norms, directions) = norm_and_unit(features);
        let (_, centers) = norm_and_unit(class_centers);
        Self { norms, directions, centers }
    }

    /// With some rows of the centers alone.
    pub fn of_rows(features: Tensor<2>, class_centers: Tensor<2>, rows: Range<usize>) -> Self {
        // A slice of all rows would cost a copy of their gradient.
        let all = rows == (0..class_centers.dims()[0]);
        Self::new(features, if all { class_centers } else { class_centers.slice([rows]) })
    }

    /// `[batch, rows]`
    pub fn cosines(&self) -> Tensor<2> {
        self.directions.clone().matmul(self.centers.clone().transpose())
    }
}

/// A norm map with what it remembers.
#[derive(Module, Debug)]
pub(super) struct Radius {
    statistics: Option<NormStatistics>,
    #[module(skip)]
    map: NormMap,
}

impl Radius {
    pub fn new(map: &NormMap, feature_dim: usize, device: &Device) -> Self {
        Self { statistics: map.statistics(device), map: map.for_features(feature_dim) }
    }

    /// What it remembers.
    pub fn statistics(&self) -> Option<&NormStatistics> {
        self.statistics.as_ref()
    }

    /// Whether it remembers anything.
    pub fn remembers(&self) -> bool {
        self.statistics.is_some()
    }

    /// Takes in the norms `[batch, 1]` of a batch before it is trained on.
    pub fn take_in(&self, norms: &Tensor<2>, ignored: Option<&Tensor<2, Bool>>) {
        if let Some(statistics) = &self.statistics {
            self.map.update_statistics(norms, ignored, statistics);
        }
    }

    /// `[batch, 1]`, for norms `[batch, 1]`.
    pub fn forward(&self, norms: Tensor<2>) -> Tensor<2> {
        self.map.forward(norms, self.statistics.as_ref())
    }

    /// `[batch, 1]`, for norms `[batch, 1]` of a batch that is trained on.
    pub fn of_batch(&self, norms: Tensor<2>, ignored: Option<&Tensor<2, Bool>>) -> Tensor<2> {
        self.map.of_batch(norms, ignored, self.statistics.as_ref())
    }

    /// See [`Head::saturation`](super::Head::saturation).
    pub fn saturation(&self, norms: Tensor<1>) -> Option<Saturation> {
        let [count] = norms.dims();
        if count == 0 {
            return None;
        }
        let norms = norms.detach().unsqueeze_dim(1);
        let slope = self.map.relative_slope(norms.clone(), self.statistics.as_ref())?;
        let flat = indicator(slope.lower_scalar(Saturation::FLAT), DType::F32).mean().into_scalar::<f32>();
        let mean_norm = norms.mean().into_scalar::<f32>();
        Some(Saturation { share: f64::from(flat), mean_norm: f64::from(mean_norm) })
    }
}
