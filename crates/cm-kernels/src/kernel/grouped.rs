//! Convolutions in groups, where each output channel sees the few input channels of its group: one in a depthwise convolution.
//!
//! There is too little to add up for the tiles of the other convolutions. Here the vectors lie along the rows of an image, and a
//! tap is one number for all of them.

use cm_tiles::{most_rows, with_rows};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{
    convolution::{padded, phases, taps},
    padded::Padded,
    shape::Convolution,
    workspace,
};

/// Vectors of sums that are added up together.
const SUMS: usize = 4;
/// Groups that a thread takes at least, where they are as small as those of a depthwise convolution.
const LEAST: usize = 4;

/// Numbers after the last one of an image that a whole vector may reach.
fn slack() -> usize {
    struct Lanes;

    impl WithSimd for Lanes {
        type Output = usize;

        fn with_simd<S: Simd>(self, _: S) -> usize {
            SUMS * S::F32_LANES
        }
    }
    Arch::new().dispatch(Lanes)
}

/// What is added up for the output channels of a group, and where it goes.
struct Rows<'a> {
    padded: Padded,
    taps: &'a [usize],
    /// Rows and columns that are computed.
    size: [usize; 2],
    /// Distance of two rows in the padded image.
    row_step: usize,
    /// Places of the first pixel, and of the next in a column and in a row, within a channel of the output.
    first: usize,
    steps: [usize; 2],
    /// Numbers of a channel of the output.
    area: usize,
}

impl Rows<'_> {
    /// Numbers from the first pixel to the last of an image whose rows have the distance of the padded ones.
    fn span(&self) -> usize {
        (self.size[0] - 1) * self.row_step + self.size[1]
    }

    /// How many rows are computed as one: all, gaps and padding with them, where they follow one another.
    fn together(&self) -> usize {
        if self.row_step == self.padded.row() { self.size[0] } else { 1 }
    }

    /// The channels of a group, `[batch · groups][area of each]`, from images of the same groups. `weights` gives the numbers of an
    /// output channel for the taps, and its bias.
    fn compute(
        &self,
        x: &[f32],
        groups: usize,
        outputs: usize,
        weights: impl Fn(usize, usize) -> (Vec<f32>, f32) + Sync,
        y: &mut [f32],
    ) {
        struct Channel<'a> {
            rows: &'a Rows<'a>,
            image: &'a [f32],
            weights: &'a [f32],
            bias: f32,
            sums: &'a mut [f32],
            y: &'a mut [f32],
        }
        impl WithSimd for Channel<'_> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                self.rows.channel(simd, self.image, self.weights, self.bias, self.sums, self.y);
            }
        }
        let weights: Vec<(Vec<f32>, f32)> =
            (0..groups * outputs).map(|channel| weights(channel / outputs, channel % outputs)).collect();
        let arch = Arch::new();
        let input = self.padded.channels * self.padded.image[0] * self.padded.image[1];
        let (slack, sums) = (slack(), self.span());
        let filler = self.padded.filler();
        let units = y.par_chunks_mut(outputs * self.area).zip(x.par_chunks(input)).with_min_len(LEAST);
        units.enumerate().for_each(|(unit, (y, x))| {
            workspace::with(self.padded.len() + sums + 2 * slack, |work| {
                let (image, sums) = work.split_at_mut(self.padded.len() + slack);
                filler.fill(x, image);
                image[self.padded.len()..].fill(0.0);
                let of_group = &weights[unit % groups * outputs..][..outputs];
                for ((weights, bias), y) in of_group.iter().zip(y.chunks_exact_mut(self.area)) {
                    arch.dispatch(Channel { rows: self, image, weights, bias: *bias, sums, y });
                }
            });
        });
    }

    /// One channel of the output.
    #[inline(always)]
    fn channel<S: Simd>(
        &self,
        simd: S,
        image: &[f32],
        weights: &[f32],
        bias: f32,
        sums: &mut [f32],
        y: &mut [f32],
    ) {
        let together = self.together();
        let length = (together - 1) * self.row_step + self.size[1];
        let vectors = length.div_ceil(S::F32_LANES);
        for row in (0..self.size[0]).step_by(together) {
            let image = &image[row * self.row_step..];
            let (sums_of, _) = S::as_mut_simd_f32s(&mut sums[..vectors * S::F32_LANES]);
            let mut blocks = sums_of.chunks_exact_mut(SUMS);
            let mut place = 0;
            for block in &mut blocks {
                add_up::<S, SUMS>(simd, &image[place..], self.taps, weights, bias, block);
                place += SUMS * S::F32_LANES;
            }
            for block in blocks.into_remainder().chunks_exact_mut(1) {
                add_up::<S, 1>(simd, &image[place..], self.taps, weights, bias, block);
                place += S::F32_LANES;
            }
            for (i, sums) in sums.chunks(self.row_step).take(together).enumerate() {
                let place = self.first + (row + i) * self.steps[0];
                let sums = &sums[..self.size[1]];
                match self.steps[1] {
                    1 => y[place..][..sums.len()].copy_from_slice(sums),
                    step => {
                        y[place..].iter_mut().step_by(step).zip(sums).for_each(|(y, sum)| *y = *sum);
                    }
                }
            }
        }
    }
}

/// `V` vectors of sums over the taps.
#[inline(always)]
fn add_up<S: Simd, const V: usize>(
    simd: S,
    image: &[f32],
    taps: &[usize],
    weights: &[f32],
    bias: f32,
    out: &mut [S::f32s],
) {
    let mut sums = [simd.splat_f32s(bias); V];
    for (&tap, &weight) in taps.iter().zip(weights) {
        let (pixels, _) = S::as_simd_f32s(&image[tap..][..V * S::F32_LANES]);
        let weight = simd.splat_f32s(weight);
        for i in 0..V {
            sums[i] = simd.mul_add_f32s(weight, pixels[i], sums[i]);
        }
    }
    out.copy_from_slice(&sums);
}

/// `y = w * x + b`, as [`convolution::forward`](super::convolution::forward) has it; kernels `[channels out, channels of a
/// group, ...]`.
pub fn forward(c: &Convolution, output: [usize; 2], x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let of_group = c.of_group();
    let padded = padded(&of_group, output);
    let taps = taps(&of_group, &padded);
    let (count, area, outputs) = (taps.len(), output[0] * output[1], of_group.channels_out);
    let rows = Rows {
        padded,
        taps: &taps,
        size: output,
        row_step: c.stride[0] * padded.row(),
        first: 0,
        steps: [output[1], 1],
        area,
    };
    let mut y = vec![0.0; c.batch * c.channels_out * area];
    let weights = |group: usize, output: usize| {
        let channel = group * outputs + output;
        (weight[channel * count..][..count].to_vec(), bias[channel])
    };
    rows.compute(x, c.groups, outputs, weights, &mut y);
    y
}

/// Gradient of the input images from that of the output.
pub fn input_gradient(c: &Convolution, output: [usize; 2], dy: &[f32], weight: &[f32]) -> Vec<f32> {
    let of_group = c.of_group();
    let mut dx = vec![0.0; c.batch * c.input_len()];
    let kernel = c.kernel[0] * c.kernel[1];
    for phase in phases(&of_group, output) {
        let rows = Rows {
            padded: phase.padded,
            taps: &phase.taps,
            size: phase.size,
            row_step: phase.padded.row(),
            first: phase.first,
            steps: phase.steps,
            area: c.image[0] * c.image[1],
        };
        let weights = |group: usize, input: usize| {
            let of_group = &weight[group * of_group.weight_len()..];
            let weights = phase.weights.iter().map(|&place| of_group[place + input * kernel]);
            (weights.collect(), 0.0)
        };
        rows.compute(dy, c.groups, of_group.channels_in, weights, &mut dx);
    }
    dx
}

/// The sums of a channel's kernel over an image: `sums[k] += Σ dy[i] · image[taps[k] + i]`.
struct Products<'a> {
    image: &'a [f32],
    taps: &'a [usize],
    /// With zeros where no pixel of the output is, as far as a whole vector reaches.
    dy: &'a [f32],
    sums: &'a mut [f32],
}

impl WithSimd for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (vectors, _) = S::as_simd_f32s(self.dy);
        let most = most_rows::<S>();
        for (taps, out) in self.taps.chunks(most).zip(self.sums.chunks_mut(most)) {
            with_rows!(taps.len(), ROWS => {
                let mut sums = [simd.splat_f32s(0.0); ROWS];
                let images: [&[S::f32s]; ROWS] = std::array::from_fn(|i| {
                    let (image, _) = S::as_simd_f32s(&self.image[taps[i]..][..self.dy.len()]);
                    &image[..vectors.len()]
                });
                for (at, &dy) in vectors.iter().enumerate() {
                    for i in 0..ROWS {
                        sums[i] = simd.mul_add_f32s(dy, images[i][at], sums[i]);
                    }
                }
                for i in 0..ROWS {
                    out[i] += simd.reduce_sum_f32s(sums[i]);
                }
            });
        }
    }
}

/// Gradients of the kernels and of the bias from that of the output.
pub fn gradients(c: &Convolution, output: [usize; 2], x: &[f32], dy: &[f32]) -> [Vec<f32>; 2] {
    let of_group = c.of_group();
    let padded = padded(&of_group, output);
    let taps = taps(&of_group, &padded);
    let (area, outputs, input) = (output[0] * output[1], of_group.channels_out, of_group.input_len());
    let filler = padded.filler();
    let row_step = c.stride[0] * padded.row();
    let slack = slack();
    let span = ((output[0] - 1) * row_step + output[1]).next_multiple_of(slack);
    let arch = Arch::new();
    let mut weight = vec![0.0; c.weight_len()];
    let mut bias = vec![0.0; c.channels_out];
    let groups = weight.par_chunks_mut(outputs * taps.len()).zip(bias.par_chunks_mut(outputs));
    groups.enumerate().for_each(|(group, (weight, bias))| {
        workspace::with(padded.len() + slack + span, |work| {
            let (image, spread) = work.split_at_mut(padded.len() + slack);
            image[padded.len()..].fill(0.0);
            spread.fill(0.0);
            for i in 0..c.batch {
                let unit = i * c.groups + group;
                filler.fill(&x[unit * input..][..input], image);
                let channels = dy[unit * outputs * area..][..outputs * area].chunks_exact(area);
                for (channel, dy) in channels.enumerate() {
                    for (spread, dy) in spread.chunks_mut(row_step).zip(dy.chunks_exact(output[1])) {
                        spread[..output[1]].copy_from_slice(dy);
                    }
                    bias[channel] += dy.iter().sum::<f32>();
                    let sums = &mut weight[channel * taps.len()..][..taps.len()];
                    arch.dispatch(Products { image, taps: &taps, dy: spread, sums });
                }
            }
        });
    });
    [weight, bias]
}
