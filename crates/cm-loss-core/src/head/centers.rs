//! Class centers, in and out.

use burn::{
    module::Param,
    tensor::{IndexingUpdateOp, Int, Tensor},
};

use super::{MarginHead, shared::Parts};
use crate::{Error, norm::norm_and_unit, state::beside, targets::first_not_finite};

/// How far each of several centers of a class begins from the mean of the class.
const APART: f64 = 0.1;

/// See [`Head::with_class_centers`](super::Head::with_class_centers).
pub(super) fn with_class_centers<H: Parts>(head: H, centers: Tensor<2>) -> Result<H, Error> {
    check_centers(&centers, head.centers().dims())?;
    Ok(head.exchanged(centers))
}

/// See [`Head::with_class_means`](super::Head::with_class_means). Features and targets are checked.
pub(super) fn with_class_means<H: Parts>(
    head: H,
    features: Tensor<2>,
    targets: Tensor<1, Int>,
) -> Result<H, Error> {
    let classes = head.classes();
    let centers = head.centers().detach();
    let [rows, dim] = centers.dims();
    let device = centers.device();
    let (_, directions) = norm_and_unit(features.detach().to_device(&device));
    let targets = targets.to_device(&device);
    let (targets, directions) = match head.options().ignore_index {
        Some(index) if targets.dims()[0] > 0 => {
            let ignored = targets.clone().equal_scalar(index);
            let all = ignored.clone().unsqueeze_dim::<2>(1).expand(directions.dims());
            (targets.mask_fill(ignored, 0), directions.mask_fill(all, 0.0))
        }
        _ => (targets, directions),
    };
    let dtype = directions.dtype();
    let sums = Tensor::<2>::zeros([classes, dim], (&device, dtype)).select_assign(
        0,
        targets,
        directions,
        IndexingUpdateOp::Add,
    );
    let (lengths, means) = norm_and_unit(sums);
    let each = rows / classes;
    let spread = |of: Tensor<2>| -> Tensor<2> {
        let [_, columns] = of.dims();
        of.unsqueeze_dim::<3>(1).expand([classes, each, columns]).reshape([rows, columns])
    };
    let none = spread(lengths).lower_scalar(1e-6).expand([rows, dim]);
    let mut means = spread(means);
    if each > 1 {
        means = means + norm_and_unit(centers.clone()).1.cast(dtype).mul_scalar(APART);
    }
    with_class_centers(head, means.mask_where(none, centers.cast(dtype)))
}

/// See [`Head::with_new_classes`](super::Head::with_new_classes).
pub(super) fn with_new_classes<H: Parts>(head: H, centers: Tensor<2>) -> Result<H, Error> {
    let known = head.centers();
    let [rows, dim] = known.dims();
    let each = rows / head.classes();
    let [new, columns] = centers.dims();
    if columns != dim || new % each != 0 {
        return Err(Error::CenterShape {
            found: [new, columns],
            expected: [new.next_multiple_of(each), dim],
        });
    }
    if head.knows_classes() {
        return Err(Error::DoesNotCombine {
            what: "new classes",
            with: "class weights, margins for each class or center loss",
            reason: "they have a value for each class, and none for the new ones",
        });
    }
    check_finite(&centers)?;
    let joined = Tensor::cat(vec![known.clone().detach(), beside(centers, &known)], 0);
    Ok(head.exchanged(joined))
}

impl MarginHead {
    /// The same head with these centers of [`CenterLoss`](crate::regularizer::CenterLoss), `[classes, feature_dim]`, as
    /// [`feature_centers`](Self::feature_centers) gives them. Clones of the head get them too.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchState`] without center loss, [`Error::CenterShape`] for another shape, [`Error::CenterNotFinite`] for a
    /// center that is not finite.
    pub fn with_feature_centers(self, centers: Tensor<2>) -> Result<Self, Error> {
        let Some(held) = &self.feature_centers else {
            return Err(Error::NoSuchState { what: "centers of center loss" });
        };
        check_centers(&centers, [Parts::classes(&self), Parts::feature_dim(&self)])?;
        held.centers.set(centers.into_data().iter::<f32>().collect());
        Ok(self)
    }
}

/// Gives a parameter another value, in its format, on its device, and with or without a gradient as before.
pub(super) fn replace<const D: usize>(parameter: &mut Param<Tensor<D>>, value: Tensor<D>) {
    let before = parameter.val();
    *parameter = parameter.clone().map(|_| beside(value, &before).set_require_grad(before.is_require_grad()));
}

fn check_centers(centers: &Tensor<2>, expected: [usize; 2]) -> Result<(), Error> {
    let found = centers.dims();
    if found != expected {
        return Err(Error::CenterShape { found, expected });
    }
    check_finite(centers)
}

fn check_finite(centers: &Tensor<2>) -> Result<(), Error> {
    match first_not_finite(centers) {
        Some((row, column, value)) => Err(Error::CenterNotFinite { row, column, value }),
        None => Ok(()),
    }
}
