//! Stochastic gradient descent.

use burn::{
    nn::conv::{Conv2d, Conv2dConfig},
    optim::{
        GradientsParams, ModuleOptimizer, SgdConfig, decay::WeightDecayConfig, momentum::MomentumConfig,
    },
    tensor::Device,
};
use cm_kernels::Sgd;

use super::{list, tensor, with_values};

fn one_layer(device: &Device) -> Conv2d {
    with_values(Conv2dConfig::new([3, 40], [5, 5]).init(device), device)
}

/// A step on the same images each time, by any optimizer.
fn train(layer: Conv2d, optimizer: &mut ModuleOptimizer, steps: usize) -> Conv2d {
    let x = tensor([2, 3, 8, 8], 11, &layer.weight.val().device());
    (0..steps).fold(layer, |layer, _| {
        let gradients =
            GradientsParams::from_grads(layer.forward(x.clone()).square().mean().backward(), &layer);
        optimizer.step(0.05, layer, gradients)
    })
}

fn burns_sgd() -> ModuleOptimizer {
    let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
    let decay = WeightDecayConfig::new(0.01);
    SgdConfig::new().with_momentum(Some(momentum)).with_weight_decay(Some(decay)).init()
}

fn our_sgd() -> ModuleOptimizer {
    Sgd { momentum: 0.9, weight_decay: 0.01 }.into()
}

#[test]
fn gradient_descent_is_burns_to_the_last_bit_and_goes_on_from_its_records() {
    let devices = [
        Device::flex(),
        #[cfg(feature = "test-ndarray")]
        crate::ndarray().inner(),
    ];
    for device in devices {
        let layer = one_layer(&device.autodiff());
        let (mut burns, mut ours) = (burns_sgd(), our_sgd());
        let expected = train(layer.clone(), &mut burns, 3);
        let found = train(layer.clone(), &mut ours, 3);
        assert_eq!(list(found.weight.val()), list(expected.weight.val()));
        assert_ne!(
            list(found.weight.val()),
            list(layer.weight.val()),
            "the first weights are kept by the first layer"
        );

        let mut ours_from_burns = our_sgd().from_bytes(burns.clone().into_bytes().unwrap()).unwrap();
        let mut burns_from_ours = burns_sgd().from_bytes(ours.into_bytes().unwrap()).unwrap();
        let expected = train(expected.clone(), &mut burns, 2);
        for optimizer in [&mut ours_from_burns, &mut burns_from_ours] {
            let resumed = train(found.clone(), optimizer, 2);
            assert_eq!(list(resumed.weight.val()), list(expected.weight.val()));
            assert_eq!(list(resumed.bias.unwrap().val()), list(expected.bias.as_ref().unwrap().val()));
        }
    }
}
