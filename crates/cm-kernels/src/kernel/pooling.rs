//! Maximum over windows.

use rayon::prelude::*;

/// Windows that lie side by side and within the image: no padding, no dilation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pooling {
    /// Batch times channels.
    pub images: usize,
    /// Rows, then columns, here and below.
    pub image: [usize; 2],
    pub window: [usize; 2],
    pub stride: [usize; 2],
}

impl Pooling {
    /// Size of the output images; `None` where a window does not fit.
    pub fn output(&self) -> Option<[usize; 2]> {
        let along = |axis: usize| {
            let left = self.image[axis].checked_sub(self.window[axis])?;
            Some(left / self.stride[axis] + 1)
        };
        Some([along(0)?, along(1)?])
    }

    fn halves(&self) -> bool {
        self.window == [2, 2] && self.stride == [2, 2]
    }
}

/// Calls `visit` with the number of every output pixel and the first place of the maximum of its window; a window with
/// NaN in it has its first NaN.
fn places(p: &Pooling, output: [usize; 2], image: &[f32], mut visit: impl FnMut(usize, usize)) {
    let width = p.image[1];
    for row in 0..output[0] {
        for column in 0..output[1] {
            let corner = row * p.stride[0] * width + column * p.stride[1];
            let mut best = corner;
            for y in 0..p.window[0] {
                for place in corner + y * width..corner + y * width + p.window[1] {
                    let greater =
                        image[place] > image[best] || (image[place].is_nan() && !image[best].is_nan());
                    best = if greater { place } else { best };
                }
            }
            visit(row * output[1] + column, best);
        }
    }
}

/// Whether `candidate` is the maximum and `best`, which comes before it, is not.
#[inline(always)]
fn beats(candidate: f32, best: f32) -> bool {
    candidate > best || (candidate.is_nan() && !best.is_nan())
}

/// Pixels of the windows of two rows: those above and those below, in pairs.
fn windows<'a>(above: &'a [f32], below: &'a [f32]) -> impl Iterator<Item = [f32; 4]> + use<'a> {
    let (above, _) = above.as_chunks::<2>();
    let (below, _) = below.as_chunks::<2>();
    above.iter().zip(below).map(|(a, b)| [a[0], a[1], b[0], b[1]])
}

/// Windows of 2 x 2 side by side, which are almost all there are: without a search, so that several are done at a time.
fn halve(p: &Pooling, x: &[f32], y: &mut [f32]) {
    let width = p.image[1];
    for (y, rows) in y.chunks_exact_mut(width / 2).zip(x.chunks_exact(2 * width)) {
        let (above, below) = rows.split_at(width);
        for (y, window) in y.iter_mut().zip(windows(above, below)) {
            *y = window[1..].iter().fold(window[0], |best, &v| if beats(v, best) { v } else { best });
        }
    }
}

fn halve_gradient(p: &Pooling, x: &[f32], dy: &[f32], dx: &mut [f32]) {
    let width = p.image[1];
    let rows = x.chunks_exact(2 * width).zip(dx.chunks_exact_mut(2 * width));
    for (dy, (x, dx)) in dy.chunks_exact(width / 2).zip(rows) {
        let (above, below) = x.split_at(width);
        let (dx_above, dx_below) = dx.split_at_mut(width);
        let (dx_above, _) = dx_above.as_chunks_mut::<2>();
        let (dx_below, _) = dx_below.as_chunks_mut::<2>();
        let each = dx_above.iter_mut().zip(dx_below).zip(windows(above, below)).zip(dy);
        for (((dx_above, dx_below), [a, b, c, d]), &dy) in each {
            let second = beats(b, a);
            let best = if second { b } else { a };
            let third = beats(c, best);
            let fourth = beats(d, if third { c } else { best });
            let at = |here: bool| if here { dy } else { 0.0 };
            *dx_above = [at(!second && !third && !fourth), at(second && !third && !fourth)];
            *dx_below = [at(third && !fourth), at(fourth)];
        }
    }
}

/// The largest number of each window.
pub fn max_pool(p: &Pooling, output: [usize; 2], x: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0; p.images * output[0] * output[1]];
    let images = x.par_chunks(p.image[0] * p.image[1]);
    y.par_chunks_mut(output[0] * output[1]).zip(images).with_min_len(16).for_each(|(y, x)| {
        match p.halves() {
            true => halve(p, x, y),
            false => places(p, output, x, |to, from| y[to] = x[from]),
        }
    });
    y
}

/// Gradient of the images: that of each output pixel goes to the first maximum of its window.
pub fn max_pool_gradient(p: &Pooling, output: [usize; 2], x: &[f32], dy: &[f32]) -> Vec<f32> {
    let mut dx = vec![0.0; x.len()];
    let area = p.image[0] * p.image[1];
    let images = x.par_chunks(area).zip(dy.par_chunks(output[0] * output[1]));
    dx.par_chunks_mut(area).zip(images).with_min_len(16).for_each(|(dx, (x, dy))| match p.halves() {
        true => halve_gradient(p, x, dy, dx),
        false => places(p, output, x, |from, to| dx[to] += dy[from]),
    });
    dx
}
