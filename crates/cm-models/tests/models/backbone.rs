//! The backbones in one type.

use burn::{module::Module, tensor::Device};
use cm_models::{BackboneConfig, BackboneError, CifarResNetConfig, ResNet3dConfig, Stem};

use crate::shared::{flat, images, iresnet18, mobilefacenet, resnet18, resnet50};

fn resnet3d() -> BackboneConfig {
    BackboneConfig::ResNet3d(ResNet3dConfig { width: 2, blocks: 1 })
}

#[test]
fn every_backbone_is_found_by_its_name() {
    for config in BackboneConfig::all() {
        assert_eq!(config.name().parse(), Ok(config));
    }
    let message = "resnet".parse::<BackboneConfig>().unwrap_err().to_string();
    assert_eq!(
        message,
        "there is no backbone named \"resnet\"; the backbones are lenet++, cifar-resnet, resnet18, resnet50, \
         resnet3d, sphereface20, iresnet18, iresnet34, iresnet50, iresnet100, mobilefacenet"
    );
}

#[test]
fn a_config_is_written_with_its_name_and_read_back() {
    let config = resnet18(16, Stem::Imagenet);
    let text = r#"{"backbone":"resnet18","stem":"imagenet","width":16}"#;
    assert_eq!(serde_json::to_string(&config).unwrap(), text);
    for config in BackboneConfig::all().into_iter().chain([config]) {
        let text = serde_json::to_string(&config).unwrap();
        assert!(text.contains(config.name()), "{text}");
        assert_eq!(serde_json::from_str::<BackboneConfig>(&text).unwrap(), config);
    }
}

#[test]
fn what_a_config_does_not_know_is_refused() {
    for text in [
        r#"{"backbone":"resnet18","stem":"small","width":16,"depth":2}"#,
        r#"{"backbone":"lenet++","stem":"small"}"#,
        r#"{"backbone":"resnet18","stem":"huge"}"#,
        r#"{"backbone":"resnet101"}"#,
        r#"{"width":16}"#,
    ] {
        assert!(serde_json::from_str::<BackboneConfig>(text).is_err(), "{text}");
    }
    let short = serde_json::from_str::<BackboneConfig>(r#"{"backbone":"sphereface20"}"#).unwrap();
    assert_eq!(short, BackboneConfig::sphereface20(64), "what is left out is as in the paper");
}

#[test]
fn every_backbone_takes_the_images_and_gives_the_features_that_it_was_made_for() {
    let device = Device::flex();
    let cases = [
        (BackboneConfig::lenet_pp(2), [[1, 28, 28], [3, 8, 8], [2, 37, 20]]),
        (BackboneConfig::cifar_resnet(2, 2), [[3, 32, 32], [1, 4, 4], [2, 37, 20]]),
        (flat(), [[3, 32, 32], [1, 4, 4], [2, 37, 21]]),
        (resnet3d(), [[9, 8, 8], [4, 4, 4], [12, 7, 5]]),
        (resnet18(2, Stem::Cifar), [[3, 32, 32], [1, 8, 8], [2, 37, 20]]),
        (resnet18(2, Stem::Small), [[3, 64, 64], [1, 16, 16], [2, 37, 20]]),
        (resnet18(2, Stem::Imagenet), [[3, 112, 112], [1, 32, 32], [2, 37, 50]]),
        (BackboneConfig::sphereface20(2), [[3, 112, 96], [1, 16, 16], [2, 37, 20]]),
        (resnet50(), [[3, 64, 64], [1, 16, 16], [2, 37, 20]]),
        (iresnet18(), [[3, 112, 112], [1, 16, 16], [2, 37, 20]]),
        (mobilefacenet(), [[3, 112, 112], [1, 16, 16], [2, 37, 20]]),
    ];
    for (config, inputs) in cases {
        for (input, feature_dim) in inputs.into_iter().zip([5, 1, 2]) {
            let network = config.init(input, feature_dim, &device).unwrap();
            let [channels, height, width] = input;
            let features = network.forward(images([2, channels, height, width]));
            assert_eq!(features.dims(), [2, feature_dim], "{config:?} of {input:?}");
            let told = (network.name(), network.input(), network.feature_dim());
            assert_eq!(told, (config.name(), input, feature_dim));
        }
    }
}

#[test]
fn images_that_vanish_on_the_way_are_refused_with_the_way_out() {
    let device = Device::flex();
    let cases = [
        (BackboneConfig::lenet_pp(2), 8),
        (BackboneConfig::cifar_resnet(2, 1), 4),
        (resnet18(2, Stem::Cifar), 8),
        (resnet18(2, Stem::Small), 16),
        (resnet18(2, Stem::Imagenet), 32),
        (BackboneConfig::sphereface20(2), 16),
        (resnet50(), 16),
        (iresnet18(), 16),
        (mobilefacenet(), 16),
    ];
    for (config, smallest) in cases {
        assert!(config.init([1, smallest, smallest], 2, &device).is_ok(), "{config:?}");
        for input in [[1, smallest - 1, 40], [1, 40, smallest - 1]] {
            let error = config.init(input, 2, &device).unwrap_err();
            assert!(matches!(error, BackboneError::ImageTooSmall { .. }), "{error:?}");
            let [_, height, width] = input;
            for part in [format!("{height} x {width}"), format!("{smallest} x {smallest}")] {
                assert!(error.to_string().contains(&part), "{error}");
            }
        }
    }
    let error = resnet3d().init([1, 28, 28], 2, &device).unwrap_err();
    assert!(matches!(error, BackboneError::FewSlices { channels: 1, .. }), "{error:?}");
    let error = resnet18(2, Stem::Imagenet).init([1, 28, 28], 2, &device).unwrap_err();
    assert!(error.to_string().ends_with("or take the stem \"small\" or \"cifar\""), "{error}");
}

#[test]
fn numbers_that_no_network_has_are_refused() {
    let device = Device::flex();
    let cases = [
        (0, [1, 64, 64], 2, "the width of"),
        (usize::MAX, [1, 64, 64], 2, "the width of"),
        (2, [0, 64, 64], 2, "the number of image channels of"),
        (2, [1, usize::MAX, 64], 2, "the image height of"),
        (2, [1, 64, 0], 2, "the image width of"),
        (2, [1, 64, 64], 0, "the feature dimension of"),
    ];
    for config in BackboneConfig::all() {
        for (width, input, feature_dim, beginning) in cases {
            let config = config.clone().with_width(width);
            let message = config.init(input, feature_dim, &device).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{beginning} {}", config.name())), "{message}");
            assert!(message.contains("from 1 to 65536"), "{message}");
        }
    }
}

#[test]
fn a_wider_network_has_more_channels_everywhere() {
    for config in BackboneConfig::all() {
        let parameters = |width: usize| {
            let config = config.clone().with_width(width);
            assert_eq!(config.width(), width);
            let channels = if config.name() == resnet3d().name() { 8 } else { 3 };
            config.init([channels, 32, 32], 4, &Device::flex()).unwrap().num_params()
        };
        // Most convolutions grow with the square of the width; within the bottlenecks of MobileFaceNet nothing does.
        let (width, factors) = if config.name() == "mobilefacenet" { (64, 1.2..2.0) } else { (8, 3.0..4.0) };
        let (narrow, wide) = (parameters(width), parameters(2 * width));
        let factor = wide as f64 / narrow as f64;
        assert!(factors.contains(&factor), "{}: {narrow} and {wide}", config.name());
    }
}

#[test]
fn the_small_residual_network_has_the_parameters_of_its_paper_and_its_projections() {
    let network = CifarResNetConfig::default().init([3, 32, 32], 10, &Device::flex()).unwrap();
    // The ResNet-20 of the paper, whose shortcuts have no weights, has 269,722 (table 6: 0.27 million). Ours project twice, and Burn
    // counts running statistics as well, as many as the normalizations have weights.
    let projections = 16 * 32 + 32 * 64 + 2 * (32 + 64);
    let normalized = 7 * 16 + 6 * 32 + 6 * 64 + 32 + 64;
    assert_eq!(network.num_params(), 269_722 + projections + 2 * normalized);
}
