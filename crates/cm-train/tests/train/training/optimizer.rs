use burn::{
    module::{Module, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor},
};
use cm_train::training::OptimizerConfig;

#[derive(Module, Debug)]
struct Weight {
    w: Param<Tensor<1>>,
}

/// Weights after each of the steps whose gradients are given, from a weight of 1.
fn trajectory(config: &OptimizerConfig, rate: f64, gradients: &[f64]) -> Vec<f64> {
    let device = Device::flex().autodiff();
    let mut model = Weight { w: Param::from_tensor(Tensor::from_data([1.0], &device)) };
    let mut optimizer = config.init();
    let step = |&gradient: &f64| {
        let loss = (model.w.val() * gradient).sum();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(rate, model.clone(), gradients);
        model.w.val().into_scalar::<f64>()
    };
    gradients.iter().map(step).collect()
}

const GRADIENTS: [f64; 5] = [0.5, -1.0, 2.0, 0.25, 0.0];

fn assert_close(actual: &[f64], expected: &[f64]) {
    for (actual, expected) in actual.iter().zip(expected) {
        assert!((actual - expected).abs() < 2e-6, "{actual}, not {expected}");
    }
}

#[test]
fn sgd_is_the_one_of_pytorch_without_dampening() {
    let (momentum, weight_decay, rate) = (0.9, 0.05, 0.1);
    let (mut w, mut velocity) = (1.0, 0.0);
    let expected = GRADIENTS.map(|gradient| {
        velocity = momentum * velocity + gradient + weight_decay * w;
        w -= rate * velocity;
        w
    });
    let config = OptimizerConfig::Sgd { momentum, weight_decay };
    assert_close(&trajectory(&config, rate, &GRADIENTS), &expected);
}

#[test]
fn adamw_is_the_one_of_pytorch() {
    let (weight_decay, rate) = (0.02, 0.01);
    let (mut w, mut first, mut second, mut t) = (1.0, 0.0, 0.0, 0);
    let expected = GRADIENTS.map(|gradient| {
        t += 1;
        w *= 1.0 - rate * weight_decay;
        first = 0.9 * first + 0.1 * gradient;
        second = 0.999 * second + 0.001 * gradient * gradient;
        let corrected = |moment: f64, beta: f64| moment / (1.0 - beta.powi(t));
        w -= rate * corrected(first, 0.9) / (corrected(second, 0.999).sqrt() + 1e-8);
        w
    });
    assert_close(&trajectory(&OptimizerConfig::AdamW { weight_decay }, rate, &GRADIENTS), &expected);
}
