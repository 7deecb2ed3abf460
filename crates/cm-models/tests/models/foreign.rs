//! Weights that PyTorch wrote. `tools/torch_weights.py` made the files and computed the features in
//! them.

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use cm_models::{
    Backbone, BackboneConfig, Stem, WeightsError,
    weights::{self, ChannelOrder, ForeignReport, load_foreign},
};

use crate::shared::{bits, images, numbers, resnet18, shaken};

const FILES: [&str; 3] = ["state-dict.pth", "checkpoint.pth", "timm.safetensors"];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/torch").join(name)
}

fn load(
    config: &BackboneConfig,
    input: [usize; 3],
    feature_dim: usize,
    file: &str,
) -> (Backbone, ForeignReport) {
    let network = config.init(input, feature_dim, &Device::flex()).unwrap();
    load_foreign(network, &path(file), ChannelOrder::Rgb).unwrap()
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let largest = differences.fold(0.0, f32::max);
    assert!(largest <= 1e-4, "{found:?} is not {expected:?}");
}

#[test]
fn features_are_those_of_pytorch() {
    let expected: Vec<Vec<f32>> = serde_json::from_str(include_str!("torch/features.json")).unwrap();
    for file in FILES {
        let (network, report) = load(&resnet18(1, Stem::Imagenet), [3, 40, 33], 3, file);
        assert_close(&numbers(network.forward(images([2, 3, 40, 33]))), &expected.concat());
        assert_eq!((report.loaded.len(), report.untouched.len()), (102, 0), "{file}: {report:?}");
        let skipped: &[&str] = match file {
            "checkpoint.pth" => &["optimizer.state.0.momentum_buffer [2] is not in the network"],
            _ => &[],
        };
        assert_eq!(report.skipped, skipped, "{file}");
    }
}

#[test]
fn what_has_another_shape_is_left_as_it_was_and_named() {
    for file in FILES {
        let network = shaken(&resnet18(1, Stem::Cifar), [3, 32, 32], 5);
        let before = bits(&network);
        let (loaded, report) = load_foreign(network, &path(file), ChannelOrder::Rgb).unwrap();
        assert_eq!(report.untouched, ["conv1.weight", "fc.bias", "fc.weight"]);
        let skipped = report.skipped.join("; ");
        for part in [
            "conv1.weight is [1, 3, 7, 7] in the file and [1, 3, 3, 3] in the network",
            "fc.bias is [3] in the file and [5] in the network",
            "fc.weight is [3, 8] in the file and [5, 8] in the network",
        ] {
            assert!(skipped.contains(part), "{file}: {skipped}");
        }
        assert_eq!(report.loaded.len(), 102 - 3);
        let (after, stem, last) = (bits(&loaded), 3 * 3 * 3, 8 * 5 + 5);
        assert_eq!(after[..stem], before[..stem], "the stem comes first");
        assert_eq!(after[after.len() - last..], before[before.len() - last..], "the linear layer comes last");
        assert_ne!(after[stem..stem + 4], before[stem..stem + 4]);
    }
}

#[test]
fn gray_images_have_the_features_of_the_same_images_in_three_channels() {
    let (color, _) = load(&resnet18(1, Stem::Imagenet), [3, 32, 32], 3, "timm.safetensors");
    let (gray, report) = load(&resnet18(1, Stem::Imagenet), [1, 32, 32], 3, "timm.safetensors");
    assert!(report.skipped.is_empty() && report.untouched.is_empty(), "{report:?}");
    assert!(report.loaded.contains(&"conv1.weight, summed over its 3 channels for gray images".to_owned()));
    let x = images([2, 1, 32, 32]);
    let three = Tensor::cat(vec![x.clone(); 3], 1);
    assert_close(&numbers(gray.forward(x)), &numbers(color.forward(three)));
}

#[test]
fn a_model_of_ours_gives_its_backbone() {
    let config = resnet18(1, Stem::Cifar);
    let network = shaken(&config, [1, 8, 8], 2);
    #[derive(burn::module::Module, Debug)]
    struct Model {
        backbone: Backbone,
        head: burn::nn::Linear,
    }
    let head = burn::nn::LinearConfig::new(2, 3).init(&Device::flex());
    let file = weights::save(&Model { backbone: network.clone(), head }, &Default::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    std::fs::write(&path, file).unwrap();
    let fresh = config.init([1, 8, 8], 2, &Device::flex()).unwrap();
    let (loaded, report) = load_foreign(fresh, &path, ChannelOrder::Rgb).unwrap();
    assert_eq!(bits(&loaded), bits(&network));
    assert_eq!(
        report.skipped,
        ["head.bias [3] is not in the network", "head.weight [3, 2] is not in the network"]
    );
}

#[test]
fn files_without_anything_to_take_are_refused() {
    let network = || BackboneConfig::lenet_pp(1).init([1, 8, 8], 2, &Device::flex()).unwrap();
    let error = load_foreign(network(), &path("timm.safetensors"), ChannelOrder::Rgb).unwrap_err();
    assert!(matches!(&error, WeightsError::NothingFits { skipped, .. } if skipped.len() == 102), "{error}");
    let message = error.to_string();
    assert!(message.contains("lenet++") && message.contains(", and 92 more;"), "{message}");
    assert!(matches!(
        load_foreign(network(), &path("nowhere.pth"), ChannelOrder::Rgb),
        Err(WeightsError::Io(_))
    ));
    assert!(matches!(
        load_foreign(network(), &path("features.json"), ChannelOrder::Rgb),
        Err(WeightsError::Foreign { .. })
    ));
}

#[test]
fn weights_of_a_deeper_network_are_refused_with_the_one_that_fits() {
    let of = |name: &str| {
        let config = name.parse::<BackboneConfig>().unwrap().with_width(1);
        config.init([1, 16, 16], 2, &Device::flex()).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("iresnet34.safetensors");
    std::fs::write(&path, weights::save(&of("iresnet34"), &Default::default()).unwrap()).unwrap();
    let error = load_foreign(of("iresnet18"), &path, ChannelOrder::Rgb).unwrap_err().to_string();
    for part in ["deeper network than iresnet18", "layer3 has 6 blocks and not 2", "the blocks of iresnet34"]
    {
        assert!(error.contains(part), "{error}");
    }
    let (_, report) = load_foreign(of("iresnet50"), &path, ChannelOrder::Rgb).unwrap();
    assert!(!report.untouched.is_empty() && report.fits == Some("iresnet34"), "{report:?}");
    let error = report.require_blocks(&of("iresnet50")).unwrap_err().to_string();
    for part in ["inside iresnet50 as they were: layer3.10.", "those of iresnet34", "its width"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn weights_of_another_width_are_no_start() {
    let of = |width| {
        let config = "mobilefacenet".parse::<BackboneConfig>().unwrap().with_width(width);
        config.init([3, 112, 112], 4, &Device::flex()).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mobilefacenet.safetensors");
    std::fs::write(&path, weights::save(&of(64), &Default::default()).unwrap()).unwrap();
    let (_, report) = load_foreign(of(64), &path, ChannelOrder::Rgb).unwrap();
    report.require_blocks(&of(64)).unwrap();
    let (_, report) = load_foreign(of(128), &path, ChannelOrder::Rgb).unwrap();
    let error = report.require_blocks(&of(128)).unwrap_err();
    assert!(matches!(error, WeightsError::Partial { .. }), "{error}");
}
