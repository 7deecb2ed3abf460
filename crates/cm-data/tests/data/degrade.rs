use cm_train::data::{Degradation, assign_severities, degrade, degrade_all, synthetic_digits};
use proptest::prelude::*;

use super::mean_squared_difference;

#[test]
fn each_severity_of_each_kind_moves_the_images_further_from_the_original() {
    let original = synthetic_digits(300, 0, 0).train;
    for kind in Degradation::ALL {
        let mut last = 0.0;
        for severity in 0..5 {
            let spoilt = degrade_all(&original, kind, &vec![severity; original.len()], 7);
            let difference = mean_squared_difference(&spoilt, &original);
            assert_eq!(severity == 0, difference == 0.0, "{kind} {severity}");
            assert!(severity == 0 || difference > last, "{kind} {severity}: {difference} after {last}");
            assert_eq!(spoilt.labels, original.labels);
            last = difference;
        }
    }
}

#[test]
fn seed_and_index_decide_and_nothing_else() {
    let image = synthetic_digits(1, 0, 0).train;
    let spoil = |seed, index| degrade(image.image(0), 28, 28, Degradation::Noise, 3, seed, index);
    assert_eq!(spoil(1, 5), spoil(1, 5));
    assert_ne!(spoil(1, 5), spoil(1, 6));
    assert_ne!(spoil(1, 5), spoil(2, 5));
}

#[test]
fn mixed_uses_every_other_kind() {
    let image = synthetic_digits(1, 0, 0).train;
    let spoil = |kind, index| degrade(image.image(0), 28, 28, kind, 2, 0, index);
    let mixed: Vec<Vec<u8>> = (0..200).map(|index| spoil(Degradation::Mixed, index)).collect();
    for kind in [Degradation::Blur, Degradation::LowResolution] {
        let count = mixed.iter().filter(|&image| *image == spoil(kind, 0)).count();
        assert!((20..60).contains(&count), "{kind} was chosen {count} times of 200");
    }
}

#[test]
fn low_contrast_keeps_the_share_of_the_contrast_that_its_table_names() {
    let pixels: Vec<u8> = [0, 255].repeat(392);
    let spoilt = degrade(&pixels, 28, 28, Degradation::LowContrast, 1, 0, 0);
    let mean =
        |parity: usize| spoilt.iter().skip(parity).step_by(2).map(|&p| f64::from(p)).sum::<f64>() / 392.0;
    assert!((mean(1) - mean(0) - 0.4 * 255.0).abs() < 3.0, "{} to {}", mean(0), mean(1));
}

#[test]
fn occlusion_covers_the_share_of_the_area_that_its_table_names() {
    let shares = (0..200).map(|index| {
        let spoilt = degrade(&[0; 784], 28, 28, Degradation::Occlusion, 4, 0, index);
        spoilt.iter().filter(|&&p| p > 0).count() as f64 / 784.0
    });
    let mean = shares.sum::<f64>() / 200.0;
    assert!((0.42..0.48).contains(&mean), "{mean}");
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
    fn images_of_every_size_can_be_spoilt(
        rows in 1usize..40, cols in 1usize..40, severity in 0u8..5, seed in any::<u64>(), index in any::<u64>(),
    ) {
        let pixels: Vec<u8> = (0..rows * cols).map(|i| (i * 37 % 256) as u8).collect();
        for kind in Degradation::ALL {
            prop_assert_eq!(degrade(&pixels, rows, cols, kind, severity, seed, index).len(), rows * cols);
        }
    }
}
