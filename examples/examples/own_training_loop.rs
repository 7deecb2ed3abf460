//! A training loop of your own, without Burn's Learner: CM-CosFace on points around three centers, in mini-batches.

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
        head: Preset::CmCosFace.config().init(4, 3, &device)?,
    };
    let centers = Tensor::<2>::from_data([[2.0, 0.0], [-1.0, 2.0], [-1.0, -2.0]], &device);
    let targets = Tensor::<1, Int>::from_data([0, 1, 2].repeat(64).as_slice(), &device);
    let noise = Tensor::<2>::random([192, 2], Distribution::Normal(0.0, 0.7), &device);
    let points = centers.select(0, targets.clone()) + noise;

    let mut optimizer = AdamWConfig::new().init();
    for epoch in 1..=20 {
        let mut sum = 0.0;
        for (points, targets) in points.clone().split(48, 0).into_iter().zip(targets.clone().split(48, 0)) {
            let loss = network.head.forward(network.features(points), targets).mean_loss();
            sum += loss.clone().into_scalar::<f32>();
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = optimizer.step(0.01, network, gradients);
        }
        println!("epoch {epoch:2}: mean loss {:.3}", sum / 4.0);
    }

    let right = network.head.predictions(network.features(points)).equal(targets).int().sum();
    let accuracy = f64::from(right.into_scalar::<i32>()) / 192.0;
    println!("accuracy {:.1} % on the points trained on", accuracy * 100.0);
    assert!(accuracy > 0.9, "the network has learned");
    Ok(())
}

#[test]
fn runs() {
    main().expect("the example runs");
}
