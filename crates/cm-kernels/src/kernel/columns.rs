//! The part of the work that is copying: an image, once for each column of the kernel.
//!
//! An ordinary `im2col` copies every pixel once for each of the kernel's `rows x columns` positions. Here an image is
//! copied once for each *column*, shifted by it; then the pixels under row `k` of the kernel are the same copy from `k` rows
//! further down, which a matrix product can read where it is. A 5x5 kernel so costs 5 copies and not 25.

use super::shape::Convolution;

/// Output rows that are computed together.
#[derive(Clone, Copy)]
pub struct Block {
    /// First output row.
    pub start: usize,
    pub rows: usize,
}

/// Shifted copies of the rows that a block of output rows needs: `[channels · kernel columns, phases, rows, output columns]`.
/// Rows of different remainder by the stride (phases) are kept apart, so that those under one row of the kernel follow one
/// another.
#[derive(Clone, Copy)]
pub struct Columns {
    convolution: Convolution,
    width: usize,
    /// Rows of a phase.
    rows: usize,
    phases: usize,
}

impl Columns {
    pub fn new(convolution: Convolution, output: [usize; 2], block_rows: usize) -> Self {
        let reach = convolution.dilation[0] * (convolution.kernel[0] - 1);
        let phases = convolution.stride[0].min(reach + 1);
        Self { convolution, width: output[1], rows: block_rows + reach / convolution.stride[0], phases }
    }

    /// Numbers between two rows of the matrix.
    pub fn stride(&self) -> usize {
        self.phases * self.rows * self.width
    }

    /// Rows of the matrix.
    pub fn count(&self) -> usize {
        self.convolution.channels_in * self.convolution.kernel[1]
    }

    pub fn len(&self) -> usize {
        self.count() * self.stride()
    }

    /// Where the matrix of a row of the kernel begins.
    pub fn offset(&self, kernel_row: usize) -> usize {
        let down = kernel_row * self.convolution.dilation[0];
        let (phase, row) = (down % self.convolution.stride[0], down / self.convolution.stride[0]);
        (phase * self.rows + row) * self.width
    }

    /// Output columns whose pixel under column `kernel_column` of the kernel lies within the image, and that of the first.
    fn inside(&self, kernel_column: usize) -> (usize, usize, usize) {
        let c = &self.convolution;
        let shift = (kernel_column * c.dilation[1]) as isize - c.padding[1];
        let (stride, width) = (c.stride[1] as isize, c.image[1] as isize);
        // shift + column · stride lies in 0..width
        let first = (-shift).max(0).div_ceil_to(stride);
        let end = (width - shift).max(0).div_ceil_to(stride).min(self.width as isize).max(0);
        let first = first.min(end);
        (first as usize, end as usize, (shift + first * stride).max(0) as usize)
    }

    /// Calls `visit` with the place of every row of the copies and the row of the image it is from, if it is from one.
    fn rows_of(&self, block: Block, mut visit: impl FnMut(usize, Option<usize>)) {
        let c = &self.convolution;
        for phase in 0..self.phases {
            for row in 0..self.rows {
                let y = ((block.start + row) * c.stride[0] + phase) as isize - c.padding[0];
                let inside = (0..c.image[0] as isize).contains(&y).then_some(y as usize);
                visit((phase * self.rows + row) * self.width, inside);
            }
        }
    }

    /// Fills `copies` from an image.
    pub fn fill(&self, image: &[f32], block: Block, copies: &mut [f32]) {
        let c = &self.convolution;
        let area = c.image[0] * c.image[1];
        for (i, copy) in copies[..self.len()].chunks_exact_mut(self.stride()).enumerate() {
            let (channel, kernel_column) = (i / c.kernel[1], i % c.kernel[1]);
            let pixels = &image[channel * area..][..area];
            let (first, end, from) = self.inside(kernel_column);
            self.rows_of(block, |place, y| {
                let row = &mut copy[place..place + self.width];
                let Some(y) = y else { return row.fill(0.0) };
                row[..first].fill(0.0);
                row[end..].fill(0.0);
                if first == end {
                    return;
                }
                let source = &pixels[y * c.image[1] + from..(y + 1) * c.image[1]];
                let inside = &mut row[first..end];
                match c.stride[1] {
                    1 => inside.copy_from_slice(&source[..end - first]),
                    stride => {
                        inside
                            .iter_mut()
                            .zip(source.iter().step_by(stride))
                            .for_each(|(to, from)| *to = *from);
                    }
                }
            });
        }
    }

    /// Adds `copies` to the pixels of an image that they are copies of.
    pub fn scatter(&self, copies: &[f32], block: Block, image: &mut [f32]) {
        let c = &self.convolution;
        let area = c.image[0] * c.image[1];
        for (i, copy) in copies[..self.len()].chunks_exact(self.stride()).enumerate() {
            let (channel, kernel_column) = (i / c.kernel[1], i % c.kernel[1]);
            let pixels = &mut image[channel * area..][..area];
            let (first, end, from) = self.inside(kernel_column);
            if first == end {
                continue;
            }
            self.rows_of(block, |place, y| {
                let Some(y) = y else { return };
                let row = &copy[place + first..place + end];
                let target = pixels[y * c.image[1] + from..(y + 1) * c.image[1]].iter_mut();
                target.step_by(c.stride[1]).zip(row).for_each(|(to, from)| *to += *from);
            });
        }
    }
}

/// Division that rounds up, for a number that is not negative.
trait DivCeil {
    fn div_ceil_to(self, by: isize) -> isize;
}

impl DivCeil for isize {
    fn div_ceil_to(self, by: isize) -> isize {
        (self + by - 1) / by
    }
}
