//! Networks for faces and deep ones against PyTorch's definitions in `tools/torch_weights.py`, which computed the features.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use burn::tensor::{Device, Tensor};
use cm_models::{
    Backbone, BackboneConfig,
    weights::{self, ChannelOrder, ForeignReport, class_centers, load_foreign},
};
use safetensors::{SafeTensors, tensor::TensorView};
use serde_json::Value;

use crate::shared::{images, numbers};

fn expected() -> BTreeMap<String, Vec<Vec<f32>>> {
    serde_json::from_str(include_str!("torch/faces.json")).unwrap()
}

fn assert_near(what: &str, found: &[f32], expected: &[Vec<f32>]) {
    let expected = expected.concat();
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let difference = found.iter().zip(&expected).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(difference <= 1e-4 * largest, "{what}: {difference:e} of {largest}");
}

/// A narrow IResNet-18 with the weights of a file.
fn iresnet18(channels: usize, file: &str, order: ChannelOrder) -> (Backbone, ForeignReport) {
    let network = BackboneConfig::IResNet18(cm_models::IResNet18Config { width: 1 });
    let network = network.init([channels, 40, 33], 3, &Device::flex()).unwrap();
    load_foreign(network, &path(file), order).unwrap()
}

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/torch").join(file)
}

#[test]
fn an_iresnet_takes_weights_of_insightface_key_for_key() {
    let (network, report) = iresnet18(3, "iresnet18.pth", ChannelOrder::Rgb);
    assert_eq!((report.untouched.len(), report.skipped.len()), (0, 0), "{report:?}");
    assert_near(
        "iresnet18.pth",
        &numbers(network.forward(images([2, 3, 40, 33]))),
        &expected()["iresnet18.pth"],
    );
    // What is saved has every key of the checkpoint but what PyTorch counts, in the same shapes.
    let saved = weights::save(&network, &BTreeMap::new()).unwrap();
    let names: BTreeSet<String> =
        SafeTensors::deserialize(&saved).unwrap().names().iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(names, report.loaded.into_iter().collect());
    for name in ["layer1.0.downsample.1.running_var", "layer4.1.prelu.weight", "features.weight", "fc.weight"]
    {
        assert!(names.contains(name), "{name}");
    }
}

#[test]
fn a_whole_checkpoint_of_insightface_has_the_network_and_the_centers() {
    let file = "iresnet18-checkpoint.pth";
    let (network, report) = iresnet18(3, file, ChannelOrder::Rgb);
    assert!(report.untouched.is_empty(), "{report:?}");
    let features = numbers(network.forward(images([2, 3, 40, 33])));
    assert_near(file, &features, &expected()["iresnet18.pth"]);
    let centers = class_centers(&path(file), 3, None).unwrap();
    let rows: Vec<Vec<f32>> = serde_json::from_str(include_str!("torch/centers.json")).unwrap();
    assert_eq!(centers.iter::<f32>().collect::<Vec<_>>(), rows.concat());
}

#[test]
fn a_network_that_learned_from_bgr_takes_rgb() {
    let (network, _) = iresnet18(3, "iresnet18.pth", ChannelOrder::Bgr);
    let bgr = images([2, 3, 40, 33]);
    let features = numbers(network.forward(bgr.clone().flip([1])));
    assert_near("with the kernels reversed", &features, &expected()["iresnet18.pth"]);
    // Of gray images all channels are alike.
    let of = |order| {
        let (network, _) = iresnet18(1, "iresnet18.pth", order);
        numbers(network.forward(Tensor::ones([1, 1, 40, 33], &Device::flex())))
    };
    assert_eq!(of(ChannelOrder::Bgr), of(ChannelOrder::Rgb));
}

/// As `known` in `tools/torch_weights.py`.
fn known(name: &str, number: usize, shape: &[usize]) -> Vec<f32> {
    let count: usize = shape.iter().product();
    let fan_in: usize = shape[1..].iter().product();
    let scale = (2.0 / fan_in as f64).sqrt() as f32;
    let number = |i: usize| {
        let step = ((i * 209 + number * 57) % 257) as f32 / 128.0 - 1.0;
        match name {
            _ if name.ends_with("running_var") => 1.0 + step / 2.0,
            _ if shape.len() == 1 && name.ends_with("weight") => 0.75 + step / 4.0,
            _ if shape.len() == 1 => step / 4.0,
            _ => step * scale,
        }
    };
    (0..count).map(number).collect()
}

#[test]
fn with_the_same_numbers_deep_networks_have_the_features_of_pytorch() {
    let mut seen = BTreeSet::new();
    for (text, features) in expected().into_iter().filter(|(text, _)| text.starts_with('{')) {
        let mut config: Value = serde_json::from_str(&text).unwrap();
        let is_mobile = config["backbone"] == "mobilefacenet";
        config["width"] = if is_mobile { 64 } else { 8 }.into();
        let config: BackboneConfig = serde_json::from_value(config).unwrap();
        let channels = if config.name() == "resnet3d" { 4 } else { 3 };
        let network = config.init([channels, 48, 32], 5, &Device::flex()).unwrap();
        let saved = weights::save(&network, &BTreeMap::new()).unwrap();
        let tensors = SafeTensors::deserialize(&saved).unwrap();
        let mut names = tensors.names();
        names.sort_unstable();
        let made: Vec<(String, Vec<usize>, Vec<u8>)> = names
            .into_iter()
            .enumerate()
            .map(|(number, name)| {
                let shape = tensors.tensor(name).unwrap().shape().to_vec();
                let bytes = known(name, number, &shape).into_iter().flat_map(f32::to_le_bytes).collect();
                (name.to_owned(), shape, bytes)
            })
            .collect();
        let views = made.iter().map(|(name, shape, bytes)| {
            (name, TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes).unwrap())
        });
        let file = safetensors::serialize(views, None).unwrap();
        let network = weights::load(network, &file).unwrap();
        assert_near(&text, &numbers(network.forward(images([2, channels, 48, 32]))), &features);
        seen.insert(config.name());
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["cifar-resnet", "iresnet100", "iresnet34", "iresnet50", "mobilefacenet", "resnet3d", "resnet50"]
    );
}
