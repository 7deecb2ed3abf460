//! A network of your own, trained with CM-CosFace on points around two centres; some are blurred towards the origin.

use burn::{
    module::Module,
    nn::{Linear, LinearConfig},
    optim::{AdamWConfig, GradientsParams},
    tensor::{Device, Distribution, Int, Tensor, activation::relu},
};
use cm_loss_core::{Head, Preset};

#[derive(Module, Debug)]
struct Network {
    hidden: Linear,
    features: Linear,
    head: Head,
}

impl Network {
    fn features(&self, points: Tensor<2>) -> Tensor<2> {
        self.features.forward(relu(self.hidden.forward(points)))
    }
}

fn main() -> Result<(), cm_loss_core::Error> {
    let device = Device::flex().autodiff();
    device.seed(0);
    let mut network = Network {
        hidden: LinearConfig::new(2, 16).init(&device),
        features: LinearConfig::new(16, 4).init(&device),
        head: Preset::CmCosFace.config().init(4, 2, &device)?,
    };
    let targets = Tensor::<1, Int>::from_data([[0; 64], [1; 64]].concat().as_slice(), &device);
    let side = targets.clone().float().mul_scalar(4.0).sub_scalar(2.0).unsqueeze_dim::<2>(1);
    let points = Tensor::<2>::random([128, 2], Distribution::Normal(0.0, 1.0), &device) + side;

    let mut optimizer = AdamWConfig::new().init();
    for _ in 0..100 {
        let output = network.head.forward(network.features(points.clone()), targets.clone());
        let gradients = GradientsParams::from_grads(output.mean_loss().backward(), &network);
        network = optimizer.step(0.01, network, gradients);
    }

    let (logits, norms) = network.head.logits(network.features(points));
    let right = logits.argmax(1).squeeze_dim::<1>(1).equal(targets).int().sum().into_scalar::<i32>();
    println!(
        "{right} of 128 points are classified right; their features have a mean norm of {:.2}",
        norms.mean().into_scalar::<f32>()
    );
    assert!(right > 115, "the network has learned");
    Ok(())
}

#[test]
fn runs() {
    main().expect("the example runs");
}
