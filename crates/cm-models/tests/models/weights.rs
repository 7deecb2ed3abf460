//! Weights go into a file and come back.

use std::collections::{BTreeMap, BTreeSet};

use burn::{
    module::{Module, Param, ParamId},
    nn::{Linear, LinearConfig},
    tensor::{Bool, Device, Int, Tensor},
};
use cm_loss_core::{Head, Preset};
use cm_models::{Backbone, BackboneConfig, ResNet3dConfig, Stem, WeightsError, weights};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::shared::{bits, flat, images, iresnet18, mobilefacenet, numbers, resnet18, resnet50, shaken};

#[derive(Module, Debug)]
struct Model {
    backbone: Backbone,
    head: Head,
}

fn none() -> BTreeMap<String, String> {
    BTreeMap::new()
}

fn names(file: &[u8]) -> BTreeSet<String> {
    SafeTensors::deserialize(file).unwrap().names().into_iter().map(str::to_owned).collect()
}

#[test]
fn every_backbone_comes_back_bit_for_bit() {
    let cases = [
        (BackboneConfig::lenet_pp(2), [1, 28, 28]),
        (BackboneConfig::cifar_resnet(2, 2), [3, 16, 16]),
        (flat(), [3, 15, 16]),
        (BackboneConfig::ResNet3d(ResNet3dConfig { width: 2, blocks: 2 }), [8, 9, 10]),
        (resnet18(2, Stem::Cifar), [3, 16, 16]),
        (resnet18(2, Stem::Imagenet), [3, 32, 40]),
        (BackboneConfig::sphereface20(2), [3, 20, 16]),
        (resnet50(), [3, 20, 16]),
        (iresnet18(), [3, 20, 16]),
        (mobilefacenet(), [3, 20, 16]),
    ];
    for (config, input) in cases {
        let network = shaken(&config, input, 3);
        let file = weights::save(&network, &none()).unwrap();
        let fresh = config.init(input, 3, &Device::flex()).unwrap();
        assert_ne!(bits(&fresh), bits(&network));
        let loaded = weights::load(fresh, &file).unwrap();
        assert_eq!(bits(&loaded), bits(&network), "{config:?}");
        let [channels, height, width] = input;
        let features = |network: &Backbone| numbers(network.forward(images([2, channels, height, width])));
        assert_eq!(features(&loaded), features(&network), "{config:?}");
    }
}

#[test]
fn every_loss_goes_on_after_a_file_as_if_there_had_been_none() {
    let device = Device::flex().autodiff();
    let new = |preset: Preset| Model {
        backbone: resnet18(1, Stem::Cifar).init([1, 8, 8], 4, &device).unwrap(),
        head: preset.config().init(4, 3, &device).unwrap(),
    };
    let targets = || Tensor::<1, Int>::from_data([0, 1, 2, 1, 0], &device);
    let step = |model: &Model| {
        let x = images([5, 1, 8, 8]).to_device(&device);
        numbers(model.head.forward(model.backbone.forward(Tensor::from_inner(x)), targets()).loss)
    };
    for &preset in Preset::ALL {
        let model = new(preset);
        for _ in 0..3 {
            step(&model);
        }
        // The running statistics of the last step are still aside in both.
        let file = weights::save(&model, &none()).unwrap();
        let other = new(preset);
        step(&other);
        let loaded = weights::load(other, &file).unwrap();
        assert_eq!(bits(&loaded.valid()), bits(&model.valid()), "{}", preset.name());
        assert!(loaded.devices().iter().all(|found| *found == device));
        for _ in 0..2 {
            assert_eq!(step(&loaded), step(&model), "{}", preset.name());
        }
    }
}

#[test]
fn loaded_weights_learn_on() {
    let device = Device::flex().autodiff();
    let config = BackboneConfig::lenet_pp(1);
    let file = weights::save(&shaken(&config, [1, 8, 8], 2), &none()).unwrap();
    let network = weights::load(config.init([1, 8, 8], 2, &device).unwrap(), &file).unwrap();
    let Backbone::LeNetPp(_) = &network else { unreachable!() };
    let loss = network.forward(Tensor::from_inner(images([2, 1, 8, 8]))).square().sum();
    let gradients = burn::optim::GradientsParams::from_grads(loss.backward(), &network);
    assert_eq!(gradients.len(), 21, "each of the parameters has a gradient");
}

#[test]
fn whole_numbers_and_truth_values_come_back_and_variants_of_enums_have_no_name() {
    #[derive(Module, Debug)]
    struct Counts {
        steps: Param<Tensor<1, Int>>,
        used: Param<Tensor<2, Bool>>,
    }
    #[derive(Module, Debug)]
    enum Part {
        Counts(Counts),
    }
    #[derive(Module, Debug)]
    struct Whole {
        part: Part,
        layers: Vec<Linear>,
    }
    let device = Device::flex();
    let new = |steps: [i32; 2], used: [[bool; 2]; 2]| Whole {
        part: Part::Counts(Counts {
            steps: Param::initialized(ParamId::new(), Tensor::from_data(steps, &device)),
            used: Param::initialized(ParamId::new(), Tensor::from_data(used, &device)),
        }),
        layers: vec![LinearConfig::new(2, 3).init(&device)],
    };
    let file = weights::save(&new([7, -9], [[true, false], [false, true]]), &none()).unwrap();
    let expected = ["layers.0.bias", "layers.0.weight", "part.steps", "part.used"].map(str::to_owned);
    assert_eq!(names(&file), BTreeSet::from(expected));
    let Part::Counts(loaded) = weights::load(new([0, 0], [[false; 2]; 2]), &file).unwrap().part;
    assert_eq!(loaded.steps.val().into_data().iter::<i64>().collect::<Vec<_>>(), [7, -9]);
    let used: Vec<bool> = loaded.used.val().into_data().iter::<bool>().collect();
    assert_eq!(used, [true, false, false, true]);
    let tensors = SafeTensors::deserialize(&file).unwrap();
    assert_eq!(tensors.tensor("part.used").unwrap().dtype(), Dtype::BOOL);
}

#[test]
fn a_linear_layer_has_a_row_for_each_output_as_in_pytorch() {
    let layer = LinearConfig::new(2, 3).with_bias(false).init(&Device::flex());
    let weight = numbers(layer.weight.val());
    let file = weights::save(&layer, &none()).unwrap();
    let tensors = SafeTensors::deserialize(&file).unwrap();
    let stored = tensors.tensor("weight").unwrap();
    assert_eq!(stored.shape(), [3, 2]);
    let numbers: Vec<f32> =
        stored.data().chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
    let turned = [0, 3, 1, 4, 2, 5].map(|index| weight[index]);
    assert_eq!(numbers, turned);
}

#[test]
fn half_precision_becomes_the_precision_of_the_network() {
    let halves = [0x3e00_u16, 0xc000].map(u16::to_le_bytes).concat();
    let bias = TensorView::new(Dtype::F16, vec![2], &halves).unwrap();
    let weight = TensorView::new(Dtype::F16, vec![2, 1], &halves).unwrap();
    let file = safetensors::serialize([("bias", bias), ("weight", weight)], None).unwrap();
    let layer = weights::load(LinearConfig::new(1, 2).init(&Device::flex()), &file).unwrap();
    let y = numbers(layer.forward(Tensor::<2>::from_data([[2.0_f32]], &Device::flex())));
    assert_eq!(y, [2.0 * 1.5 + 1.5, 2.0 * -2.0 - 2.0]);
}

#[test]
fn resnet_18_has_the_names_and_shapes_of_torchvision() {
    let of_torch = include_bytes!("torch/timm.safetensors");
    let of_torch = SafeTensors::deserialize(of_torch).unwrap();
    let network = resnet18(1, Stem::Imagenet).init([3, 32, 32], 3, &Device::flex()).unwrap();
    let file = weights::save(&network, &none()).unwrap();
    let ours = SafeTensors::deserialize(&file).unwrap();
    let shapes = |tensors: &SafeTensors<'_>| -> BTreeMap<String, Vec<usize>> {
        let tensors = tensors.iter().filter(|(name, _)| !name.ends_with("num_batches_tracked"));
        tensors.map(|(name, tensor)| (name.to_owned(), tensor.shape().to_vec())).collect()
    };
    assert_eq!(shapes(&ours), shapes(&of_torch));
}

#[test]
fn the_other_backbones_have_names_that_can_be_written_in_pytorch() {
    let file = |config: &BackboneConfig| {
        weights::save(&config.init([1, 16, 16], 2, &Device::flex()).unwrap(), &none()).unwrap()
    };
    let lenet = names(&file(&BackboneConfig::lenet_pp(1)));
    let sphereface = names(&file(&BackboneConfig::sphereface20(1)));
    for name in ["stages.2.convolutions.1.bias", "stages.0.activations.0.weight", "activation.weight"] {
        assert!(lenet.contains(name), "{lenet:?}");
    }
    for name in ["stages.3.down.convolution.weight", "stages.2.blocks.3.1.activation.weight", "linear.bias"] {
        assert!(sphereface.contains(name), "{sphereface:?}");
    }
}

#[test]
fn metadata_comes_back_from_the_header_alone_and_the_same_model_gives_the_same_bytes() {
    let network = shaken(&BackboneConfig::lenet_pp(1), [1, 8, 8], 2);
    let metadata: BTreeMap<String, String> =
        (0..20).map(|i| (format!("key {i}"), format!("\"text\" {i} äöü"))).collect();
    let file = weights::save(&network, &metadata).unwrap();
    assert_eq!(weights::metadata(&file).unwrap(), metadata);
    let header = 8 + u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    assert_eq!(weights::metadata(&file[..header]).unwrap(), metadata);
    assert!(weights::metadata(&file[..header - 1]).is_err());
    assert_eq!(weights::save(&network, &metadata).unwrap(), file);
    let plain = weights::save(&network, &none()).unwrap();
    assert_eq!(weights::metadata(&plain).unwrap(), none());
}

#[test]
fn weights_of_another_network_are_refused_with_both_shapes() {
    let device = Device::flex();
    let file = weights::save(&shaken(&BackboneConfig::lenet_pp(2), [1, 8, 8], 3), &none()).unwrap();
    let refusal = |config: BackboneConfig, feature_dim: usize| {
        let network = config.init([1, 16, 16], feature_dim, &device).unwrap();
        weights::load(network, &file).unwrap_err().to_string()
    };
    let message = refusal(BackboneConfig::lenet_pp(2), 3);
    let expected = "linear.weight is [3, 8] in the file and [3, 32] in the network;";
    assert!(message.contains(expected), "{message}");
    let message = refusal(resnet18(1, Stem::Cifar), 3);
    assert!(message.contains("bn1.bias [1] is not in the file"), "{message}");
    // 62 + 40 tensors of a ResNet-18 and the 21 of LeNet++, of which ten are named.
    assert!(message.contains(", and 113 more;"), "{message}");
    let message = refusal(BackboneConfig::lenet_pp(1), 3);
    assert!(message.contains("stages.0.convolutions.0.weight is [2, 1, 5, 5] in the file and [1, 1, 5, 5]"));
}

#[test]
fn nothing_changes_where_one_tensor_is_wrong() {
    let config = resnet18(1, Stem::Cifar);
    let file = weights::save(&shaken(&config, [1, 8, 8], 3), &none()).unwrap();
    let network = shaken(&config, [1, 8, 8], 2);
    let before = bits(&network);
    let error = weights::load(network.clone(), &file).unwrap_err();
    assert!(matches!(&error, WeightsError::DoesNotFit { differences } if differences.len() == 2), "{error}");
    assert_eq!(bits(&network), before);
}

#[test]
fn numbers_are_not_taken_for_truth_values() {
    #[derive(Module, Debug)]
    struct Flags {
        x: Param<Tensor<1, Bool>>,
    }
    #[derive(Module, Debug)]
    struct Numbers {
        x: Param<Tensor<1>>,
    }
    let device = Device::flex();
    let numbers = Numbers { x: Param::from_data([1.0, 0.0], &device) };
    let flags = Flags { x: Param::initialized(ParamId::new(), Tensor::from_data([true, false], &device)) };
    let file = weights::save(&numbers, &none()).unwrap();
    let message = weights::load(flags, &file).unwrap_err().to_string();
    assert!(message.contains("x is F32 in the file and truth values in the network"), "{message}");
}
