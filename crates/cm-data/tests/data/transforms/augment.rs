use cm_data::{Augmentation, Degradation, Image, RandomDegradation, degrade, generator};
use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::picture;

fn none() -> Augmentation {
    Augmentation::default()
}

/// Every change there is.
fn all() -> Augmentation {
    Augmentation {
        flip: true,
        vertical_flip: true,
        transpose: false,
        shift: 0.2,
        scale: [0.8, 1.3],
        rotation: 30.0,
        color: 0.4,
        degrade: Some(RandomDegradation {
            kind: Degradation::Mixed,
            fraction: 0.5,
            severities: [1, 4],
            without: None,
        }),
        erasing: 0.5,
    }
}

/// Rows and columns of the smallest rectangle around all pixels that differ.
fn changed(a: &Image, b: &Image) -> Option<[usize; 2]> {
    let length = a.channels;
    let pixels = a.pixels.chunks_exact(length).zip(b.pixels.chunks_exact(length)).enumerate();
    let places: Vec<[usize; 2]> =
        pixels.filter(|(_, (a, b))| a != b).map(|(i, _)| [i / a.width, i % a.width]).collect();
    let extent = |axis: usize| {
        let along = || places.iter().map(|place| place[axis]);
        Some(along().max()? + 1 - along().min()?)
    };
    Some([extent(0)?, extent(1)?])
}

#[test]
fn augmentations_are_read_from_text_with_nothing_as_the_default() {
    assert_eq!(serde_json::from_str::<Augmentation>("{}").unwrap(), none());
    let text =
        r#"{"flip": true, "scale": [0.9, 1.1], "degrade": {"kind": "low-resolution", "fraction": 0.25}}"#;
    let read: Augmentation = serde_json::from_str(text).unwrap();
    let degrade = RandomDegradation {
        kind: Degradation::LowResolution,
        fraction: 0.25,
        severities: [1, 4],
        without: None,
    };
    assert_eq!(read, Augmentation { flip: true, scale: [0.9, 1.1], degrade: Some(degrade), ..none() });
    for unknown in [r#"{"flips": true}"#, r#"{"degrade": {"kind": "blur", "fraction": 0.1, "severity": 2}}"#]
    {
        assert!(serde_json::from_str::<Augmentation>(unknown).is_err(), "{unknown}");
    }
    assert_eq!(serde_json::from_str::<Augmentation>(&serde_json::to_string(&all()).unwrap()).unwrap(), all());
}

#[test]
fn numbers_out_of_range_are_named_with_their_value() {
    none().validate().unwrap();
    all().validate().unwrap();
    let degrade = |fraction, severities| {
        Some(RandomDegradation { kind: Degradation::Blur, fraction, severities, without: None })
    };
    let cases = [
        ("augmentation.shift is 1.5,", Augmentation { shift: 1.5, ..none() }),
        ("augmentation.color is -0.1,", Augmentation { color: -0.1, ..none() }),
        ("augmentation.erasing is NaN,", Augmentation { erasing: f32::NAN, ..none() }),
        ("augmentation.rotation is 181,", Augmentation { rotation: 181.0, ..none() }),
        ("augmentation.scale is [1.1, 0.9],", Augmentation { scale: [1.1, 0.9], ..none() }),
        ("augmentation.scale is [0.0, 1.0],", Augmentation { scale: [0.0, 1.0], ..none() }),
        ("augmentation.degrade.fraction is 2,", Augmentation { degrade: degrade(2.0, [1, 4]), ..none() }),
        (
            "augmentation.degrade.severities is [0, 4],",
            Augmentation { degrade: degrade(0.5, [0, 4]), ..none() },
        ),
        (
            "augmentation.degrade.severities is [3, 2],",
            Augmentation { degrade: degrade(0.5, [3, 2]), ..none() },
        ),
        (
            "augmentation.degrade.severities is [1, 5],",
            Augmentation { degrade: degrade(0.5, [1, 5]), ..none() },
        ),
    ];
    for (expected, augmentation) in cases {
        let message = augmentation.validate().unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn random_numbers_come_from_seed_epoch_and_index_as_documented() {
    let mut key = [0; 32];
    key[0..8].copy_from_slice(&0x0102_0304_0506_0708u64.to_le_bytes());
    key[8..16].copy_from_slice(&9u64.to_le_bytes());
    key[16..24].copy_from_slice(&10u64.to_le_bytes());
    let mut expected = ChaCha8Rng::from_seed(key);
    let mut found = generator(0x0102_0304_0506_0708, 9, 10);
    assert_eq!(found.next_u64(), expected.next_u64());
    let first = |seed, epoch, index| generator(seed, epoch, index).random::<u64>();
    let numbers = [first(0, 0, 0), first(1, 0, 0), first(0, 1, 0), first(0, 0, 1)];
    assert!((1..4).all(|i| !numbers[..i].contains(&numbers[i])), "{numbers:?}");
}

#[test]
fn images_are_mirrored_half_of_the_time() {
    let image = picture(7, 5, 3);
    let mut mirrored = image.clone();
    mirrored.flip_horizontally();
    let mut upside_down = image.clone();
    upside_down.flip_vertically();
    let flip = Augmentation { flip: true, ..none() };
    let vertical = Augmentation { vertical_flip: true, ..none() };
    for (augmentation, expected) in [(flip, mirrored), (vertical, upside_down)] {
        let mut count = 0;
        for index in 0..1000 {
            let found = augmentation.apply(image.clone(), &mut generator(0, 0, index));
            assert!(found == image || found == expected);
            count += usize::from(found == expected);
        }
        // Three standard deviations are 47.
        assert!((450..550).contains(&count), "{count}");
    }
}

#[test]
fn shifts_go_as_far_as_they_may_in_every_direction() {
    let mut dot = Image { width: 41, height: 21, channels: 1, pixels: vec![0; 41 * 21] };
    dot.pixels[10 * 41 + 20] = 255;
    let augmentation = Augmentation { shift: 0.25, ..none() };
    // Center of the light, as shares of the size.
    let moved = (0..500).map(|index| {
        let image = augmentation.apply(dot.clone(), &mut generator(3, 0, index));
        let light: f64 = image.pixels.iter().map(|&p| f64::from(p)).sum();
        let mean = |at: &dyn Fn(usize) -> f64| {
            image.pixels.iter().enumerate().map(|(i, &p)| at(i) * f64::from(p)).sum::<f64>() / light
        };
        [(mean(&|i| (i % 41) as f64) - 20.0) / 41.0, (mean(&|i| (i / 41) as f64) - 10.0) / 21.0]
    });
    let moved: Vec<[f64; 2]> = moved.collect();
    for axis in 0..2 {
        let least = moved.iter().map(|shift| shift[axis]).fold(0.0, f64::min);
        let most = moved.iter().map(|shift| shift[axis]).fold(0.0, f64::max);
        assert!((-0.252..-0.23).contains(&least) && (0.23..0.252).contains(&most), "{least} to {most}");
    }
}

#[test]
fn color_changes_brightness_contrast_and_saturation_as_the_formulas_say() {
    for channels in [1, 3] {
        let image = picture(9, 7, channels);
        let mut random = generator(5, 6, 7);
        let [b, c, s] = [0; 3].map(|_| f64::from(random.random_range(0.7f32..=1.3)));
        let changed = Augmentation { color: 0.3, ..none() }.apply(image.clone(), &mut generator(5, 6, 7));
        // In steps: brightness, then contrast about the mean luma, then saturation about the luma
        // of each pixel.
        let luma = |pixel: &[f64]| match pixel {
            [gray] => *gray,
            pixel => 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2],
        };
        let bright: Vec<f64> = image.pixels.iter().map(|&p| b * f64::from(p)).collect();
        let mean = bright.chunks_exact(channels).map(luma).sum::<f64>() / 63.0;
        let contrast: Vec<f64> = bright.iter().map(|v| mean + c * (v - mean)).collect();
        for (pixel, found) in contrast.chunks_exact(channels).zip(changed.pixels.chunks_exact(channels)) {
            for (&value, &found) in pixel.iter().zip(found) {
                let exact = luma(pixel) + if channels == 1 { 1.0 } else { s } * (value - luma(pixel));
                // Luma is rounded to whole levels.
                assert!((f64::from(found) - exact.clamp(0.0, 255.0)).abs() < 1.2, "{found} for {exact}");
            }
        }
    }
}

#[test]
fn the_stated_share_is_degraded_with_the_stated_severities() {
    let image = picture(16, 16, 3);
    let degradation =
        RandomDegradation { kind: Degradation::Blur, fraction: 0.3, severities: [2, 3], without: None };
    let augmentation = Augmentation { degrade: Some(degradation), ..none() };
    let expected = [2, 3].map(|severity| degrade(&image, Degradation::Blur, severity, 0, 0));
    let mut counts = [0; 2];
    for index in 0..1000 {
        let found = augmentation.apply(image.clone(), &mut generator(0, 0, index));
        if found != image {
            counts[expected.iter().position(|expected| *expected == found).unwrap()] += 1;
        }
    }
    assert!(counts.iter().all(|count| (110..190).contains(count)), "{counts:?}");
}

#[test]
fn images_are_erased_with_the_stated_probability() {
    let image = picture(16, 16, 1);
    let augmentation = Augmentation { erasing: 0.25, ..none() };
    let erased =
        (0..1000).filter(|&index| augmentation.apply(image.clone(), &mut generator(0, 0, index)) != image);
    let count = erased.count();
    assert!((205..295).contains(&count), "{count}");
}

proptest! {
    #[test]
    fn no_strength_leaves_every_bit(width in 1usize..30, height in 1usize..30, color: bool, seed: u64) {
        let image = picture(width, height, if color { 3 } else { 1 });
        let degrade = Some(RandomDegradation { kind: Degradation::Noise, fraction: 0.0, severities: [4, 4], without: None });
        for augmentation in [none(), Augmentation { degrade, ..none() }] {
            prop_assert_eq!(&augmentation.apply(image.clone(), &mut generator(seed, 0, 0)), &image);
        }
    }

    #[test]
    fn sizes_stay_and_the_generator_alone_decides(
        width in 1usize..30, height in 1usize..30, color: bool, seed: u64, epoch: u64, index: u64,
    ) {
        let image = picture(width, height, if color { 3 } else { 1 });
        let augmented = || all().apply(image.clone(), &mut generator(seed, epoch, index));
        let found = augmented();
        prop_assert_eq!(
            [found.width, found.height, found.channels, found.pixels.len()],
            [width, height, image.channels, image.pixels.len()]
        );
        prop_assert_eq!(found, augmented());
    }

    #[test]
    fn erasing_covers_a_share_in_its_range_and_leaves_the_rest(
        width in 8usize..60, height in 8usize..60, seed: u64,
    ) {
        let image = picture(width, height, 3);
        let erased = Augmentation { erasing: 1.0, ..none() }.apply(image.clone(), &mut generator(seed, 0, 0));
        // Three random values are those that were there once in 2^24 pixels.
        let [rows, columns] = changed(&image, &erased).unwrap();
        let (area, whole) = ((rows * columns) as f64, (width * height) as f64);
        // Each side is rounded to whole pixels.
        let rounding = (rows + columns) as f64 / 2.0 + 0.25;
        prop_assert!(area + rounding >= 0.02 * whole && area - rounding <= 0.33 * whole, "{} of {}", area, whole);
        // Longer than 3.3 times only where the image is.
        let ratio = (rows as f64 - 0.5) / (columns as f64 + 0.5);
        prop_assert!(ratio <= 3.3f64.max(height as f64 / width as f64), "{} x {}", rows, columns);
    }

    #[test]
    fn any_affine_change_of_one_color_is_that_color(
        width in 1usize..30, height in 1usize..30, value: u8, shift in 0f32..1.0, rotation in 0f32..180.0,
        low in 0.01f32..2.0, high in 2f32..100.0, seed: u64,
    ) {
        let image = Image { width, height, channels: 3, pixels: vec![value; width * height * 3] };
        let augmentation = Augmentation { shift, rotation, scale: [low, high], ..none() };
        prop_assert_eq!(&augmentation.apply(image.clone(), &mut generator(seed, 0, 0)), &image);
    }
}

#[test]
fn three_mirrors_are_the_eight_symmetries_of_the_square_equally_often() {
    let image = picture(6, 6, 1);
    let augmentation = Augmentation { flip: true, vertical_flip: true, transpose: true, ..none() };
    let mut counts = std::collections::BTreeMap::new();
    for index in 0..4000 {
        let found = augmentation.apply(image.clone(), &mut generator(0, 0, index));
        *counts.entry(found.pixels).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 8);
    // Four standard deviations are 84.
    assert!(counts.values().all(|&count| (416..584).contains(&count)), "{:?}", counts.values());
}
