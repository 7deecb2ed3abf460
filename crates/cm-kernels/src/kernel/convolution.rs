//! Convolution and its gradients as matrix products over shifted copies of the images.

use rayon::prelude::*;

use super::{
    columns::{Block, Columns},
    gemm::{Matrix, Size, multiply},
    shape::Convolution,
    workspace,
};

/// Numbers that the copies of a block may take: they should stay in the second-level cache while every row of the kernel
/// reads them.
const BLOCK: usize = 160 * 1024;

/// How the batch is divided: each thread takes consecutive images, and where there are fewer images than threads the
/// matrix products are divided instead.
struct Division {
    images: usize,
    product_threads: usize,
}

fn divide(batch: usize) -> Division {
    let threads = rayon::current_num_threads();
    let parts = threads.min(batch).max(1);
    Division { images: batch.div_ceil(parts).max(1), product_threads: if batch < threads { 0 } else { 1 } }
}

/// Blocks of output rows, and the copies that each needs.
fn blocks(c: &Convolution, output: [usize; 2]) -> (Columns, impl Iterator<Item = Block> + Clone + use<>) {
    let row = (c.channels_in * c.kernel[1] * output[1]).max(1);
    let halo = c.dilation[0] * (c.kernel[0] - 1);
    let fitting = (BLOCK / row).saturating_sub(halo) / c.stride[0].min(halo + 1);
    let count = output[0].div_ceil(fitting.clamp(1, output[0].max(1))).max(1);
    // Of equal size, as nearly as can be.
    let rows = output[0].div_ceil(count);
    let height = output[0];
    let all = (0..height).step_by(rows).map(move |start| Block { start, rows: rows.min(height - start) });
    (Columns::new(*c, output, rows), all)
}

/// Kernels as a matrix for each of their rows: `[kernel rows, channels out, channels in · kernel columns]`.
fn by_kernel_row(c: &Convolution, weight: &[f32]) -> Vec<f32> {
    let [rows, columns] = c.kernel;
    let inner = c.channels_in * columns;
    let mut matrices = vec![0.0; c.weight_len()];
    for (pair, kernel) in weight.chunks_exact(rows * columns).enumerate() {
        let (out, channel) = (pair / c.channels_in, pair % c.channels_in);
        for (k, row) in kernel.chunks_exact(columns).enumerate() {
            let at = (k * c.channels_out + out) * inner + channel * columns;
            matrices[at..at + columns].copy_from_slice(row);
        }
    }
    matrices
}

/// Kernels with rows and columns reversed and the channels exchanged.
fn turned_weight(c: &Convolution, weight: &[f32]) -> Vec<f32> {
    let area = c.kernel[0] * c.kernel[1];
    let mut turned = vec![0.0; weight.len()];
    for (pair, kernel) in weight.chunks_exact(area).enumerate() {
        let (out, channel) = (pair / c.channels_in, pair % c.channels_in);
        let to = &mut turned[(channel * c.channels_out + out) * area..][..area];
        to.iter_mut().zip(kernel.iter().rev()).for_each(|(to, from)| *to = *from);
    }
    turned
}

/// Whether an image is its own copy: a kernel of one column and row without stride or padding.
fn is_pointwise(c: &Convolution) -> bool {
    c.kernel == [1, 1] && c.stride == [1, 1] && c.padding == [0, 0]
}

/// `y = w * x + b`: images `[batch, channels in, ...]`, kernels `[channels out, channels in, ...]`, bias
/// `[channels out]`, output `[batch, channels out, ...]`.
pub fn forward(
    c: &Convolution,
    output: [usize; 2],
    x: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let area = output[0] * output[1];
    let image = c.channels_out * area;
    let mut y = vec![0.0; c.batch * image];
    if y.is_empty() {
        return y;
    }
    let matrices = by_kernel_row(c, weight);
    let (columns, blocks) = blocks(c, output);
    let inner = columns.count();
    let division = divide(c.batch);
    let parts = y.par_chunks_mut(division.images * image).zip(x.par_chunks(division.images * c.input_len()));
    parts.for_each(|(y, x)| {
        workspace::with(if is_pointwise(c) { 0 } else { columns.len() }, |copies| {
            for (y, x) in y.chunks_exact_mut(image).zip(x.chunks_exact(c.input_len())) {
                if let Some(bias) = bias {
                    y.chunks_exact_mut(area).zip(bias).for_each(|(y, bias)| y.fill(*bias));
                }
                if is_pointwise(c) {
                    let size = Size { rows: c.channels_out, columns: area, inner };
                    let (a, b) = (Matrix::rows(&matrices, inner), Matrix::rows(x, area));
                    multiply(size, a, b, y, area, bias.is_some(), division.product_threads);
                    continue;
                }
                for block in blocks.clone() {
                    columns.fill(x, block, copies);
                    let size = Size { rows: c.channels_out, columns: block.rows * output[1], inner };
                    let y = &mut y[block.start * output[1]..];
                    for (k, matrix) in matrices.chunks_exact(c.channels_out * inner).enumerate() {
                        let add = k > 0 || bias.is_some();
                        let b = Matrix::rows(&copies[columns.offset(k)..], columns.stride());
                        multiply(
                            size,
                            Matrix::rows(matrix, inner),
                            b,
                            y,
                            area,
                            add,
                            division.product_threads,
                        );
                    }
                }
            }
        });
    });
    y
}

/// Gradient of the images from that of the output.
pub fn input_gradient(c: &Convolution, output: [usize; 2], dy: &[f32], weight: &[f32]) -> Vec<f32> {
    if c.stride == [1, 1] {
        let turned = c.turned(output);
        return forward(&turned, c.image, dy, &turned_weight(c, weight), None);
    }
    let area = output[0] * output[1];
    let mut dx = vec![0.0; c.batch * c.input_len()];
    if dx.is_empty() {
        return dx;
    }
    let matrices = by_kernel_row(c, weight);
    let (columns, blocks) = blocks(c, output);
    let inner = columns.count();
    let division = divide(c.batch);
    let parts = dx.par_chunks_mut(division.images * c.input_len());
    parts.zip(dy.par_chunks(division.images * c.channels_out * area)).for_each(|(dx, dy)| {
        workspace::with(columns.len(), |copies| {
            for (dx, dy) in dx.chunks_exact_mut(c.input_len()).zip(dy.chunks_exact(c.channels_out * area)) {
                for block in blocks.clone() {
                    copies.fill(0.0);
                    let size = Size { rows: inner, columns: block.rows * output[1], inner: c.channels_out };
                    let b = Matrix::rows(&dy[block.start * output[1]..], area);
                    for (k, matrix) in matrices.chunks_exact(c.channels_out * inner).enumerate() {
                        let a = Matrix::rows(matrix, inner).transposed();
                        let out = &mut copies[columns.offset(k)..];
                        multiply(size, a, b, out, columns.stride(), true, division.product_threads);
                    }
                    columns.scatter(copies, block, dx);
                }
            }
        });
    });
    dx
}

/// Gradient of the kernels from that of the output.
pub fn weight_gradient(c: &Convolution, output: [usize; 2], x: &[f32], dy: &[f32]) -> Vec<f32> {
    let area = output[0] * output[1];
    let (columns, blocks) = blocks(c, output);
    let inner = columns.count();
    let division = divide(c.batch);
    let parts = x.par_chunks((division.images * c.input_len()).max(1));
    let parts = parts.zip(dy.par_chunks((division.images * c.channels_out * area).max(1)));
    // A sum for each thread, added in the order of the images, so that the result does not depend on who is faster.
    let sums: Vec<Vec<f32>> = parts
        .map(|(x, dy)| {
            let mut sums = vec![0.0; c.weight_len()];
            workspace::with(if is_pointwise(c) { 0 } else { columns.len() }, |copies| {
                for (x, dy) in x.chunks_exact(c.input_len()).zip(dy.chunks_exact(c.channels_out * area)) {
                    if is_pointwise(c) {
                        let size = Size { rows: c.channels_out, columns: inner, inner: area };
                        let (a, b) = (Matrix::rows(dy, area), Matrix::rows(x, area).transposed());
                        multiply(size, a, b, &mut sums, inner, true, division.product_threads);
                        continue;
                    }
                    for block in blocks.clone() {
                        columns.fill(x, block, copies);
                        let size =
                            Size { rows: c.channels_out, columns: inner, inner: block.rows * output[1] };
                        let a = Matrix::rows(&dy[block.start * output[1]..], area);
                        for (k, sum) in sums.chunks_exact_mut(c.channels_out * inner).enumerate() {
                            let b = Matrix::rows(&copies[columns.offset(k)..], columns.stride()).transposed();
                            multiply(size, a, b, sum, inner, true, division.product_threads);
                        }
                    }
                }
            });
            sums
        })
        .collect();
    let mut sums = sums.into_iter();
    let mut total = sums.next().unwrap_or_else(|| vec![0.0; c.weight_len()]);
    for sum in sums {
        total.iter_mut().zip(&sum).for_each(|(total, sum)| *total += sum);
    }
    from_kernel_rows(c, &total)
}

/// The inverse of [`by_kernel_row`].
fn from_kernel_rows(c: &Convolution, matrices: &[f32]) -> Vec<f32> {
    let [rows, columns] = c.kernel;
    let inner = c.channels_in * columns;
    let mut weight = vec![0.0; c.weight_len()];
    for (pair, kernel) in weight.chunks_exact_mut(rows * columns).enumerate() {
        let (out, channel) = (pair / c.channels_in, pair % c.channels_in);
        for (k, row) in kernel.chunks_exact_mut(columns).enumerate() {
            let at = (k * c.channels_out + out) * inner + channel * columns;
            row.copy_from_slice(&matrices[at..at + columns]);
        }
    }
    weight
}

/// Gradient of the bias from that of the output.
pub fn bias_gradient(c: &Convolution, output: [usize; 2], dy: &[f32]) -> Vec<f32> {
    let area = output[0] * output[1];
    if area == 0 {
        return vec![0.0; c.channels_out];
    }
    let of_channel = |channel: usize| {
        let images = dy.chunks_exact(c.channels_out * area);
        images.map(|dy| dy[channel * area..][..area].iter().sum::<f32>()).sum::<f32>()
    };
    (0..c.channels_out).into_par_iter().map(of_channel).collect()
}
