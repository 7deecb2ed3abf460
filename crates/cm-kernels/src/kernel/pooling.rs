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
}

/// Calls `visit` with the number of every output pixel and the first place of the maximum of its window; a window with a
/// number that is none has its first such.
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

/// The largest number of each window.
pub fn max_pool(p: &Pooling, output: [usize; 2], x: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0; p.images * output[0] * output[1]];
    let images = x.par_chunks(p.image[0] * p.image[1]);
    y.par_chunks_mut(output[0] * output[1]).zip(images).with_min_len(16).for_each(|(y, x)| {
        places(p, output, x, |to, from| y[to] = x[from]);
    });
    y
}

/// Gradient of the images: that of each output pixel goes to the first maximum of its window.
pub fn max_pool_gradient(p: &Pooling, output: [usize; 2], x: &[f32], dy: &[f32]) -> Vec<f32> {
    let mut dx = vec![0.0; x.len()];
    let area = p.image[0] * p.image[1];
    let images = x.par_chunks(area).zip(dy.par_chunks(output[0] * output[1]));
    dx.par_chunks_mut(area).zip(images).with_min_len(16).for_each(|(dx, (x, dy))| {
        places(p, output, x, |from, to| dx[to] += dy[from]);
    });
    dx
}
