//! Convolution and the gradient of its images, computed directly from padded images.

use std::ops::Range;

use cm_tiles::{Aligned, VECTORS, most_rows, over_taps, panel_width, panel_width_here, with_rows};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{
    activation::{Kept, Slopes},
    padded::Padded,
    shape::Convolution,
    workspace,
};

/// Images, or gradients of a PReLU's output that stand for those of its input.
#[derive(Clone, Copy)]
pub struct Images<'a> {
    pub numbers: &'a [f32],
    pub kept: Option<Kept<'a>>,
}

/// A convolution with stride 1 in its output: what is added up for each output pixel, and where that pixel is.
struct Direct<'a> {
    padded: Padded,
    /// Places of the taps from a pixel's own, in the order of the weights.
    taps: Vec<usize>,
    /// `[panels, taps, panel width]`; see [`padded_channels`] for the last
    panels: Aligned,
    /// One number a channel of the output.
    bias: Option<&'a [f32]>,
    /// Slopes of the PReLU that the output passes through.
    slopes: Option<Slopes<'a>>,
    channels_out: usize,
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

/// What becomes of the sums of the channels of a panel: the bias is added, and PReLU follows.
struct Finish<S: Simd, const V: usize> {
    bias: [S::f32s; V],
    slopes: [S::f32s; V],
}

impl<S: Simd, const V: usize> Finish<S, V> {
    #[inline(always)]
    fn new(simd: S, direct: &Direct<'_>, channels: Range<usize>) -> Self {
        let vectors = |of: &dyn Fn(usize) -> f32| {
            let mut vectors = [simd.splat_f32s(0.0); V];
            let numbers: &mut [f32] = pulp::bytemuck::cast_slice_mut(&mut vectors);
            numbers.iter_mut().zip(channels.clone()).for_each(|(number, channel)| *number = of(channel));
            vectors
        };
        Self {
            bias: vectors(&|channel| direct.bias.map_or(0.0, |bias| bias[channel])),
            slopes: vectors(&|channel| direct.slopes.map_or(1.0, |slopes| slopes.of(channel))),
        }
    }

    /// A slope of 0 makes 0 of everything below, as [`below`](super::activation::below) does.
    #[inline(always)]
    fn apply(&self, simd: S, sums: &mut [S::f32s; V]) {
        let zero = simd.splat_f32s(0.0);
        for ((sum, &bias), &slope) in sums.iter_mut().zip(&self.bias).zip(&self.slopes) {
            let x = simd.add_f32s(*sum, bias);
            let below = simd.select_f32s(simd.equal_f32s(slope, zero), zero, simd.mul_f32s(slope, x));
            *sum = simd.select_f32s(simd.greater_than_f32s(x, zero), x, below);
        }
    }
}

impl Direct<'_> {
    /// A row of pixels in tiles of nearly equal width.
    fn tiles<S: Simd>(&self) -> impl Iterator<Item = (usize, usize)> + use<S> {
        let width = self.size[1];
        let count = width.div_ceil(most_rows::<S>());
        (0..count).map(move |i| (i * width / count, (i + 1) * width / count))
    }

    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, image: &[f32], panel: usize, y: &mut [f32]) {
        let left = self.channels_out - panel * panel_width::<S>();
        match left <= S::F32_LANES {
            true => self.run_panel::<S, 1>(simd, image, panel, y),
            false => self.run_panel::<S, VECTORS>(simd, image, panel, y),
        }
    }

    /// A panel of `V` vectors.
    #[inline(always)]
    fn run_panel<S: Simd, const V: usize>(&self, simd: S, image: &[f32], panel: usize, y: &mut [f32]) {
        let (first, width) = (panel * panel_width::<S>(), V * S::F32_LANES);
        let numbers = &self.panels.get()[first * self.taps.len()..][..width * self.taps.len()];
        let (vectors, _) = S::as_simd_f32s(numbers);
        let channels = width.min(self.channels_out - first);
        let finish = Finish::<S, V>::new(simd, self, first..first + channels);
        for row in 0..self.size[0] {
            for (from, to) in self.tiles::<S>() {
                let pixel = row * self.row_step + from;
                let place = self.first + row * self.steps[0] + from * self.steps[1];
                with_rows!(to - from, ROWS => {
                    let mut sums = [[simd.splat_f32s(0.0); V]; ROWS];
                    over_taps::<S, ROWS, V>(simd, image, pixel, &self.taps, vectors, &mut sums);
                    sums.iter_mut().for_each(|sums| finish.apply(simd, sums));
                    let sums: &[f32] = pulp::bytemuck::cast_slice(sums.as_flattened());
                    for (channel, y) in y.chunks_exact_mut(self.area).take(channels).enumerate() {
                        if self.steps[1] == 1 && let Some(y) = y[place..].first_chunk_mut::<ROWS>() {
                            *y = std::array::from_fn(|i| sums[i * width + channel]);
                        } else {
                            (0..ROWS).for_each(|i| y[place + i * self.steps[1]] = sums[i * width + channel]);
                        }
                    }
                });
            }
        }
    }

    /// The output images of a batch, `[batch, channels out, area]`, into `y`.
    ///
    /// Each thread takes whole images. Where there are fewer images than threads it takes panels of an image.
    fn forward(&self, x: Images<'_>, y: &mut [f32]) {
        struct Panel<'a> {
            direct: &'a Direct<'a>,
            image: &'a [f32],
            panel: usize,
            y: &'a mut [f32],
        }
        impl WithSimd for Panel<'_> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                self.direct.run(simd, self.image, self.panel, self.y);
            }
        }
        let arch = Arch::new();
        let width = panel_width_here();
        let input = self.padded.channels * self.padded.image[0] * self.padded.image[1];
        let filler = self.padded.filler();
        let divided = x.numbers.len() / input < rayon::current_num_threads();
        let images = y.par_chunks_mut(self.channels_out * self.area).zip(x.numbers.par_chunks(input));
        images.enumerate().for_each(|(i, (y, numbers))| {
            let own = x.kept.map_or(0, |_| input + self.padded.channels);
            workspace::with(self.padded.len() + own, |work| {
                let (padded, own) = work.split_at_mut(self.padded.len());
                match x.kept {
                    Some(kept) => {
                        let (dz, by_slope) = own.split_at_mut(input);
                        kept.gradients(i, numbers, dz, by_slope);
                        filler.fill(dz, padded);
                    }
                    None => filler.fill(numbers, padded),
                }
                let image = &*padded;
                let run = |(panel, y)| arch.dispatch(Panel { direct: self, image, panel, y });
                match divided {
                    true => y.par_chunks_mut(width * self.area).enumerate().for_each(run),
                    false => y.chunks_mut(width * self.area).enumerate().for_each(run),
                }
            });
        });
    }
}

/// Channels, rounded up to whole vectors: the last panel is one vector wide where that is enough.
pub fn padded_channels(channels: usize) -> usize {
    channels.next_multiple_of(panel_width_here() / VECTORS)
}

/// `[panels, rows, panel width]` from a function of row and channel; channels that are missing in the last panel are 0.
fn packed(rows: usize, channels: usize, value: impl Fn(usize, usize) -> f32 + Sync) -> Aligned {
    let width = panel_width_here();
    let mut panels = Aligned::zeros(padded_channels(channels) * rows);
    // By channel and not by row, for the weights of a channel follow one another.
    panels.get_mut().par_chunks_mut(rows * width).enumerate().for_each(|(panel, numbers)| {
        let wide = numbers.len() / rows;
        for channel in panel * width..channels.min((panel + 1) * width) {
            let column = numbers[channel - panel * width..].iter_mut().step_by(wide);
            column.enumerate().for_each(|(row, number)| *number = value(row, channel));
        }
    });
    panels
}

/// The padded image that all taps of all output pixels lie in.
pub fn padded(c: &Convolution, output: [usize; 2]) -> Padded {
    let reach =
        |axis: usize| (output[axis] - 1) * c.stride[axis] + c.dilation[axis] * (c.kernel[axis] - 1) + 1;
    Padded {
        channels: c.channels_in,
        image: c.image,
        before: c.padding,
        rows: reach(0),
        columns: reach(1).div_ceil(c.stride[1]),
        phases: c.stride[1],
    }
}

/// Places of the taps in the order of the weights: channel, row, column.
pub fn taps(c: &Convolution, padded: &Padded) -> Vec<usize> {
    let [rows, columns] = c.kernel;
    let place = |k: usize| {
        let (channel, row, column) = (k / (rows * columns), k / columns % rows, k % columns);
        channel * padded.channel() + padded.place(row * c.dilation[0], column * c.dilation[1])
    };
    (0..c.channels_in * rows * columns).map(place).collect()
}

/// `y = w * x + b`: images `[batch, channels in, ...]`, kernels `[channels out, channels in, ...]`, bias
/// `[channels out]`, output `[batch, channels out, ...]`, which passes through a PReLU where there are slopes.
pub fn forward(
    c: &Convolution,
    output: [usize; 2],
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    slopes: Option<Slopes<'_>>,
) -> Vec<f32> {
    let padded = padded(c, output);
    let taps = taps(c, &padded);
    let count = taps.len();
    let direct = Direct {
        padded,
        panels: packed(count, c.channels_out, |tap, channel| weight[channel * count + tap]),
        taps,
        bias: Some(bias),
        slopes,
        channels_out: c.channels_out,
        size: output,
        row_step: c.stride[0] * padded.row(),
        first: 0,
        steps: [output[1], 1],
        area: output[0] * output[1],
    };
    let mut y = vec![0.0; c.batch * c.channels_out * direct.area];
    direct.forward(Images { numbers: x, kept: None }, &mut y);
    y
}

/// Input pixels whose row and column have the same remainders by the stride: they see the same taps.
pub struct Phase {
    /// The output's gradient as they see it.
    pub padded: Padded,
    pub taps: Vec<usize>,
    /// Where the weight of each tap is for the first input channel.
    pub weights: Vec<usize>,
    /// Rows and columns of these pixels.
    pub size: [usize; 2],
    /// Places of the first pixel, and of the next in a column and in a row.
    pub first: usize,
    pub steps: [usize; 2],
}

/// The phases of a convolution, each a convolution of the output's gradient with a stride of 1. Pixels that see no tap are in none.
pub fn phases(c: &Convolution, output: [usize; 2]) -> Vec<Phase> {
    let mut phases = Vec::new();
    let [rows, columns] = c.kernel;
    for phase_row in 0..c.stride[0].min(c.image[0]) {
        for phase_column in 0..c.stride[1].min(c.image[1]) {
            // Taps along an axis that reach this phase, with the distance of their output pixel.
            let along = |axis: usize, phase: usize| -> Vec<(usize, isize)> {
                let distance = |k: usize| phase as isize + c.padding[axis] - (k * c.dilation[axis]) as isize;
                let stride = c.stride[axis] as isize;
                let all = (0..c.kernel[axis]).map(|k| (k, distance(k)));
                all.filter(|(_, d)| d.rem_euclid(stride) == 0)
                    .map(|(k, d)| (k, d.div_euclid(stride)))
                    .collect()
            };
            let (down, across) = (along(0, phase_row), along(1, phase_column));
            if down.is_empty() || across.is_empty() {
                continue;
            }
            let size = [
                (c.image[0] - phase_row).div_ceil(c.stride[0]),
                (c.image[1] - phase_column).div_ceil(c.stride[1]),
            ];
            let range = |taps: &[(usize, isize)], size: usize| {
                let least = taps.iter().map(|tap| tap.1).min().unwrap_or(0);
                let most = taps.iter().map(|tap| tap.1).max().unwrap_or(0);
                (-least, (most - least) as usize + size)
            };
            let ((above, high), (left, wide)) = (range(&down, size[0]), range(&across, size[1]));
            let padded = Padded {
                channels: c.channels_out,
                image: output,
                before: [above, left],
                rows: high,
                columns: wide,
                phases: 1,
            };
            let mut taps = Vec::new();
            let mut weights = Vec::new();
            for out in 0..c.channels_out {
                for (row, y) in &down {
                    for (column, x) in &across {
                        let place = padded.place((y + above) as usize, (x + left) as usize);
                        taps.push(out * padded.channel() + place);
                        weights.push((out * c.channels_in * rows + row) * columns + column);
                    }
                }
            }
            phases.push(Phase {
                padded,
                taps,
                weights,
                size,
                first: phase_row * c.image[1] + phase_column,
                steps: [c.stride[0] * c.image[1], c.stride[1]],
            });
        }
    }
    phases
}

/// Gradient of the input images from that of the output.
pub fn input_gradient(c: &Convolution, output: [usize; 2], dy: Images<'_>, weight: &[f32]) -> Vec<f32> {
    let mut dx = vec![0.0; c.batch * c.input_len()];
    let kernel = c.kernel[0] * c.kernel[1];
    for Phase { padded, taps, weights, size, first, steps } in phases(c, output) {
        let direct = Direct {
            padded,
            panels: packed(taps.len(), c.channels_in, |tap, channel| weight[weights[tap] + channel * kernel]),
            taps,
            bias: None,
            slopes: None,
            channels_out: c.channels_in,
            size,
            row_step: padded.row(),
            first,
            steps,
            area: c.image[0] * c.image[1],
        };
        direct.forward(dy, &mut dx);
    }
    dx
}
