//! Samples that do not lie with their class.

use burn::tensor::{Int, Tensor};

use super::{MarginHead, radius::Polar};
use crate::{
    Error,
    targets::{check_classes, check_shapes},
};

/// What the sub-centers of a head say about a data set.
///
/// With several centers a class, most samples of a class gather at one, its dominant center; those at another center, and
/// those far from the dominant one, are often mislabeled.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SubCenterOutliers {
    /// The dominant center of each class, from 0 to `sub_centers − 1`: that nearest to most of its samples. `None` for a
    /// class without samples.
    pub dominant: Vec<Option<usize>>,
    /// Angle of each sample with the dominant center of its class, in radians; `None` for an ignored sample.
    pub angles: Vec<Option<f64>>,
    /// Samples farther from the dominant center of their class than the angle asked for, in ascending order.
    pub outliers: Vec<usize>,
}

/// Rows for which the distances are computed at a time.
const ROWS: usize = 4096;

impl MarginHead {
    /// Lists the samples that lie more than `angle` (in radians; 75° = 1.309 is usual) from the dominant center of their
    /// class.
    ///
    /// From J. Deng et al., "Sub-center ArcFace", ECCV 2020. With one center a class that one is dominant.
    ///
    /// # Shapes
    ///
    /// - features: `[samples, feature_dim]`, of a whole data set
    /// - targets: `[samples]`
    ///
    /// # Errors
    ///
    /// [`Error::FeatureDim`], [`Error::TargetCount`] or [`Error::TargetOutOfRange`] for input that does not fit the head.
    pub fn sub_center_outliers(
        &self,
        features: Tensor<2>,
        targets: Tensor<1, Int>,
        angle: f64,
    ) -> Result<SubCenterOutliers, Error> {
        let [_, feature_dim] = self.class_centers.dims();
        let ignore_index = self.config.options.ignore_index;
        check_shapes(&features, &targets, feature_dim)?;
        check_classes(&targets, self.classes(), ignore_index)?;
        let classes: Vec<i64> = targets.into_data().iter::<i64>().collect();
        let counted: Vec<Option<usize>> =
            classes.into_iter().map(|y| (Some(y) != ignore_index).then_some(y as usize)).collect();
        let cosines = self.own_cosines(features, &counted);

        let centers = self.config.sub_centers;
        let mut votes = vec![vec![0usize; centers]; self.classes()];
        for (cosines, class) in cosines.iter().zip(&counted) {
            if let Some(class) = class {
                votes[*class][largest(cosines)] += 1;
            }
        }
        let dominant: Vec<Option<usize>> =
            votes.iter().map(|votes| votes.iter().any(|&count| count > 0).then(|| largest(votes))).collect();
        let angle_of = |(cosines, class): (&Vec<f32>, &Option<usize>)| {
            let center = (*class).and_then(|class| dominant[class])?;
            Some(f64::from(cosines[center]).clamp(-1.0, 1.0).acos())
        };
        let angles: Vec<Option<f64>> = cosines.iter().zip(&counted).map(angle_of).collect();
        let outliers = (0..angles.len()).filter(|&i| angles[i].is_some_and(|found| found > angle)).collect();
        Ok(SubCenterOutliers { dominant, angles, outliers })
    }

    /// The cosines of each sample with the centers of its own class.
    fn own_cosines(&self, features: Tensor<2>, classes: &[Option<usize>]) -> Vec<Vec<f32>> {
        let count = self.config.sub_centers;
        let mut found = Vec::with_capacity(classes.len());
        for start in (0..classes.len()).step_by(ROWS) {
            let rows = start..(start + ROWS).min(classes.len());
            let block = features.clone().detach().slice([rows.clone()]);
            let polar = Polar::new(block, self.class_centers.val().detach());
            let [batch, feature_dim] = polar.directions.dims();
            let first = classes[rows].iter().map(|class| (class.unwrap_or(0) * count) as i32);
            let centers: Vec<i32> =
                first.flat_map(|first| (0..count as i32).map(move |k| first + k)).collect();
            let centers = Tensor::<1, Int>::from_data(&centers[..], &features.device());
            let centers: Tensor<3> = polar.centers.select(0, centers).reshape([batch, count, feature_dim]);
            let cosines = (centers * polar.directions.unsqueeze_dim(1)).sum_dim(2).into_data();
            let cosines: Vec<f32> = cosines.iter::<f32>().collect();
            found.extend(cosines.chunks(count).map(<[f32]>::to_vec));
        }
        found
    }
}

/// The first place of the largest value.
fn largest<T: PartialOrd>(values: &[T]) -> usize {
    let better = |best: usize, i: usize| if values[i] > values[best] { i } else { best };
    (1..values.len()).fold(0, better)
}
