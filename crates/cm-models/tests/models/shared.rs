//! Networks and images for the tests.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{Device, Tensor, TensorData},
};
use cm_models::{
    Backbone, BackboneConfig, CifarResNetConfig, IResNet18Config, MobileFaceNetConfig, Pooling,
    ResNet18Config, ResNet50Config, Stem,
};

/// The small residual network without pooling.
pub fn flat() -> BackboneConfig {
    BackboneConfig::CifarResNet(CifarResNetConfig {
        width: 2,
        blocks: 1,
        pooling: Pooling::None,
        feature_norm: true,
    })
}

pub fn resnet18(width: usize, stem: Stem) -> BackboneConfig {
    BackboneConfig::ResNet18(ResNet18Config { width, stem })
}

pub fn resnet50() -> BackboneConfig {
    BackboneConfig::ResNet50(ResNet50Config { width: 2, stem: Stem::Small })
}

pub fn iresnet18() -> BackboneConfig {
    BackboneConfig::IResNet18(IResNet18Config { width: 2 })
}

/// The narrowest MobileFaceNet, with a block a stage.
pub fn mobilefacenet() -> BackboneConfig {
    BackboneConfig::MobileFaceNet(MobileFaceNetConfig { width: 64, blocks: [1; 4] })
}

/// A network of which no number has the value that it starts with.
pub fn shaken(config: &BackboneConfig, input: [usize; 3], feature_dim: usize) -> Backbone {
    struct Shake(u32);

    impl ModuleMapper for Shake {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|tensor| {
                let (device, data) = (tensor.device(), tensor.into_data());
                let values = data.iter::<f32>().map(|value| {
                    self.0 += 1;
                    let noise = (f64::from(self.0) * 1.7).sin() as f32;
                    value * (1.0 + 0.2 * noise) + 0.01 * noise
                });
                Tensor::from_data(TensorData::new(values.collect(), data.shape().clone()), &device)
            })
        }
    }

    config.init(input, feature_dim, &Device::flex()).unwrap().map(&mut Shake(0))
}

/// Images whose numbers are exact, as `tools/torch_weights.py` makes them.
pub fn images(shape: [usize; 4]) -> Tensor<4> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| (i * 7919 % 257) as f32 / 128.0 - 1.0).collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The bits of every floating-point number of a module, in order.
pub fn bits<M: Module>(module: &M) -> Vec<u32> {
    struct Bits(Vec<u32>);

    impl ModuleVisitor for Bits {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(numbers(param.val()).into_iter().map(f32::to_bits));
        }
    }

    let mut bits = Bits(Vec::new());
    module.visit(&mut bits);
    bits.0
}
