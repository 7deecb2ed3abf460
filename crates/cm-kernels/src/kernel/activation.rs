//! PReLU: one pass forward, one backward.

use rayon::prelude::*;

/// Numbers that a thread takes at a time.
const CHUNK: usize = 64 * 1024;

/// Which slope a number has: `[batch, channels, area]`, with a slope for each channel or one for all.
#[derive(Debug, Clone, Copy)]
pub struct Slopes<'a> {
    pub values: &'a [f32],
    /// Channels, and numbers in each.
    pub channels: usize,
    pub area: usize,
}

impl Slopes<'_> {
    /// Length of the runs that have the same slope.
    fn run(&self, len: usize) -> usize {
        if self.values.len() == 1 { CHUNK.min(len) } else { self.area }.max(1)
    }

    fn of(&self, run: usize) -> f32 {
        if self.values.len() == 1 { self.values[0] } else { self.values[run % self.channels] }
    }
}

/// `a x`, and 0 for a slope of 0 whatever `x` is.
fn below(slope: f32, x: f32) -> f32 {
    if slope == 0.0 { 0.0 } else { slope * x }
}

/// `x` where it is positive, else `a x`.
pub fn prelu(x: &[f32], slopes: Slopes<'_>) -> Vec<f32> {
    let run = slopes.run(x.len());
    let mut y = vec![0.0; x.len()];
    y.par_chunks_mut(run).zip(x.par_chunks(run)).enumerate().for_each(|(i, (y, x))| {
        let slope = slopes.of(i);
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = if x > 0.0 { x } else { below(slope, x) });
    });
    y
}

/// Gradients of `x` and of the slopes.
pub fn prelu_gradients(x: &[f32], slopes: Slopes<'_>, dy: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let run = slopes.run(x.len());
    let mut dx = vec![0.0; x.len()];
    let parts = dx.par_chunks_mut(run).zip(x.par_chunks(run)).zip(dy.par_chunks(run)).enumerate();
    // A sum a run, which are added in their order.
    let sums: Vec<f32> = parts
        .map(|(i, ((dx, x), dy))| {
            let slope = slopes.of(i);
            let mut lanes = [0.0; 16];
            let (dx, x, dy) = (dx.chunks_mut(16), x.chunks(16), dy.chunks(16));
            for ((dx, x), dy) in dx.zip(x).zip(dy) {
                let each = lanes.iter_mut().zip(dx).zip(x).zip(dy);
                for (((lane, dx), &x), &dy) in each {
                    *dx = if x > 0.0 { dy } else { slope * dy };
                    *lane += if x > 0.0 { 0.0 } else { x * dy };
                }
            }
            lanes.into_iter().sum()
        })
        .collect();
    let mut by_slope = vec![0.0; slopes.values.len()];
    let count = by_slope.len();
    sums.into_iter().enumerate().for_each(|(i, sum)| by_slope[if count == 1 { 0 } else { i % count }] += sum);
    (dx, by_slope)
}
