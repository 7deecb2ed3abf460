//! Shift, scale and rotation in one interpolation.

use std::convert::Infallible;

use rand::{Rng, RngExt};

use super::Augmentation;
use crate::Image;

/// Parts of a pixel that positions are rounded to: fine enough for levels, and 255 · 2048² fits
/// into 32 bits.
const ONE: u32 = 2048;

/// Moves an image about its center.
pub(super) struct Affine {
    /// To the right and downwards, as shares of the width and the height.
    shift: [f32; 2],
    scale: f32,
    /// Clockwise, in radians.
    angle: f32,
}

impl Affine {
    pub fn draw(augmentation: &Augmentation, random: &mut impl Rng) -> Self {
        let mut between =
            |low: f32, high: f32| if low < high { random.random_range(low..=high) } else { low };
        let Augmentation { shift, scale: [least, most], rotation, .. } = *augmentation;
        Self {
            shift: [between(-shift, shift), between(-shift, shift)],
            scale: between(least, most),
            angle: between(-rotation, rotation).to_radians(),
        }
    }

    pub fn apply(&self, image: &Image) -> Image {
        let pixels = match image.channels {
            1 => self.warp(image.pixels.as_chunks::<1>().0, image.width, image.height),
            _ if image.is_volume() => {
                let Ok(moved) = image.each_slice(|slice| Ok::<_, Infallible>(self.apply(&slice)));
                return moved;
            }
            _ => self.warp(image.pixels.as_chunks::<3>().0, image.width, image.height),
        };
        Image { pixels, ..*image }
    }

    fn warp<const CHANNELS: usize>(&self, source: &[[u8; CHANNELS]], width: usize, height: usize) -> Vec<u8> {
        let (sin, cos) = self.angle.sin_cos();
        let (step_x, step_y) = (cos / self.scale, sin / self.scale);
        let center = [width as f32 / 2.0, height as f32 / 2.0];
        let origin = [center[0] + self.shift[0] * width as f32, center[1] + self.shift[1] * height as f32];
        let last = [(width - 1) as f32, (height - 1) as f32];
        let mut pixels: Vec<[u8; CHANNELS]> = Vec::with_capacity(width * height);
        // Coordinates of a row at once: this loop has no memory to look up and becomes vector
        // instructions.
        let mut from = vec![[0; 2]; width];
        for row in 0..height {
            let y = row as f32 + 0.5 - origin[1];
            for (column, from) in from.iter_mut().enumerate() {
                let x = column as f32 + 0.5 - origin[0];
                // Back to the source, whose pixels have their centers at whole numbers here; the
                // border goes on.
                let from_x = (step_x * x + step_y * y + center[0] - 0.5).clamp(0.0, last[0]);
                let from_y = (step_x * y - step_y * x + center[1] - 0.5).clamp(0.0, last[1]);
                *from = [from_x, from_y].map(|position| (position * ONE as f32 + 0.5) as u32);
            }
            pixels.extend(from.iter().map(|from| {
                let [left, top] = from.map(|position| (position / ONE) as usize);
                let [share_x, share_y] = from.map(|position| position % ONE);
                let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
                let upper = &source[top * width..][..width];
                let lower = &source[bottom * width..][..width];
                let (upper, lower) = ([upper[left], upper[right]], [lower[left], lower[right]]);
                std::array::from_fn(|c| {
                    let mix = |[a, b]: [[u8; CHANNELS]; 2]| {
                        u32::from(a[c]) * (ONE - share_x) + u32::from(b[c]) * share_x
                    };
                    let value = mix(upper) * (ONE - share_y) + mix(lower) * share_y;
                    ((value + ONE * ONE / 2) / (ONE * ONE)) as u8
                })
            }));
        }
        pixels.into_flattened()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: usize, height: usize, channels: usize) -> Image {
        let pixels = (0..width * height * channels).map(|i| (i * 89 % 251) as u8).collect();
        Image { width, height, channels, pixels }
    }

    #[test]
    fn a_shift_by_whole_pixels_copies_pixels_and_repeats_the_border() {
        for channels in [1, 3] {
            let image = image(10, 8, channels);
            let moved = Affine { shift: [0.3, -0.25], scale: 1.0, angle: 0.0 }.apply(&image);
            for (row, column) in (0..8).flat_map(|row| (0..10).map(move |column| (row, column))) {
                let from = (row + 2).min(7) * 10 + column.max(3) - 3;
                let at = |pixels: &[u8], i: usize| pixels[i * channels..][..channels].to_vec();
                assert_eq!(at(&moved.pixels, row * 10 + column), at(&image.pixels, from), "{row} {column}");
            }
        }
    }

    #[test]
    fn a_quarter_turn_puts_the_upper_left_corner_to_the_upper_right() {
        let image = image(9, 9, 3);
        let turned = Affine { shift: [0.0; 2], scale: 1.0, angle: std::f32::consts::FRAC_PI_2 }.apply(&image);
        for (row, column) in (0..9).flat_map(|row| (0..9).map(move |column| (row, column))) {
            let (to, from) = (row * 9 + column, (8 - column) * 9 + row);
            assert_eq!(turned.pixels[to * 3..][..3], image.pixels[from * 3..][..3], "{row} {column}");
        }
    }

    #[test]
    fn a_factor_enlarges_what_is_in_the_middle() {
        let mut image = Image { width: 40, height: 40, channels: 1, pixels: vec![0; 1600] };
        for row in 15..25 {
            image.pixels[row * 40 + 15..row * 40 + 25].fill(200);
        }
        let sum = |image: &Image| image.pixels.iter().map(|&p| f64::from(p)).sum::<f64>();
        let larger = Affine { shift: [0.0; 2], scale: 2.0, angle: 0.0 }.apply(&image);
        assert!((sum(&larger) / sum(&image) - 4.0).abs() < 0.01, "{}", sum(&larger) / sum(&image));
        assert_eq!(larger.pixels[11 * 40 + 11], 200);
        assert_eq!(larger.pixels[8 * 40 + 8], 0);
    }

    #[test]
    fn half_a_pixel_is_the_mean_of_two_neighbors() {
        let image = Image { width: 2, height: 1, channels: 1, pixels: vec![10, 21] };
        let moved = Affine { shift: [-0.25, 0.0], scale: 1.0, angle: 0.0 }.apply(&image);
        assert_eq!(moved.pixels, [16, 21]);
    }
}
