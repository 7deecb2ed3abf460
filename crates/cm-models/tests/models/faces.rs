//! SphereFace-20 and ResNet-18.

use burn::{
    module::Module,
    tensor::{Device, Distribution, Tensor},
};
use cm_models::{ResNet18Config, SphereFace20Config, Stem};

#[test]
fn sphereface_20_has_the_parameters_of_its_table() {
    let device = Device::flex();
    let network = SphereFace20Config::default().init([3, 112, 96], 512, &device).unwrap();
    // 20 layers with weights: stages of 1 + 2·1, 1 + 2·2, 1 + 2·4 and 1 + 2·1 convolutions, and the
    // linear layer. A convolution has 9 i o + o numbers and o slopes; the last maps: 512 x 7 x 6.
    let stage = |before: usize, channels: usize, blocks: usize| {
        let unit = |i: usize| 9 * i * channels + 2 * channels;
        unit(before) + 2 * blocks * unit(channels)
    };
    let convolutions = stage(3, 64, 1) + stage(64, 128, 2) + stage(128, 256, 4) + stage(256, 512, 1);
    assert_eq!(network.num_params(), convolutions + 512 * 7 * 6 * 512 + 512);
}

#[test]
fn resnet_18_has_the_parameters_of_torchvision_but_for_another_stem() {
    // torchvision's resnet18 has 11,689,512 for 1,000 classes, of which the 7x7 stem has 9,408 and
    // a 3x3 one 1,728. Burn counts running statistics as well; they are as many as the 2 · 4,800
    // weights of the normalizations.
    for (stem, of_stem) in [(Stem::Imagenet, 9_408), (Stem::Small, 1_728), (Stem::Cifar, 1_728)] {
        let config = ResNet18Config { stem, ..Default::default() };
        let network = config.init([3, 64, 64], 1_000, &Device::flex()).unwrap();
        assert_eq!(network.num_params(), 11_689_512 - 9_408 + of_stem + 9_600);
    }
}

#[test]
fn images_of_any_size_become_features_and_gradients_reach_the_first_layer() {
    let device = Device::flex().autodiff();
    let images = |size: [usize; 2]| {
        Tensor::<4>::random([2, 3, size[0], size[1]], Distribution::Default, &device).require_grad()
    };
    let input = [3, 33, 40];
    let sphereface = SphereFace20Config { width: 4 }.init(input, 16, &device).unwrap();
    let resnet = ResNet18Config { width: 4, stem: Stem::Small }.init(input, 16, &device).unwrap();
    let x = images([33, 40]);
    for features in [sphereface.forward(x.clone()), resnet.forward(x.clone())] {
        assert_eq!(features.dims(), [2, 16]);
        let gradient = x.grad(&features.square().sum().backward()).expect("the images require gradients");
        let largest = gradient.abs().max().into_scalar::<f32>();
        assert!(largest.is_finite() && largest > 0.0, "{largest}");
    }
}
