//! A head of 20,000 classes of which a tenth takes part in each step: Partial FC, with momentum for the drawn centers alone.

use burn::{
    nn::{Linear, LinearConfig},
    optim::{GradientsParams, SgdConfig},
    tensor::{Device, Distribution, Int, Tensor},
};
use cm_loss_core::{ClassSampling, PartialHead, Preset, RowSgd};

const CLASSES: usize = 20_000;
const RATE: f64 = 0.3;

fn main() -> Result<(), cm_loss_core::Error> {
    let device = Device::flex().autodiff();
    device.seed(0);
    let sampling = ClassSampling { fraction: 0.1, seed: 0 };
    let head = Preset::CosFace.config().with_scale(20.0)?.with_sampling(sampling)?;
    let head = head.init(32, CLASSES, &device)?.into_margin().expect("CosFace is a margin head");
    let mut head = PartialHead::new(head, RowSgd { momentum: 0.9, weight_decay: 0.0 })?;
    let mut network = LinearConfig::new(48, 32).init(&device);
    let mut optimizer = SgdConfig::new().init();

    // Sixteen people, each with a picture of their own, seen with noise.
    let people =
        Tensor::<1, Int>::from_data(std::array::from_fn::<i32, 16, _>(|i| i as i32 * 1_234), &device);
    let pictures = Tensor::<2>::random([16, 48], Distribution::Normal(0.0, 1.0), &device);
    let mut first = None;
    for step in 0..60 {
        let noise = Tensor::random([16, 48], Distribution::Normal(0.0, 0.3), &device);
        let features = features(&network, pictures.clone() + noise);
        let drawn = head.draw(&features, people.clone())?;
        let loss = drawn.loss(features).mean_loss();
        let value = loss.clone().into_scalar::<f32>();
        let mut gradients = loss.backward();
        head.update(drawn, &mut gradients, RATE)?;
        network = optimizer.step(RATE, network.clone(), GradientsParams::from_grads(gradients, &network));
        first.get_or_insert(value);
        if step % 20 == 19 {
            println!("step {:2}: loss {value:.2}, from {:.2}", step + 1, first.unwrap_or(value));
        }
    }
    // The head of all classes, to test and to save.
    let head = head.into_head();
    let found = head.top_k(features(&network, pictures), 1)?.classes.squeeze_dim::<1>(1);
    let right = found.equal(people).int().sum().into_scalar::<i32>();
    println!("{right} of 16 are found among {CLASSES}");
    assert!(right >= 12, "most of them are learned");
    Ok(())
}

fn features(network: &Linear, pictures: Tensor<2>) -> Tensor<2> {
    network.forward(pictures)
}

#[test]
fn runs() {
    main().expect("the example runs");
}
