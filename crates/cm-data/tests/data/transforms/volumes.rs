//! Volumes: images whose channels are slices.

use std::sync::Arc;

use cm_data::{
    Augmentation, Degradation, Image, InputSpec, Loader, LoaderConfig, MemorySet, Resize, degrade, generator,
    measure,
};

use super::picture;

/// A volume, and its slices as gray images.
fn volume(width: usize, height: usize, slices: usize) -> (Image, Vec<Image>) {
    let mut volume = picture(width, height, 1);
    volume.channels = slices;
    volume.pixels = (0..width * height * slices).map(|i| (i * 7919 % 251) as u8).collect();
    let slices = (0..slices).map(|slice| volume.slice(slice)).collect();
    (volume, slices)
}

fn input(width: usize, height: usize, channels: usize) -> InputSpec {
    let (mean, std) = (vec![0.25; channels], vec![0.5; channels]);
    InputSpec { width, height, channels, region: None, resize: Resize::Stretch, mean, std }
}

/// Whether each slice of a volume is what is expected of it.
fn assert_slices(volume: &Image, expected: &[Image], what: &str) {
    assert_eq!(volume.channels, expected.len());
    for (at, slice) in expected.iter().enumerate() {
        assert_eq!(&volume.slice(at), slice, "{what}, slice {at}");
    }
}

#[test]
fn what_is_done_to_a_volume_is_done_to_each_slice() {
    let (volume, slices) = volume(9, 9, 8);
    for resize in [Resize::Stretch, Resize::Crop, Resize::Fit] {
        let resized =
            |image: &Image| InputSpec { resize, ..input(6, 5, image.channels) }.apply(image).unwrap();
        assert_slices(&resized(&volume), &slices.iter().map(resized).collect::<Vec<_>>(), "resized");
    }
    let augmentation = Augmentation {
        flip: true,
        vertical_flip: true,
        transpose: true,
        shift: 0.2,
        scale: [0.8, 1.2],
        rotation: 20.0,
        ..Augmentation::default()
    };
    for index in 0..20 {
        let moved = |image: &Image| augmentation.apply(image.clone(), &mut generator(1, 2, index));
        assert_slices(&moved(&volume), &slices.iter().map(moved).collect::<Vec<_>>(), "moved");
    }
    for kind in [Degradation::Blur, Degradation::LowResolution, Degradation::Occlusion] {
        let worse = |image: &Image| degrade(image, kind, 3, 5, 7);
        assert_slices(&worse(&volume), &slices.iter().map(worse).collect::<Vec<_>>(), kind.name());
    }
}

#[test]
fn a_network_is_fed_slice_after_slice() {
    let (volume, slices) = volume(4, 3, 9);
    let set = MemorySet { images: vec![Arc::new(volume)], labels: vec![0], names: Vec::new() };
    let loader = Loader::new(Arc::new(set.clone()), input(4, 3, 9), LoaderConfig::default()).unwrap();
    let batch = loader.epoch(0).next().unwrap().unwrap();
    assert_eq!(batch.shape, [1, 9, 3, 4]);
    let expected: Vec<f32> = slices
        .iter()
        .flat_map(|slice| &slice.pixels)
        .map(|&byte| (f32::from(byte) / 255.0 - 0.25) / 0.5)
        .collect();
    assert_eq!(batch.pixels, expected);

    let (mean, std) = measure(&set, &input(4, 3, 9)).unwrap();
    let values: Vec<f64> = set.images[0].pixels.iter().map(|&byte| f64::from(byte) / 255.0).collect();
    let expected = values.iter().sum::<f64>() / values.len() as f64;
    assert!(mean.len() == 9 && mean.iter().all(|&m| (f64::from(m) - expected).abs() < 1e-6), "{mean:?}");
    assert!(std.iter().all(|&s| s == std[0] && s > 0.0));
}

#[test]
fn volumes_are_not_made_of_images_nor_images_of_volumes() {
    let (volume, _) = volume(4, 3, 9);
    for (image, channels) in [(volume.clone(), 1), (volume, 10), (picture(4, 3, 3), 9)] {
        let message = input(4, 3, channels).apply(&image).unwrap_err().to_string();
        assert!(message.contains(&format!("not {channels}")), "{message}");
    }
    let none = Image { width: 1, height: 1, channels: 5, pixels: vec![0; 5] };
    assert!(input(1, 1, 1).apply(&none).unwrap_err().to_string().contains("8 to 255 slices"));
    assert!(input(1, 1, 5).validate().is_err());
}
