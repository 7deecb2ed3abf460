//! Burn's primitive operations on matrices of 32-bit floats, named as those on tensors are.

use std::ops::Range;

use burn::{
    backend::{
        Backend, TensorMetadata, get_device_settings,
        tensor::{BoolTensor, FloatTensor, IntTensor},
    },
    tensor::{BoolDType, FloatDType, IndexingUpdateOp, IntDType, Shape, Slice},
};

/// A matrix of floats on a backend.
pub struct Matrix<B: Backend>(pub FloatTensor<B>);

/// Which numbers of a matrix are meant.
pub struct Mask<B: Backend>(BoolTensor<B>);

impl<B: Backend> Clone for Matrix<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B: Backend> Clone for Mask<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

fn bools<B: Backend>(device: &B::Device) -> BoolDType {
    get_device_settings::<B>(device).bool_dtype
}

fn rows_of(rows: Range<usize>) -> [Slice; 2] {
    [Slice::from(rows), Slice::full()]
}

impl<B: Backend> Matrix<B> {
    pub fn full([rows, columns]: [usize; 2], value: f32, device: &B::Device) -> Self {
        Self(B::float_full(Shape::from([rows, columns]), value.into(), device, FloatDType::F32))
    }

    pub fn dims(&self) -> [usize; 2] {
        let shape = self.0.shape();
        [shape[0], shape[1]]
    }

    pub fn device(&self) -> B::Device {
        self.0.device()
    }

    pub fn add(self, other: Self) -> Self {
        Self(B::float_add(self.0, other.0))
    }

    pub fn sub(self, other: Self) -> Self {
        Self(B::float_sub(self.0, other.0))
    }

    pub fn mul(self, other: Self) -> Self {
        Self(B::float_mul(self.0, other.0))
    }

    pub fn at_least(self, least: f32) -> Self {
        Self(B::float_clamp_min(self.0, least.into()))
    }

    pub fn at_most(self, most: f32) -> Self {
        Self(B::float_clamp_max(self.0, most.into()))
    }

    pub fn exp(self) -> Self {
        Self(B::float_exp(self.0))
    }

    pub fn log(self) -> Self {
        Self(B::float_log(self.0))
    }

    pub fn sqrt(self) -> Self {
        Self(B::float_sqrt(self.0))
    }

    pub fn recip(self) -> Self {
        Self(B::float_recip(self.0))
    }

    pub fn matmul(self, other: Self) -> Self {
        Self(B::float_matmul(self.0, other.0))
    }

    pub fn transpose(self) -> Self {
        Self(B::float_transpose(self.0))
    }

    /// The sum of each row, `[rows, 1]`.
    pub fn sum_rows(self) -> Self {
        Self(B::float_sum_dim(self.0, 1))
    }

    /// The largest magnitude of each row, `[rows, 1]`.
    pub fn largest_magnitude(self) -> Self {
        Self(B::float_max_abs_dim(self.0, 1))
    }

    /// The largest number of each row, `[rows, 1]`, and its first place.
    pub fn largest(self, ints: IntDType) -> (Self, IntTensor<B>) {
        let (values, places) = B::float_max_dim_with_indices(self.0, 1, ints);
        (Self(values), places)
    }

    pub fn expand(self, [rows, columns]: [usize; 2]) -> Self {
        Self(B::float_expand(self.0, Shape::from([rows, columns])))
    }

    pub fn reshape(self, [rows, columns]: [usize; 2]) -> Self {
        Self(B::float_reshape(self.0, Shape::from([rows, columns])))
    }

    pub fn rows(self, rows: Range<usize>) -> Self {
        Self(B::float_slice(self.0, &rows_of(rows)))
    }

    pub fn select(self, rows: IntTensor<B>) -> Self {
        Self(B::float_select(self.0, 0, rows))
    }

    pub fn with_rows(self, rows: Range<usize>, values: Self) -> Self {
        Self(B::float_slice_assign(self.0, &rows_of(rows), values.0))
    }

    pub fn with_selected(self, rows: IntTensor<B>, values: Self) -> Self {
        Self(B::float_select_assign(self.0, 0, rows, values.0, IndexingUpdateOp::Add))
    }

    /// Where a number is greater than that of a matrix of the same shape.
    pub fn greater(&self, other: &Self) -> Mask<B> {
        Mask(B::float_greater(self.0.clone(), other.0.clone(), bools::<B>(&self.device())))
    }

    pub fn lower(&self, value: f32) -> Mask<B> {
        Mask(B::float_lower_elem(self.0.clone(), value.into(), bools::<B>(&self.device())))
    }

    pub fn fill(self, mask: Mask<B>, value: f32) -> Self {
        Self(B::float_mask_fill(self.0, mask.0, value.into()))
    }

    pub fn replace(self, mask: Mask<B>, values: Self) -> Self {
        Self(B::float_mask_where(self.0, mask.0, values.0))
    }

    /// Columns beside each other.
    pub fn beside(columns: Vec<Self>) -> Self {
        Self(B::float_cat(columns.into_iter().map(|column| column.0).collect(), 1))
    }

    /// Column `column`, `[rows, 1]`.
    pub fn column(&self, column: usize) -> Self {
        Self(B::float_slice(self.0.clone(), &[Slice::full(), Slice::from(column..column + 1)]))
    }
}

impl<B: Backend> Mask<B> {
    /// Where two matrices of whole numbers of the same shape are equal.
    pub fn equal(a: IntTensor<B>, b: IntTensor<B>) -> Self {
        let device = a.device();
        Self(B::int_equal(a, b, bools::<B>(&device)))
    }

    pub fn not(self) -> Self {
        Self(B::bool_not(self.0))
    }

    /// `values` with others in their place where this mask says so.
    pub fn choose(self, values: IntTensor<B>, others: IntTensor<B>) -> IntTensor<B> {
        B::int_mask_where(values, self.0, others)
    }
}
