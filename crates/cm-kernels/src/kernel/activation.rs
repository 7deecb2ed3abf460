//! PReLU: one pass forward, one backward.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Numbers that a thread takes at a time.
const CHUNK: usize = 64 * 1024;

/// Sums that are added side by side.
const LANES: usize = 32;

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

    /// Slope of a run, or of a channel.
    pub fn of(&self, run: usize) -> f32 {
        if self.values.len() == 1 { self.values[0] } else { self.values[run % self.channels] }
    }
}

/// `a x`, and 0 for a slope of 0 whatever `x` is.
#[inline(always)]
pub fn below(slope: f32, x: f32) -> f32 {
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

/// Writes the gradient of a run of `x` with one slope and returns that of the slope. What counts of `x` is its sign, and
/// where it is negative its value.
#[inline(always)]
fn run_gradients(slope: f32, x: &[f32], dy: &[f32], dx: &mut [f32]) -> f32 {
    // In lanes of a fixed number, so that several sums are added at a time.
    let (dx, dx_rest) = dx.as_chunks_mut::<LANES>();
    let ((x, x_rest), (dy, dy_rest)) = (x.as_chunks::<LANES>(), dy.as_chunks::<LANES>());
    let mut lanes = [0.0; LANES];
    for ((dx, x), dy) in dx.iter_mut().zip(x).zip(dy) {
        for i in 0..LANES {
            let inside = x[i] > 0.0;
            dx[i] = if inside { dy[i] } else { slope * dy[i] };
            lanes[i] += if inside { 0.0 } else { x[i] * dy[i] };
        }
    }
    let mut rest = 0.0;
    for ((dx, &x), &dy) in dx_rest.iter_mut().zip(x_rest).zip(dy_rest) {
        *dx = if x > 0.0 { dy } else { slope * dy };
        rest += if x > 0.0 { 0.0 } else { x * dy };
    }
    lanes.into_iter().sum::<f32>() + rest
}

/// Gradients of `x` and of the slopes.
pub fn prelu_gradients(x: &[f32], slopes: Slopes<'_>, dy: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let run = slopes.run(x.len());
    let mut dx = vec![0.0; x.len()];
    let parts = dx.par_chunks_mut(run).zip(x.par_chunks(run)).zip(dy.par_chunks(run)).enumerate();
    // A sum a run, which are added in their order.
    let sums: Vec<f32> = parts.map(|(i, ((dx, x), dy))| run_gradients(slopes.of(i), x, dy, dx)).collect();
    let mut by_slope = vec![0.0; slopes.values.len()];
    let count = by_slope.len();
    sums.into_iter().enumerate().for_each(|(i, sum)| by_slope[if count == 1 { 0 } else { i % count }] += sum);
    (dx, by_slope)
}

/// The gradients of an image with the vectors of this machine.
struct ImageGradients<'a> {
    slopes: Slopes<'a>,
    x: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
    by_slope: &'a mut [f32],
}

impl WithSimd for ImageGradients<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { slopes, x, dy, dx, by_slope } = self;
        let runs = dx.chunks_exact_mut(slopes.area).zip(x.chunks_exact(slopes.area));
        let runs = runs.zip(dy.chunks_exact(slopes.area));
        for ((channel, sum), ((dx, x), dy)) in by_slope.iter_mut().enumerate().zip(runs) {
            *sum += run_gradients(slopes.of(channel), x, dy, dx);
        }
    }
}

/// Least slope with which the output of PReLU tells its input well enough: below it the quotient loses digits.
const LEAST_SLOPE: f32 = 1e-3;

/// What is kept of a PReLU that is part of another operation: its output where all slopes are large enough to tell the
/// input from it, else its input.
#[derive(Clone, Copy)]
pub struct Kept<'a> {
    pub numbers: &'a [f32],
    pub slopes: Slopes<'a>,
}

impl Kept<'_> {
    /// Whether the output is kept.
    pub fn is_output(slopes: &[f32]) -> bool {
        slopes.iter().all(|&slope| slope >= LEAST_SLOPE)
    }

    /// Writes the gradient of the input of an image and adds to `by_slope`, a number a channel.
    pub fn gradients(&self, image: usize, dy: &[f32], dx: &mut [f32], by_slope: &mut [f32]) {
        let x = &self.numbers[image * dy.len()..][..dy.len()];
        Arch::new().dispatch(ImageGradients { slopes: self.slopes, x, dy, dx, by_slope });
    }

    /// The gradient of the slopes from what [`gradients`](Self::gradients) added up.
    pub fn by_slopes(&self, by_channel: &[f32]) -> Vec<f32> {
        let values = self.slopes.values;
        let mut sums = vec![0.0; values.len()];
        by_channel.iter().enumerate().for_each(|(channel, sum)| sums[channel % values.len()] += sum);
        if Self::is_output(values) {
            sums.iter_mut().zip(values).for_each(|(sum, slope)| *sum /= slope);
        }
        sums
    }
}
