use std::sync::Arc;

use cm_data::{Degradation, Image, MemorySet, assign_severities, degrade, degrade_all};
use proptest::prelude::*;

use crate::transforms::{md5_hex, picture};

/// Bright blocks and bars on black.
fn drawings(count: usize, channels: usize) -> MemorySet {
    let drawing = |i: usize| {
        let mut pixels = vec![0; 28 * 28 * channels];
        let bars =
            [(3 + i % 5, 4 + i % 7, 18, 3), (6 + i % 9, 5 + i % 4, 3, 16), (12 + i % 3, 14 + i % 6, 10, 3)];
        for (top, left, height, width) in bars {
            for row in top..(top + height).min(28) {
                let start = (row * 28 + left) * channels;
                pixels[start..start + width.min(28 - left) * channels].fill((190 + i % 60) as u8);
            }
        }
        Arc::new(Image { width: 28, height: 28, channels, pixels })
    };
    let images = (0..count).map(drawing).collect();
    MemorySet { images, labels: (0..count).map(|i| (i % 10) as u32).collect(), names: Vec::new() }
}

fn mean_squared_difference(a: &MemorySet, b: &MemorySet) -> f64 {
    let differences = a.images.iter().zip(&b.images).map(|(a, b)| {
        let squares = a.pixels.iter().zip(&b.pixels).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2));
        squares.sum::<f64>() / a.pixels.len() as f64
    });
    differences.sum::<f64>() / a.images.len() as f64
}

/// MD5 sums over images 0 to 7 of severities 1 to 4, seeds 11 and 12 in turn, as the version
/// before color images gave them for gray ones.
const GRAY: [(usize, usize, Degradation, [&str; 4]); 12] = [
    (
        28,
        28,
        Degradation::Blur,
        [
            "f6b4f72cacec431637cd3f964bca415d",
            "89724e27e433c1b3b972673e63e49c0a",
            "9aaa33e22b4040bcaac707a8b7c6fc89",
            "e37db6998e8f0119af32ddc0d8a7f1bf",
        ],
    ),
    (
        28,
        28,
        Degradation::LowResolution,
        [
            "80889f547494bcf81b0619d48e684404",
            "c8d05a74fae4a7e5de3ac04bb669a236",
            "fa0c89102b78a1d283755681b68baa7a",
            "8efea00e5e654da4303cf031d0ab570a",
        ],
    ),
    (
        28,
        28,
        Degradation::Noise,
        [
            "ddfd6b8b3488722349c7e4ce44ae108d",
            "6b1d569307a9e03473f16429a51505b4",
            "38495f561aa5990e9a966b643130b261",
            "fc0c583732716995483ac538ee9d17d8",
        ],
    ),
    (
        28,
        28,
        Degradation::Occlusion,
        [
            "5addda7c18385f914bf44b699237fb19",
            "6b253cb21e7b08b7db840aef752c1886",
            "f8393ae44c78a6b4ca022744497da5de",
            "a7d1cb4f012fa57afe7c88f678fb16df",
        ],
    ),
    (
        28,
        28,
        Degradation::LowContrast,
        [
            "106f93d09650ea89332457a917a1a92f",
            "e86bb30da19dd4466897693c340504a4",
            "19d0d0e6339012027114f4c540aa5800",
            "979782f5c9333333e425c40a19e5a8bf",
        ],
    ),
    (
        28,
        28,
        Degradation::Mixed,
        [
            "ef2f463fd76d5d2a5c5565d91e851858",
            "112dc6535b5d4a80d9d90541d3c141d1",
            "50c6430598beb6f0ebe55d22e194d426",
            "03c12b2bca194abfd87890aa0b48e1ea",
        ],
    ),
    (
        31,
        20,
        Degradation::Blur,
        [
            "b53c22a0bf0f42afbc5b140f37efd432",
            "7183999006ca956e5c5816cb9e1206e7",
            "8265e475bb9bd4c258e7fac219738db9",
            "ceaf11b2881c68eb364ca059824c9072",
        ],
    ),
    (
        31,
        20,
        Degradation::LowResolution,
        [
            "6bdb39b22c24061e3efbc89112c61d9c",
            "35863e64d835b7e0045b5371b451ae1a",
            "f331242f2baeea49761a2ddf74797051",
            "637509acba8a32e4c5fa6e6880f194c8",
        ],
    ),
    (
        31,
        20,
        Degradation::Noise,
        [
            "f5ce76ffa91e07e9bf2a2c7f46d5f70a",
            "5a62ed2b2c66d1625ea790c77ed429f6",
            "4605b1ab07b7b5abef8fbbe82f8e886d",
            "966ce5ac80a2f31b6b582be6b5778b63",
        ],
    ),
    (
        31,
        20,
        Degradation::Occlusion,
        [
            "72c149aeedb2f92739def41306071e46",
            "dca355e6a075adf9a11e0f8f9c2d4a98",
            "1972179c7bc3e9d2640971494d6cfb36",
            "427a73b6b5d811b64c7a6afb387597b2",
        ],
    ),
    (
        31,
        20,
        Degradation::LowContrast,
        [
            "faa64d2bb672f9cd457f0c3c85b383c4",
            "2601e6419892cd12f4aa746b11725178",
            "8e393536e6efe36f0523ee1ed44f3aa0",
            "db50d67758ac769c4ae4b6de9f34b44d",
        ],
    ),
    (
        31,
        20,
        Degradation::Mixed,
        [
            "25cbfb5841c9f2c77ac5d4dcf82b8664",
            "45ed94a2de21e4cf9b86f4625b8ea59b",
            "fc6034a90e11179b809bafb359ce7674",
            "a2703f8e1eb31fac4f3a9da9c8bf1b7b",
        ],
    ),
];

#[test]
fn gray_images_are_degraded_to_the_same_bits_as_ever() {
    for (width, height, kind, expected) in GRAY {
        let image = picture(width, height, 1);
        let sums = [1, 2, 3, 4].map(|severity| {
            let degraded = (0..8).map(|i| degrade(&image, kind, severity, 11 + i % 2, i)).collect::<Vec<_>>();
            md5_hex(degraded.iter().map(|image| image.pixels.as_slice()))
        });
        assert_eq!(sums, expected, "{kind} {width} x {height}");
    }
    assert_eq!(md5_hex([&assign_severities(1000, 0.37, 5)[..]]), "20511e3baceccb7d4f3bc7dfcf0b9ce2");
}

#[test]
fn each_severity_of_each_kind_moves_the_images_further_from_the_original() {
    for channels in [1, 3] {
        let original = drawings(200, channels);
        for kind in Degradation::ALL {
            let mut last = 0.0;
            for severity in 0..5 {
                let degraded = degrade_all(&original, kind, &[severity; 200], 7);
                let difference = mean_squared_difference(&degraded, &original);
                assert_eq!(severity == 0, difference == 0.0, "{kind} {severity}");
                assert!(severity == 0 || difference > last, "{kind} {severity}: {difference} after {last}");
                assert_eq!(degraded.labels, original.labels);
                last = difference;
            }
        }
    }
}

#[test]
fn seed_and_index_decide_and_nothing_else() {
    let image = picture(28, 28, 1);
    let spoil = |seed, index| degrade(&image, Degradation::Noise, 3, seed, index);
    assert_eq!(spoil(1, 5), spoil(1, 5));
    assert_ne!(spoil(1, 5), spoil(1, 6));
    assert_ne!(spoil(1, 5), spoil(2, 5));
}

#[test]
fn mixed_uses_every_other_kind() {
    let image = picture(28, 28, 3);
    let spoil = |kind, index| degrade(&image, kind, 2, 0, index);
    let mixed: Vec<Image> = (0..200).map(|index| spoil(Degradation::Mixed, index)).collect();
    for kind in [Degradation::Blur, Degradation::LowResolution] {
        let count = mixed.iter().filter(|&image| *image == spoil(kind, 0)).count();
        assert!((20..60).contains(&count), "{kind} was chosen {count} times of 200");
    }
}

#[test]
fn low_contrast_keeps_the_share_of_the_contrast_that_its_table_names() {
    let image = Image { width: 28, height: 28, channels: 1, pixels: [0, 255].repeat(392) };
    let degraded = degrade(&image, Degradation::LowContrast, 1, 0, 0);
    let mean = |parity: usize| {
        degraded.pixels.iter().skip(parity).step_by(2).map(|&p| f64::from(p)).sum::<f64>() / 392.0
    };
    assert!((mean(1) - mean(0) - 0.4 * 255.0).abs() < 3.0, "{} to {}", mean(0), mean(1));
}

#[test]
fn occlusion_covers_the_share_of_the_area_that_its_table_names_with_one_gray() {
    let black = Image { width: 28, height: 28, channels: 3, pixels: vec![0; 28 * 28 * 3] };
    let shares = (0..200).map(|index| {
        let degraded = degrade(&black, Degradation::Occlusion, 4, 0, index);
        let mut covered: Vec<u8> = degraded.pixels.iter().copied().filter(|&p| p > 0).collect();
        let share = covered.len() as f64 / degraded.pixels.len() as f64;
        covered.dedup();
        assert!(covered.len() <= 1, "{covered:?}");
        share
    });
    let mean = shares.sum::<f64>() / 200.0;
    assert!((0.42..0.48).contains(&mean), "{mean}");
}

#[test]
fn noise_differs_between_channels_and_blur_does_not() {
    let gray = picture(28, 28, 1);
    let channel =
        |image: &Image, c: usize| image.pixels.iter().skip(c).step_by(3).copied().collect::<Vec<u8>>();
    for kind in [Degradation::Noise, Degradation::LowContrast] {
        let noisy = degrade(&gray.to_rgb(), kind, 2, 0, 0);
        assert_ne!(channel(&noisy, 0), channel(&noisy, 1), "{kind}");
        assert_ne!(channel(&noisy, 1), channel(&noisy, 2), "{kind}");
    }
    for kind in [Degradation::Blur, Degradation::LowResolution, Degradation::Occlusion] {
        let (alone, color) = (degrade(&gray, kind, 2, 0, 0), degrade(&gray.to_rgb(), kind, 2, 0, 0));
        for c in 0..3 {
            let differences =
                channel(&color, c).iter().zip(&alone.pixels).map(|(&a, &b)| a.abs_diff(b)).max();
            assert!(differences <= Some(1), "{kind}: {differences:?}");
        }
    }
}

#[test]
fn severities_are_dealt_in_exact_numbers_and_another_order_for_another_seed() {
    let severities = assign_severities(1000, 0.1, 0);
    let count = |wanted: u8| severities.iter().filter(|&&s| s == wanted).count();
    assert_eq!([0, 1, 2, 3, 4].map(count), [900, 25, 25, 25, 25]);
    assert_ne!(severities, assign_severities(1000, 0.1, 1));
    assert!(assign_severities(10, 0.0, 0).iter().all(|&s| s == 0));
    assert!(assign_severities(10, 1.0, 0).iter().all(|&s| s > 0));
}

#[test]
fn names_are_read_back_and_others_listed() {
    for kind in Degradation::ALL {
        assert_eq!(kind.to_string().parse::<Degradation>().unwrap(), kind);
    }
    let message = "fog".parse::<Degradation>().unwrap_err().to_string();
    assert!(message.contains("\"fog\"") && message.contains("low-resolution"), "{message}");
}

proptest! {
    #[test]
    fn images_of_every_size_can_be_degraded(
        width in 1usize..40, height in 1usize..40, color: bool, severity in 0u8..5, seed: u64, index: u64,
    ) {
        let image = picture(width, height, if color { 3 } else { 1 });
        for kind in Degradation::ALL {
            let degraded = degrade(&image, kind, severity, seed, index);
            prop_assert_eq!([degraded.width, degraded.height, degraded.channels], [width, height, image.channels]);
            prop_assert_eq!(degraded.pixels.len(), image.pixels.len());
        }
    }
}
