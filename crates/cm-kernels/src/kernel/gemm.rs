//! Matrix products on slices.
#![allow(unsafe_code, reason = "the matrix product takes pointers; every index it can reach is checked here")]

/// A matrix in a slice.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    pub data: &'a [f32],
    /// Distance between the starts of two rows.
    pub row: usize,
    /// Distance between two columns.
    pub column: usize,
}

impl<'a> Matrix<'a> {
    /// Rows one after another, with `row` numbers from one to the next.
    pub fn rows(data: &'a [f32], row: usize) -> Self {
        Self { data, row, column: 1 }
    }

    /// The same numbers with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }

    fn holds(&self, rows: usize, columns: usize) -> bool {
        rows == 0 || columns == 0 || (rows - 1) * self.row + (columns - 1) * self.column < self.data.len()
    }
}

/// Rows, columns and length of the sums of a product.
#[derive(Clone, Copy)]
pub struct Size {
    pub rows: usize,
    pub columns: usize,
    pub inner: usize,
}

/// `out = a b`, or `out += a b`, for `out` in rows that are `out_row` apart.
///
/// # Panics
///
/// If a matrix does not lie within its slice.
pub fn multiply(
    size: Size,
    a: Matrix<'_>,
    b: Matrix<'_>,
    out: &mut [f32],
    out_row: usize,
    add: bool,
    threads: usize,
) {
    let Size { rows, columns, inner } = size;
    assert!(a.holds(rows, inner) && b.holds(inner, columns), "a factor does not lie within its slice");
    let written = Matrix::rows(out, out_row);
    assert!(written.holds(rows, columns), "the product does not lie within its slice");
    assert!(rows < 2 || out_row >= columns, "rows of the product overlap");
    let parallelism = match threads {
        1 => gemm::Parallelism::None,
        threads => gemm::Parallelism::Rayon(threads),
    };
    // SAFETY: the assertions above hold every element of the three matrices within its slice, the product's elements
    // are distinct, and `out` is borrowed mutably, so that nothing else sees it.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            1,
            out_row as isize,
            add,
            a.data.as_ptr(),
            a.column as isize,
            a.row as isize,
            b.data.as_ptr(),
            b.column as isize,
            b.row as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}
