//! The same weights on the CPU and on wgpu give the same numbers.

use burn::{
    module::Module,
    optim::GradientsParams,
    tensor::{Device, Distribution, Int, Tensor},
};
use cm_loss_core::Preset;
use cm_models::{
    BackboneConfig, IResNet18Config, MobileFaceNetConfig, ResNet3dConfig, ResNet18Config, ResNet50Config,
    SphereFace20Config, Stem,
};
use cm_train::{
    classifier::{Batch, Classifier, Parts},
    device::Backend,
    gradients::global_norm,
    monitor::BatchPlace,
};

const CLASSES: usize = 5;

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// The largest difference, relative to the largest number.
fn difference(expected: &[f64], found: &[f64]) -> f64 {
    assert_eq!(expected.len(), found.len());
    let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    let scale = largest(&mut expected.iter().map(|value| value.abs()));
    let apart = largest(&mut expected.iter().zip(found).map(|(a, b)| (a - b).abs()));
    assert!(scale > 0.0 && found.iter().all(|value| value.is_finite()), "{found:?}");
    apart / scale
}

fn batch(images: &Tensor<4>, device: &Device) -> Batch {
    let count = images.dims()[0];
    let targets: Vec<i32> = (0..count).map(|i| (i % CLASSES) as i32).collect();
    let plain = device.clone().without_autodiff();
    Batch {
        images: Tensor::from_data(images.to_data(), &plain),
        targets: Tensor::<1, Int>::from_data(targets.as_slice(), &plain),
        weights: None,
        share: None,
        place: BatchPlace::default(),
    }
}

#[test]
fn every_backbone_gives_the_features_losses_and_gradients_that_it_gives_on_the_cpu() {
    let [cpu, gpu] = [Backend::Flex, Backend::Wgpu].map(|backend| backend.device().unwrap().autodiff());
    let head = Preset::CmCosFace.config();
    // Narrow: what is compared are the operations, and a driver on the CPU is slow.
    let resnet18 = |stem| (BackboneConfig::ResNet18(ResNet18Config { width: 8, stem }), 3, 32);
    let backbones = [
        (BackboneConfig::lenet_pp(4), 1, 28),
        (BackboneConfig::cifar_resnet(8, 1), 1, 32),
        resnet18(Stem::Cifar),
        resnet18(Stem::Small),
        resnet18(Stem::Imagenet),
        (BackboneConfig::SphereFace20(SphereFace20Config { width: 8 }), 3, 32),
        (BackboneConfig::ResNet3d(ResNet3dConfig { width: 4, blocks: 1 }), 12, 12),
        (BackboneConfig::ResNet50(ResNet50Config { width: 8, stem: Stem::Small }), 3, 32),
        (BackboneConfig::IResNet18(IResNet18Config { width: 8 }), 3, 32),
        (BackboneConfig::MobileFaceNet(MobileFaceNetConfig { width: 64, blocks: [1; 4] }), 3, 32),
    ];
    for kind in BackboneConfig::all() {
        // The others differ in the number of their blocks.
        let has = |name: &str| backbones.iter().any(|(backbone, ..)| backbone.name() == name);
        assert!(
            has(kind.name()) || has("iresnet18") && kind.name().starts_with("iresnet"),
            "{}",
            kind.name()
        );
    }
    for (backbone, channels, side) in backbones {
        let input = [channels, side, side];
        let parts = Parts { backbone: &backbone, input, feature_dim: 16, head: &head, classes: CLASSES };
        let network = Classifier::new(parts, 7, &cpu).unwrap();
        cpu.seed(11);
        let images = Tensor::<4>::random(
            [4, channels, side, side],
            Distribution::Normal(0.0, 1.0),
            &cpu.clone().without_autodiff(),
        );
        let on = |device: &Device| network.clone().fork(device);
        // Before anything is trained: clones share running statistics.
        let features =
            |device: &Device| numbers(on(device).valid().backbone.forward(batch(&images, device).images));
        let trained = |device: &Device| {
            let network = on(device);
            let output = network.forward(batch(&images, device));
            let losses = numbers(output.loss.clone());
            let gradients = GradientsParams::from_grads(output.mean_loss().backward(), &network);
            (losses, global_norm(&network, &gradients))
        };
        let features = difference(&features(&cpu), &features(&gpu));
        let (expected, found) = (trained(&cpu), trained(&gpu));
        let losses = difference(&expected.0, &found.0);
        let gradients = (found.1 / expected.1 - 1.0).abs();
        println!(
            "{}: features {features:.1e}, losses {losses:.1e}, gradients {gradients:.1e}",
            backbone.name()
        );
        assert!(features < 1e-4 && losses < 1e-4 && gradients < 1e-3, "{}", backbone.name());
    }
}
