//! A head on a backbone that stays as it is: its class centers begin at the means of the features, and it trains alone.

use burn::{
    module::Module,
    optim::{AdamWConfig, GradientsParams},
    tensor::{Device, Distribution, Int, Tensor},
};
use cm_loss_core::Preset;
use cm_models::{Backbone, BackboneConfig};

fn images(device: &Device, targets: &Tensor<1, Int>) -> Tensor<4> {
    // Light from the left, from above, or from nowhere.
    let ramp = Tensor::<1, Int>::arange(0..16, device).float().div_scalar(8.0).sub_scalar(1.0);
    let across = ramp.clone().reshape([1, 1, 16]).expand([1, 16, 16]);
    let down = ramp.reshape([1, 16, 1]).expand([1, 16, 16]);
    let kinds = Tensor::cat(vec![across.clone(), down, across.zeros_like()], 0);
    let [count] = targets.dims();
    let noise = Tensor::<3>::random([count, 16, 16], Distribution::Normal(0.0, 0.5), device);
    (kinds.select(0, targets.clone()) + noise).unsqueeze_dim(1)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex().autodiff();
    device.seed(0);
    let backbone: Backbone = BackboneConfig::lenet_pp(4).init([1, 16, 16], 16, &device)?;
    // Its weights would come from a file; freezing stops gradients, running statistics and dropout.
    let backbone = backbone.freeze();
    let targets = Tensor::<1, Int>::from_data([0, 1, 2].repeat(32).as_slice(), &device);
    let features = backbone.forward(images(&device, &targets)).detach();

    let head = Preset::CosFace.config().with_scale(16.0)?.init(16, 3, &device)?;
    let mut head = head.with_class_means(features.clone(), targets.clone())?;
    let validation = |head: &cm_loss_core::Head| {
        head.validation_loss(features.clone(), targets.clone()).mean_loss().into_scalar::<f32>()
    };
    let before = validation(&head);
    let mut optimizer = AdamWConfig::new().init();
    for _ in 0..60 {
        let loss = head.loss(features.clone(), targets.clone()).mean_loss();
        let gradients = GradientsParams::from_grads(loss.backward(), &head);
        head = optimizer.step(0.02, head, gradients);
    }
    let after = validation(&head);
    println!("validation loss {before:.3} at the class means, {after:.3} after training the head alone");
    assert!(after < before, "the head has learned");
    Ok(())
}

#[test]
fn runs() {
    main().expect("the example runs");
}
