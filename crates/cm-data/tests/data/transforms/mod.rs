//! Images that need no file, and the modules of the tests of the transforms.

mod augment;
mod balanced;
mod dataset;
mod image_ops;
mod input;
mod loader;
mod measure;
mod resize;
mod volumes;
mod workers;

use std::sync::Arc;

use cm_data::{Image, InputSpec, MemorySet, Resize};
use md5::{Digest, Md5};

/// An image of gradients and blocks. The same in all channels but for a shift.
pub fn picture(width: usize, height: usize, channels: usize) -> Image {
    let value = |x: usize, y: usize| {
        let plain = (x * 9 + y * 5 + (x * y) % 7 * 13) % 256;
        if (x / 4 + y / 4).is_multiple_of(3) { 255 - plain / 2 } else { plain }
    };
    let pixels = (0..width * height * channels).map(|i| {
        let (pixel, channel) = (i / channels, i % channels);
        ((value(pixel % width, pixel / width) + 40 * channel) % 256) as u8
    });
    Image { width, height, channels, pixels: pixels.collect() }
}

/// `count` different images of 8 x 6 pixels in 3 channels, of classes 0, 1 and 2.
pub fn pictures(count: usize) -> MemorySet {
    let image = |i: usize| {
        let mut image = picture(8, 6, 3);
        image
            .pixels
            .iter_mut()
            .enumerate()
            .for_each(|(at, value)| *value = value.wrapping_add((i * (at + 7)) as u8));
        Arc::new(image)
    };
    MemorySet {
        images: (0..count).map(image).collect(),
        labels: (0..count).map(|i| (i % 3) as u32).collect(),
        names: (0..count).map(|i| format!("folder/{i}.png")).collect(),
    }
}

/// Images of this size as they are, from −1 to 1.
pub fn input(width: usize, height: usize, channels: usize, resize: Resize) -> InputSpec {
    let (mean, std) = (vec![0.5; channels], vec![0.5; channels]);
    InputSpec { width, height, channels, resize, region: None, mean, std }
}

pub fn md5_hex<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut sum = Md5::new();
    parts.into_iter().for_each(|part| sum.update(part));
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
