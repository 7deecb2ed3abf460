//! Gradients of a convolution's kernels and bias.

use cm_tiles::{VECTORS, most_rows, over_pixels, panel_width, panel_width_here, with_rows};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{
    convolution::{Images, padded, padded_channels, taps},
    padded::Padded,
    shape::Convolution,
    workspace,
};

/// Numbers of padded images that are worked on together.
const GROUP: usize = 96 * 1024;

/// The sums of a kernel's gradient: `[panels, taps, panel width]`; the last panel may be one vector wide ([`padded_channels`]).
struct Gradient<'a> {
    padded: Padded,
    taps: &'a [usize],
    output: [usize; 2],
    row_step: usize,
    /// Padded images, one after another.
    images: &'a [f32],
    /// Gradients of the output of the same images, `[images, panels, pixels, panel width]`.
    panels: &'a [f32],
    /// Channels in all panels.
    channels: usize,
    sums: &'a mut [f32],
}

impl WithSimd for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let whole = self.taps.len() * panel_width::<S>();
        let sums = std::mem::take(&mut self.sums);
        for (panel, sums) in sums.chunks_mut(whole).enumerate() {
            match sums.len() == whole {
                true => self.of_panel::<S, VECTORS>(simd, panel, sums),
                false => self.of_panel::<S, 1>(simd, panel, sums),
            }
        }
    }
}

impl Gradient<'_> {
    /// A panel of `V` vectors.
    #[inline(always)]
    fn of_panel<S: Simd, const V: usize>(&self, simd: S, panel: usize, sums: &mut [f32]) {
        let (first, width) = (panel * panel_width::<S>(), V * S::F32_LANES);
        let area = self.output[0] * self.output[1];
        let tiles = self.taps.len().div_ceil(most_rows::<S>());
        for tile in 0..tiles {
            let (from, to) = (tile * self.taps.len() / tiles, (tile + 1) * self.taps.len() / tiles);
            let taps = &self.taps[from..to];
            let sums = &mut sums[from * width..to * width];
            with_rows!(to - from, ROWS => {
                let mut tile = [[simd.splat_f32s(0.0); V]; ROWS];
                let images = self.images.chunks_exact(self.padded.len());
                for (image, all) in images.zip(self.panels.chunks_exact(self.channels * area)) {
                    let (vectors, _) = S::as_simd_f32s(&all[first * area..][..width * area]);
                    over_pixels::<S, ROWS, V>(
                        simd, image, self.output, self.row_step, taps, vectors, &mut tile,
                    );
                }
                let tile: &[f32] = pulp::bytemuck::cast_slice(tile.as_flattened());
                sums.iter_mut().zip(tile).for_each(|(sum, tile)| *sum += *tile);
            });
        }
    }
}

/// Gradients of the kernels, of the bias and, where the output passed through a PReLU, of its slopes.
pub struct Gradients {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
    pub slopes: Vec<f32>,
}

/// The gradients of the parameters from that of the output.
pub fn gradients(c: &Convolution, output: [usize; 2], x: &[f32], dy: Images<'_>) -> Gradients {
    let padded = padded(c, output);
    let taps = taps(c, &padded);
    let filler = padded.filler();
    let arch = Arch::new();
    let width = panel_width_here();
    let (area, channels) = (output[0] * output[1], padded_channels(c.channels_out));
    let group = (GROUP / padded.len().max(1)).clamp(1, 8);
    // A sum for each thread, added in the order of the images, so that the result does not depend on who is faster.
    let share = c.batch.div_ceil(rayon::current_num_threads()).max(1);
    let parts = x.par_chunks(share * c.input_len()).zip(dy.numbers.par_chunks(share * c.channels_out * area));
    let sums: Vec<[Vec<f32>; 3]> = parts
        .enumerate()
        .map(|(part, (x, numbers))| {
            let mut sums = vec![0.0; channels * taps.len()];
            let mut bias = vec![0.0; channels];
            let mut by_slope = vec![0.0; c.channels_out];
            let each = channels * area;
            let own = dy.kept.map_or(0, |_| c.channels_out * area);
            workspace::with(group * (padded.len() + each) + own, |work| {
                let (images, work) = work.split_at_mut(group * padded.len());
                let (packed, own) = work.split_at_mut(group * each);
                let groups =
                    x.chunks(group * c.input_len()).zip(numbers.chunks(group * c.channels_out * area));
                for (g, (x, numbers)) in groups.enumerate() {
                    let count = x.len() / c.input_len();
                    for (i, x) in x.chunks_exact(c.input_len()).enumerate() {
                        filler.fill(x, &mut images[i * padded.len()..]);
                        let numbers = &numbers[i * c.channels_out * area..][..c.channels_out * area];
                        let packed = &mut packed[i * each..][..each];
                        match dy.kept {
                            Some(kept) => {
                                kept.gradients(part * share + g * group + i, numbers, own, &mut by_slope);
                                transpose(own, area, width, packed);
                            }
                            None => transpose(numbers, area, width, packed),
                        }
                    }
                    for image in packed[..count * each].chunks_exact(each) {
                        add_pixels(image, area, width, &mut bias);
                    }
                    arch.dispatch(Gradient {
                        padded,
                        taps: &taps,
                        output,
                        row_step: c.stride[0] * padded.row(),
                        images: &images[..count * padded.len()],
                        panels: &packed[..count * each],
                        channels,
                        sums: &mut sums,
                    });
                }
            });
            [sums, bias, by_slope]
        })
        .collect();
    let total = |which: usize| {
        let mut total = vec![0.0; c.channels_out];
        for part in &sums {
            total.iter_mut().zip(&part[which]).for_each(|(total, sum)| *total += *sum);
        }
        total
    };
    let mut weight = vec![0.0; c.weight_len()];
    weight.par_chunks_exact_mut(taps.len()).enumerate().for_each(|(channel, weight)| {
        let first = channel / width * width;
        let (from, wide) = (first * taps.len() + channel % width, width.min(channels - first));
        for [sums, ..] in &sums {
            weight.iter_mut().zip(sums[from..].iter().step_by(wide)).for_each(|(total, sum)| *total += *sum);
        }
    });
    let slopes = dy.kept.map_or(Vec::new(), |kept| kept.by_slopes(&total(2)));
    Gradients { weight, bias: total(1), slopes }
}

/// Adds the sums over the pixels of `[panels, pixels, panel width]` to `[panels, panel width]`.
fn add_pixels(image: &[f32], area: usize, width: usize, sums: &mut [f32]) {
    for (panel, sums) in image.chunks(area * width).zip(sums.chunks_mut(width)) {
        for pixel in panel.chunks_exact(sums.len()) {
            sums.iter_mut().zip(pixel).for_each(|(sum, number)| *sum += *number);
        }
    }
}

/// `[panels, pixels, panel width]` from `[channels, pixels]`.
fn transpose(image: &[f32], area: usize, width: usize, panels: &mut [f32]) {
    // So many pixels at a time stay in the first-level cache while every channel writes to them.
    const PIXELS: usize = 64;
    for (panel, numbers) in panels.chunks_mut(area * width).enumerate() {
        let (channels, wide) = (&image[panel * width * area..], numbers.len() / area);
        if channels.len() < wide * area {
            numbers.fill(0.0);
        }
        for (block, numbers) in numbers.chunks_mut(PIXELS * wide).enumerate() {
            for (i, channel) in channels.chunks_exact(area).take(wide).enumerate() {
                let pixels = &channel[block * PIXELS..][..numbers.len() / wide];
                numbers[i..].iter_mut().step_by(wide).zip(pixels).for_each(|(to, from)| *to = *from);
            }
        }
    }
}
