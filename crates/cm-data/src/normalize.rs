//! From bytes to the numbers that a network is fed.

use crate::{Image, InputSpec};

/// The number for each byte of each channel, computed once: a table look-up gives the same bits as
/// the formula and takes less time than two divisions.
#[derive(Debug, Clone)]
pub(crate) struct Normalizer {
    width: usize,
    height: usize,
    tables: Vec<[f32; 256]>,
}

impl Normalizer {
    pub fn new(input: &InputSpec) -> Self {
        let tables = input.mean.iter().zip(&input.std).map(|(&mean, &std)| {
            let mut table = [0.0; 256];
            for (byte, number) in (0..=255u8).zip(&mut table) {
                *number = (f32::from(byte) / 255.0 - mean) / std;
            }
            table
        });
        Self { width: input.width, height: input.height, tables: tables.collect() }
    }

    /// See [`InputSpec::normalize`], also for when this panics.
    pub fn write(&self, image: &Image, out: &mut [f32]) {
        let size = [image.width, image.height, image.channels];
        assert_eq!(size, [self.width, self.height, self.tables.len()], "the image is not preprocessed");
        assert_eq!(out.len(), image.pixels.len(), "there is a place for each value");
        match self.tables.as_slice() {
            [table] => {
                for (number, &byte) in out.iter_mut().zip(&image.pixels) {
                    *number = table[usize::from(byte)];
                }
            }
            [red, green, blue] => {
                let (reds, rest) = out.split_at_mut(self.width * self.height);
                let (greens, blues) = rest.split_at_mut(self.width * self.height);
                let pixels = image.pixels.as_chunks::<3>().0;
                for (((r, g), b), pixel) in reds.iter_mut().zip(greens).zip(blues).zip(pixels) {
                    *r = red[usize::from(pixel[0])];
                    *g = green[usize::from(pixel[1])];
                    *b = blue[usize::from(pixel[2])];
                }
            }
            tables => {
                let slices = out.chunks_exact_mut(self.width * self.height).zip(tables).enumerate();
                for (channel, (slice, table)) in slices {
                    let bytes = image.pixels.iter().skip(channel).step_by(tables.len());
                    slice
                        .iter_mut()
                        .zip(bytes)
                        .for_each(|(number, &byte)| *number = table[usize::from(byte)]);
                }
            }
        }
    }
}
