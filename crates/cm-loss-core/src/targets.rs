//! The targets of a batch, checked, and which of its samples count.

use burn::tensor::{Bool, Int, Tensor};

use crate::{Error, LossOptions, backend::Backend};

/// What a head knows of its batch beside the features.
pub(crate) struct Targets {
    /// A column of the logits for each sample, `[batch, 1]`; 0 for an ignored one.
    pub columns: Tensor<2, Int>,
    /// Which samples do not count, `[batch, 1]`; `None` where all do.
    pub ignored: Option<Tensor<2, Bool>>,
}

impl Targets {
    /// # Panics
    ///
    /// If the shapes do not fit, or, on a CPU, if a target is no class.
    pub fn new(
        features: &Tensor<2>,
        targets: Tensor<1, Int>,
        feature_dim: usize,
        classes: usize,
        options: &LossOptions,
    ) -> Self {
        let checked = check_shapes(features, &targets, feature_dim).and_then(|()| {
            // Elsewhere the host would have to wait for the device.
            match Backend::of(&targets.device()) {
                Some(backend) if backend.is_cpu() => check_classes(&targets, classes, options.ignore_index),
                _ => Ok(()),
            }
        });
        if let Err(error) = checked {
            panic!("{error}");
        }
        let columns: Tensor<2, Int> = targets.unsqueeze_dim(1);
        match options.ignore_index {
            None => Self { columns, ignored: None },
            Some(index) => {
                let ignored = columns.clone().equal_scalar(index);
                Self { columns: columns.mask_fill(ignored.clone(), 0), ignored: Some(ignored) }
            }
        }
    }

    /// Values `[batch, 1]` with 0 for the samples that do not count.
    pub fn counting(&self, values: Tensor<2>) -> Tensor<2> {
        self.with_ignored(values, 0.0)
    }

    /// Values `[batch, 1]` with another in the place of those of samples that do not count.
    pub fn with_ignored(&self, values: Tensor<2>, other: f32) -> Tensor<2> {
        match &self.ignored {
            Some(ignored) => values.mask_fill(ignored.clone(), other),
            None => values,
        }
    }

    /// The same without the samples whose norm `[batch, 1]` is not finite: one step that fails must not spoil what is
    /// remembered.
    pub fn with_finite(&self, norms: &Tensor<2>) -> Self {
        Self { columns: self.columns.clone(), ignored: Some(not_finite(norms, self.ignored.as_ref())) }
    }

    /// The classes, `[batch]`; 0 for an ignored sample.
    pub fn classes(&self) -> Tensor<1, Int> {
        self.columns.clone().squeeze_dim(1)
    }
}

/// The samples that nothing remembers, `[batch, 1]`: those ignored, and those whose norm `[batch, 1]` is NaN, infinite, or so
/// large that its square is. Features of such a length come from a network that has diverged.
pub(crate) fn not_finite(norms: &Tensor<2>, ignored: Option<&Tensor<2, Bool>>) -> Tensor<2, Bool> {
    // Of NaN every comparison is false.
    let unbounded = norms.clone().detach().lower_scalar(1e18).bool_not();
    match ignored {
        Some(ignored) => unbounded.bool_or(ignored.clone()),
        None => unbounded,
    }
}

/// `Ok` if there is a target for each feature, and features have as many dimensions as the head.
pub(crate) fn check_shapes(
    features: &Tensor<2>,
    targets: &Tensor<1, Int>,
    feature_dim: usize,
) -> Result<(), Error> {
    let [batch, columns] = features.dims();
    let [count] = targets.dims();
    if columns != feature_dim {
        return Err(Error::FeatureDim { columns, feature_dim });
    }
    if count != batch {
        return Err(Error::TargetCount { targets: count, features: batch });
    }
    Ok(())
}

/// `Ok` if every target is a class or the index to ignore. Reads the targets back from the device.
pub(crate) fn check_classes(
    targets: &Tensor<1, Int>,
    classes: usize,
    ignore_index: Option<i64>,
) -> Result<(), Error> {
    let allowed = 0..classes as i64;
    let targets = targets.to_data();
    let wrong = targets
        .iter::<i64>()
        .enumerate()
        .find(|(_, target)| !allowed.contains(target) && Some(*target) != ignore_index);
    match wrong {
        Some((index, target)) => Err(Error::TargetOutOfRange { index, target, classes }),
        None => Ok(()),
    }
}

/// `Ok` if every feature is finite. Reads a number of each sample back from the device.
pub(crate) fn check_finite(features: &Tensor<2>) -> Result<(), Error> {
    match first_not_finite(features) {
        Some((row, column, value)) => Err(Error::NotFinite { row, column, value }),
        None => Ok(()),
    }
}

/// The first value that is not finite, with its row and column.
pub(crate) fn first_not_finite(matrix: &Tensor<2>) -> Option<(usize, usize, f32)> {
    let matrix = matrix.clone().detach();
    // A row with an infinite or undefined value has such a sum; a finite row may as well.
    let sums = matrix.clone().abs().sum_dim(1).into_data();
    sums.iter::<f32>().enumerate().filter(|(_, sum)| !sum.is_finite()).find_map(|(row, _)| {
        let values = matrix.clone().narrow(0, row, 1).into_data();
        let (column, value) = values.iter::<f32>().enumerate().find(|(_, value)| !value.is_finite())?;
        Some((row, column, value))
    })
}
