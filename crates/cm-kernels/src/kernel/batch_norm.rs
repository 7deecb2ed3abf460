//! Batch normalization: two passes forward, two backward.

use rayon::prelude::*;

/// Images in the order batch, channel, pixel.
#[derive(Debug, Clone, Copy)]
pub struct Images {
    pub channels: usize,
    /// Pixels of a channel.
    pub area: usize,
}

/// What the forward pass gives.
pub struct Normalized {
    pub y: Vec<f32>,
    pub mean: Vec<f32>,
    /// Biased, without epsilon.
    pub variance: Vec<f32>,
}

/// Sums that are independent of each other, so that they can be added side by side.
const LANES: usize = 16;

impl Images {
    /// The pixels of a channel, image by image.
    fn of_channel<'a>(&self, x: &'a [f32], channel: usize) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        let (channels, area) = (self.channels, self.area);
        x.chunks_exact(channels * area).map(move |image| &image[channel * area..(channel + 1) * area])
    }

    /// A number in the middle of a channel's: the median of a few, so that an outlier is none.
    fn near(&self, x: &[f32], channel: usize) -> f32 {
        const FEW: usize = 9;
        let batch = x.len() / (self.channels * self.area);
        let mut few: [f32; FEW] = std::array::from_fn(|k| {
            let (image, pixel) = (k * batch / FEW, k * self.area / FEW);
            x[(image * self.channels + channel) * self.area + pixel]
        });
        few.sort_unstable_by(f32::total_cmp);
        few[FEW / 2]
    }

    fn count(&self, x: &[f32]) -> f64 {
        (x.len() / self.channels) as f64
    }
}

/// `Σ f(x)` and `Σ g(x)` of pairs of numbers.
fn two_sums<'a>(
    pairs: impl Iterator<Item = (&'a [f32], &'a [f32])>,
    terms: impl Fn(f32, f32) -> (f32, f32),
) -> (f64, f64) {
    let mut total = (0.0, 0.0);
    for (a, b) in pairs {
        let mut lanes = ([0.0; LANES], [0.0; LANES]);
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (a, b) in a.iter().zip(b) {
            for i in 0..LANES {
                let (first, second) = terms(a[i], b[i]);
                lanes.0[i] += first;
                lanes.1[i] += second;
            }
        }
        for (&a, &b) in a_rest.iter().zip(b_rest) {
            let (first, second) = terms(a, b);
            lanes.0[0] += first;
            lanes.1[0] += second;
        }
        total.0 += lanes.0.iter().map(|&v| f64::from(v)).sum::<f64>();
        total.1 += lanes.1.iter().map(|&v| f64::from(v)).sum::<f64>();
    }
    total
}

/// `y = γ (x − mean) / √(variance + ε) + β`, with the mean and variance of each channel over the batch.
pub fn normalize(images: Images, x: &[f32], gamma: &[f32], beta: &[f32], epsilon: f64) -> Normalized {
    let count = images.count(x);
    let statistics = |channel: usize| {
        // The squares of differences from a number among the others do not cancel as those of the numbers themselves would.
        let near = images.near(x, channel);
        let pixels = || images.of_channel(x, channel);
        let (sum, squares) = two_sums(pixels().zip(pixels()), |x, _| (x - near, (x - near) * (x - near)));
        let shift = sum / count;
        ((f64::from(near) + shift) as f32, (squares / count - shift * shift).max(0.0) as f32)
    };
    let (mean, variance): (Vec<f32>, Vec<f32>) = (0..images.channels).into_par_iter().map(statistics).unzip();
    let mut y = vec![0.0; x.len()];
    let parts = y.par_chunks_mut(images.area).zip(x.par_chunks(images.area)).enumerate();
    parts.with_min_len(16).for_each(|(i, (y, x))| {
        let channel = i % images.channels;
        let factor = (f64::from(gamma[channel]) / (f64::from(variance[channel]) + epsilon).sqrt()) as f32;
        let (mean, beta) = (mean[channel], beta[channel]);
        y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - mean) * factor + beta);
    });
    Normalized { y, mean, variance }
}

/// Gradients of `x`, `γ` and `β`.
pub fn gradients(
    images: Images,
    x: &[f32],
    dy: &[f32],
    gamma: &[f32],
    (mean, variance): (&[f32], &[f32]),
    epsilon: f64,
) -> [Vec<f32>; 3] {
    let count = images.count(x);
    let inverse = |channel: usize| 1.0 / (f64::from(variance[channel]) + epsilon).sqrt();
    let sums = |channel: usize| {
        let pairs = images.of_channel(x, channel).zip(images.of_channel(dy, channel));
        let mean = mean[channel];
        let (sum, product) = two_sums(pairs, |x, dy| (dy, dy * (x - mean)));
        (sum, product * inverse(channel))
    };
    let sums: Vec<(f64, f64)> = (0..images.channels).into_par_iter().map(sums).collect();
    let mut dx = vec![0.0; x.len()];
    let parts = dx.par_chunks_mut(images.area).zip(x.par_chunks(images.area)).zip(dy.par_chunks(images.area));
    parts.enumerate().with_min_len(16).for_each(|(i, ((dx, x), dy))| {
        let channel = i % images.channels;
        let (sum, product) = sums[channel];
        // γ/σ (dy − mean(dy) − x̂ mean(dy x̂))
        let factor = (f64::from(gamma[channel]) * inverse(channel)) as f32;
        let slope = (product / count * inverse(channel)) as f32;
        let (shift, mean) = ((sum / count) as f32, mean[channel]);
        dx.iter_mut()
            .zip(x)
            .zip(dy)
            .for_each(|((dx, x), dy)| *dx = factor * (dy - shift - (x - mean) * slope));
    });
    let by = |of: fn(&(f64, f64)) -> f64| sums.iter().map(|sums| of(sums) as f32).collect();
    [dx, by(|sums| sums.1), by(|sums| sums.0)]
}
