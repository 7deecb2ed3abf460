//! The operation composed of others, for any backend: a block of classes at a time.

use std::ops::Range;

use burn::{
    backend::{
        Backend, TensorMetadata,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{IntDType, Shape, Slice},
};

use super::{
    extension::{Chosen, Inputs, Others, Plan},
    matrix::{Mask, Matrix},
};
use crate::{all_classes::EXCLUDED, norm::LEAST};

/// A block of classes.
struct Block<B: Backend> {
    classes: Range<usize>,
    /// The rows of the centers where classes were chosen.
    rows: Option<IntTensor<B>>,
    /// Unit centers `[rows, dim]`, the inverse of their norms `[rows, 1]`, cosines with them `[batch, rows]`.
    units: Matrix<B>,
    inverses: Matrix<B>,
    of_centers: Matrix<B>,
    /// Cosines with the classes `[batch, classes]`, and which center that is, of several.
    cosines: Matrix<B>,
    nearest: Option<IntTensor<B>>,
    /// Where a sample meets its own class.
    own: Mask<B>,
}

impl<B: Backend> Inputs<B> {
    fn ints(&self) -> IntDType {
        self.targets.dtype().into()
    }

    fn blocks(&self) -> impl Iterator<Item = Range<usize>> + use<B> {
        let Plan { classes, block, .. } = self.plan;
        (0..classes).step_by(block).map(move |start| start..classes.min(start + block))
    }

    /// Whole numbers that follow one another along each of so many rows.
    fn along_rows(&self, numbers: Range<usize>, rows: usize) -> IntTensor<B> {
        let count = numbers.len();
        let numbers =
            B::int_arange(numbers.start as i64..numbers.end as i64, &self.targets.device(), self.ints());
        B::int_expand(B::int_reshape(numbers, Shape::from([1, count])), Shape::from([rows, count]))
    }

    /// The rows of a block's centers where classes were chosen.
    fn chosen_rows(&self, classes: &Range<usize>) -> Option<IntTensor<B>> {
        let Chosen::These { classes: chosen } = self.chosen.clone() else { return None };
        let (count, each) = (classes.len(), self.plan.each);
        let chosen = B::int_slice(chosen, &[Slice::from(classes.clone())]);
        let first = B::int_mul_scalar(B::int_reshape(chosen, Shape::from([count, 1])), (each as i64).into());
        let first = B::int_expand(first, Shape::from([count, each]));
        let rows = B::int_add(first, self.along_rows(0..each, count));
        Some(B::int_reshape(rows, Shape::from([count * each])))
    }

    fn block(&self, classes: Range<usize>) -> Block<B> {
        let (count, each) = (classes.len(), self.plan.each);
        let (u, w) = (Matrix::<B>(self.u.clone()), Matrix::<B>(self.w.clone()));
        let [batch, _] = u.dims();
        let rows = self.chosen_rows(&classes);
        let centers = match &rows {
            Some(rows) => w.select(rows.clone()),
            None => w.rows(classes.start * each..classes.end * each),
        };
        let (units, inverses) = directions(centers);
        let of_centers = u.matmul(units.clone().transpose());
        let (cosines, nearest) = match each {
            1 => (of_centers.clone(), None),
            _ => {
                let (largest, nearest) =
                    of_centers.clone().reshape([batch * count, each]).largest(self.ints());
                (largest.reshape([batch, count]), Some(nearest))
            }
        };
        let targets = B::int_expand(self.targets.clone(), Shape::from([batch, count]));
        let own = Mask::equal(targets, self.along_rows(classes.clone(), batch));
        Block { classes, rows, units, inverses, of_centers, cosines, nearest, own }
    }

    /// `T` of the cosines of the other classes, 0 for a sample's own, and its derivative where that is not 1.
    fn shaped(&self, block: &Block<B>) -> (Matrix<B>, Option<Matrix<B>>) {
        let curve = self.plan.curve;
        let cosines = block.cosines.clone().fill(block.own.clone(), curve.zero());
        let Others::Bent { beyond, curriculum } = &self.others else { return (cosines, None) };
        let ([batch, count], device) = (cosines.dims(), cosines.device());
        let bent = cosines.greater(&Matrix(beyond.clone()).expand([batch, count]));
        let column = |value: f32| Matrix::full([1, 1], value, &device);
        let along = |factor: f32, constant: f32| {
            let moving = Matrix(curriculum.clone()).add(column(constant));
            cosines.clone().mul(column(factor)).add(moving)
        };
        let parabola = along(curve.square, curve.linear).mul(cosines.clone()).add(column(curve.constant));
        let slope = along(curve.slope_linear, curve.slope_constant);
        let shaped = cosines.clone().mul(column(curve.before)).replace(bent.clone(), parabola);
        let before = Matrix::full([batch, count], curve.before, &device);
        (shaped, Some(before.replace(bent, slope)))
    }
}

/// Unit rows and the inverse of their norms, as [`norm_and_unit`](crate::norm_and_unit) has them.
fn directions<B: Backend>(rows: Matrix<B>) -> (Matrix<B>, Matrix<B>) {
    let largest = rows.clone().largest_magnitude();
    let zero = largest.lower(LEAST as f32);
    let inverse_of_largest = largest.at_least(LEAST as f32).recip().fill(zero, 0.0);
    let scaled = rows.mul(inverse_of_largest.clone());
    let inverse = scaled.clone().mul(scaled.clone()).sum_rows().at_least(0.5).sqrt().recip();
    (scaled.mul(inverse.clone()), inverse.mul(inverse_of_largest))
}

/// See [`over_classes`](super::extension::ManyClasses::over_classes).
pub fn over_classes<B: Backend>(inputs: &Inputs<B>) -> (FloatTensor<B>, IntTensor<B>) {
    let radii = Matrix::<B>(inputs.radii.clone());
    let ([batch, _], device) = (radii.dims(), radii.device());
    let column = |value| Matrix::<B>::full([batch, 1], value, &device);
    let (mut largest, mut exponentials) = (column(EXCLUDED), column(0.0));
    let (mut target, mut sum, mut best) = (column(0.0), column(0.0), column(f32::MIN));
    let mut best_class = B::int_zeros(Shape::from([batch, 1]), &inputs.targets.device(), inputs.ints());
    for classes in inputs.blocks() {
        let block = inputs.block(classes);
        let (found, places) = block.cosines.clone().largest(inputs.ints());
        let better = found.greater(&best);
        best = best.replace(better.clone(), found);
        best_class =
            better.choose(best_class, B::int_add_scalar(places, (block.classes.start as i64).into()));
        target = target.add(block.cosines.clone().fill(block.own.clone().not(), 0.0).sum_rows());
        let (shaped, _) = inputs.shaped(&block);
        sum = sum.add(shaped.clone().sum_rows());
        let logits = shaped.mul(radii.clone()).fill(block.own, EXCLUDED);
        let (of_block, _) = logits.clone().largest(inputs.ints());
        let before = largest.clone();
        largest = largest.replace(of_block.greater(&before), of_block);
        exponentials = exponentials
            .mul(before.sub(largest.clone()).exp())
            .add(logits.sub(largest.clone()).exp().sum_rows());
    }
    // Without a negative the sum is 0, whose logarithm a backend may not know.
    let none = exponentials.lower(f32::MIN_POSITIVE);
    let log_sum = largest.clone().add(exponentials.at_least(f32::MIN_POSITIVE).log()).fill(none, EXCLUDED);
    let columns = Matrix::beside(vec![log_sum, target, sum, largest]);
    (columns.0, B::int_reshape(best_class, Shape::from([batch])))
}

/// See [`over_classes_gradients`](super::extension::ManyClasses::over_classes_gradients).
pub fn gradients<B: Backend>(
    inputs: &Inputs<B>,
    log_sum: FloatTensor<B>,
    dy: FloatTensor<B>,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let (u, w) = (Matrix::<B>(inputs.u.clone()), Matrix::<B>(inputs.w.clone()));
    let (radii, log_sum, dy) = (Matrix::<B>(inputs.radii.clone()), Matrix::<B>(log_sum), Matrix::<B>(dy));
    let [by_log_sum, by_target, by_sum] = [0, 1, 2].map(|column| dy.column(column));
    let device = u.device();
    let mut by_u = Matrix::full(u.dims(), 0.0, &device);
    let mut by_w = Matrix::full(w.dims(), 0.0, &device);
    let mut by_radii = Matrix::full(radii.dims(), 0.0, &device);
    let each = inputs.plan.each;
    for classes in inputs.blocks() {
        let block = inputs.block(classes);
        let (shaped, slope) = inputs.shaped(&block);
        let dims = shaped.dims();
        // At most 0 but for rounding, and for the own class, which has no part in it.
        let exponents = shaped.clone().mul(radii.clone()).sub(log_sum.clone()).at_most(0.0);
        let weights = exponents.exp().fill(block.own.clone(), 0.0).mul(by_log_sum.clone());
        by_radii = by_radii.add(weights.clone().mul(shaped).sum_rows());
        let negatives = weights.mul(radii.clone()).add(by_sum.clone());
        let negatives = match slope {
            Some(slope) => negatives.mul(slope),
            None => negatives,
        };
        let by_cosine = negatives.replace(block.own.clone(), by_target.clone().expand(dims));
        let by_cosine = match &block.nearest {
            None => by_cosine,
            Some(nearest) => {
                let numbers = [dims[0] * dims[1], each];
                let nearest = B::int_expand(nearest.clone(), Shape::from(numbers));
                let is_nearest = Mask::<B>::equal(nearest, inputs.along_rows(0..each, numbers[0]));
                let spread = by_cosine.reshape([numbers[0], 1]).expand(numbers);
                spread.fill(is_nearest.not(), 0.0).reshape([dims[0], dims[1] * each])
            }
        };
        by_u = by_u.add(by_cosine.clone().matmul(block.units.clone()));
        // A change of a center along itself changes nothing: that part of its gradient is taken away.
        let along = by_cosine.clone().mul(block.of_centers).transpose().sum_rows();
        let across = by_cosine.transpose().matmul(u.clone()).sub(block.units.mul(along)).mul(block.inverses);
        by_w = match block.rows {
            Some(rows) => by_w.with_selected(rows, across),
            None => by_w.with_rows(block.classes.start * each..block.classes.end * each, across),
        };
    }
    (by_u.0, by_w.0, by_radii.0)
}
