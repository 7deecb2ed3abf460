//! CM-CosFace in a classifier that has a linear output layer and cross entropy: five lines change, marked `was:`.

use burn::{
    module::Module,
    nn::{Linear, LinearConfig},
    optim::{GradientsParams, SgdConfig},
    tensor::{Device, Distribution, Int, Tensor, activation::relu},
};
use cm_loss_core::{Head, Preset}; // was: use burn::nn::loss::CrossEntropyLossConfig;

#[derive(Module, Debug)]
struct Classifier {
    features: Linear,
    output: Head, // was: output: Linear,
}

impl Classifier {
    fn new(device: &Device) -> Result<Self, cm_loss_core::Error> {
        Ok(Self {
            features: LinearConfig::new(8, 32).init(device),
            // was: output: LinearConfig::new(32, 2).init(device),
            output: Preset::CmCosFace.config().init(32, 2, device)?,
        })
    }

    fn loss(&self, inputs: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        let features = relu(self.features.forward(inputs));
        // was: CrossEntropyLossConfig::new().init(&features.device()).forward(self.output.forward(features), targets)
        self.output.forward(features, targets).mean_loss()
    }

    fn classes(&self, inputs: Tensor<2>) -> Tensor<1, Int> {
        // was: self.output.forward(…).argmax(1).squeeze_dim(1)
        self.output.predictions(relu(self.features.forward(inputs)))
    }
}

fn main() -> Result<(), cm_loss_core::Error> {
    let device = Device::flex().autodiff();
    device.seed(0);
    let mut classifier = Classifier::new(&device)?;
    let inputs = Tensor::<2>::random([100, 8], Distribution::Normal(0.0, 1.0), &device);
    let targets: Tensor<1, Int> = inputs.clone().sum_dim(1).greater_scalar(0.0).int().squeeze_dim(1);
    let mut optimizer = SgdConfig::new().init();
    for _ in 0..100 {
        let loss = classifier.loss(inputs.clone(), targets.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &classifier);
        classifier = optimizer.step(0.1, classifier, gradients);
    }
    let right = classifier.classes(inputs).equal(targets).int().sum().into_scalar::<i32>();
    println!("{right} of 100 are classified right");
    assert!(right > 90, "the classifier has learned");
    Ok(())
}

#[test]
fn runs() {
    main().expect("the example runs");
}
