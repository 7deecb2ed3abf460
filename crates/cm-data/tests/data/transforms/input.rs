use cm_data::{DataError, InputSpec, Resize};
use proptest::prelude::*;

use super::{input, picture};

#[test]
fn a_preprocessing_is_read_from_text_and_unknown_names_are_refused() {
    let text = r#"{"width": 112, "height": 96, "channels": 3, "resize": "crop", "region": [61, 61, 128, 128],
        "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]}"#;
    let read: InputSpec = serde_json::from_str(text).unwrap();
    assert_eq!((read.width, read.height, read.resize), (112, 96, Resize::Crop));
    assert_eq!(read.region, Some([61, 61, 128, 128]));
    let written = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<InputSpec>(&written).unwrap(), read);
    let unknown = text.replace("\"resize\"", "\"resise\"");
    assert!(serde_json::from_str::<InputSpec>(&unknown).unwrap_err().to_string().contains("resise"));
    // A region is optional, and not written where there is none.
    let without = serde_json::to_string(&input(1, 1, 1, Resize::None)).unwrap();
    assert!(!without.contains("region"), "{without}");
    assert_eq!(serde_json::from_str::<InputSpec>(&without).unwrap().region, None);
}

#[test]
fn each_setting_that_cannot_be_used_is_named_with_its_value() {
    let good = || input(8, 6, 3, Resize::Fit);
    good().validate().unwrap();
    let cases = [
        ("input.width is 0,", InputSpec { width: 0, ..good() }),
        ("input.height is 16385,", InputSpec { height: 16385, ..good() }),
        ("input.channels is 2,", InputSpec { channels: 2, ..good() }),
        ("input.region is [1, 1, 0, 5],", InputSpec { region: Some([1, 1, 0, 5]), ..good() }),
        ("input.region is [1, 1, 5, 0],", InputSpec { region: Some([1, 1, 5, 0]), ..good() }),
        ("input.mean is [0.5],", InputSpec { mean: vec![0.5], ..good() }),
        ("input.std is [],", InputSpec { std: Vec::new(), ..good() }),
        ("input.mean is [0.5, NaN, 0.5],", InputSpec { mean: vec![0.5, f32::NAN, 0.5], ..good() }),
        ("input.std is [0.5, 0.5, inf],", InputSpec { std: vec![0.5, 0.5, f32::INFINITY], ..good() }),
        ("input.std is [0.5, 0.0, 0.5],", InputSpec { std: vec![0.5, 0.0, 0.5], ..good() }),
        ("input.std is [0.5, 0.5, -1.0],", InputSpec { std: vec![0.5, 0.5, -1.0], ..good() }),
    ];
    for (expected, spoilt) in cases {
        let message = spoilt.validate().unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn images_that_cannot_be_preprocessed_say_why() {
    let mut exact = input(8, 6, 3, Resize::None);
    assert_eq!(exact.apply(&picture(8, 6, 3)).unwrap(), picture(8, 6, 3));
    let wrong = exact.apply(&picture(8, 7, 3)).unwrap_err();
    assert!(matches!(wrong, DataError::WrongSize { found: [8, 7], expected: [8, 6] }), "{wrong}");
    // What is cut out has to have the size, not the whole image.
    exact.region = Some([2, 1, 8, 6]);
    let whole = picture(11, 9, 3);
    assert_eq!(exact.apply(&whole).unwrap(), whole.part([2, 1, 8, 6]).unwrap());
    for resize in [Resize::Stretch, Resize::Crop, Resize::Fit, Resize::None] {
        for (channels, found) in [(1, 3), (3, 1), (3, 3)] {
            let spec = InputSpec { region: Some([5, 0, 8, 6]), ..input(4, 4, channels, resize) };
            let outside = spec.apply(&picture(11, 9, found)).unwrap_err();
            assert!(matches!(outside, DataError::RegionOutside { width: 11, height: 9, .. }), "{outside}");
        }
    }
    for spoilt in [(0, 0, 3), (8, 5, 3), (4, 6, 3), (8, 9, 2), (usize::MAX, 2, 3)] {
        let mut image = picture(8, 6, 3);
        (image.width, image.height, image.channels) = spoilt;
        let message = exact.apply(&image).unwrap_err();
        assert!(matches!(message, DataError::NotWhole { values: 144, .. }), "{message}");
    }
}

#[test]
fn gray_becomes_color_by_copying_and_color_gray_by_luma() {
    for resize in [Resize::Stretch, Resize::Crop, Resize::Fit] {
        let (gray, color) = (picture(13, 9, 1), picture(13, 9, 3));
        let to_gray = input(6, 7, 1, resize);
        let to_color = input(6, 7, 3, resize);
        assert_eq!(to_color.apply(&gray).unwrap(), to_gray.apply(&gray).unwrap().to_rgb());
        assert_eq!(to_gray.apply(&color).unwrap(), to_gray.apply(&color.to_gray()).unwrap());
        let region = Some([2, 1, 9, 7]);
        let (cut_gray, cut) = (InputSpec { region, ..to_gray.clone() }, color.part([2, 1, 9, 7]).unwrap());
        assert_eq!(cut_gray.apply(&color).unwrap(), to_gray.apply(&cut).unwrap());
    }
    // Also where nothing else is to be done.
    let same = input(13, 9, 1, Resize::None);
    assert_eq!(same.apply(&picture(13, 9, 3)).unwrap(), picture(13, 9, 3).to_gray());
    assert_eq!(input(13, 9, 3, Resize::None).apply(&picture(13, 9, 1)).unwrap(), picture(13, 9, 1).to_rgb());
}

proptest! {
    #[test]
    fn normalized_values_have_the_bits_of_the_formula_channel_after_channel(
        width in 1usize..20, height in 1usize..20, color: bool,
        mean in proptest::array::uniform3(-1f32..2.0), std in proptest::array::uniform3(0.01f32..2.0),
    ) {
        let channels = if color { 3 } else { 1 };
        let image = picture(width, height, channels);
        let mut spec = input(width, height, channels, Resize::None);
        (spec.mean, spec.std) = (mean[..channels].to_vec(), std[..channels].to_vec());
        let mut values = vec![f32::NAN; spec.values()];
        spec.normalize(&image, &mut values);
        for (i, value) in values.iter().enumerate() {
            let (channel, pixel) = (i / (width * height), i % (width * height));
            let byte = image.pixels[pixel * channels + channel];
            let expected = (f32::from(byte) / 255.0 - mean[channel]) / std[channel];
            prop_assert_eq!(value.to_bits(), expected.to_bits());
        }
    }
}
