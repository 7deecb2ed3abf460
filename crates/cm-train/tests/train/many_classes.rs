//! Training on very many classes, class by class and with the matrix of logits.

use burn::{
    module::Module,
    nn::{Linear, LinearConfig},
    optim::GradientsParams,
    tensor::{Device, Int, Tensor, TensorData, activation::relu},
};
use cm_loss_core::{HeadConfig, LossPath, MarginHead, Preset};
use cm_train::{classifier::random_numbers, training::OptimizerConfig};
use rand::{RngExt, SeedableRng, rngs::StdRng};

const IDENTITIES: usize = 20_000;
/// People who are seen: in two hundred steps each of them often enough to be learned.
const SEEN: usize = 200;
const INPUT: usize = 24;
const BATCH: usize = 64;
const STEPS: usize = 200;

#[derive(Module, Debug)]
struct Network {
    first: Linear,
    second: Linear,
    head: MarginHead,
}

impl Network {
    fn new(path: LossPath, device: &Device) -> Self {
        let _alone = random_numbers();
        device.seed(7);
        let config = Preset::CmCosFace.config().with_scale(16.0).unwrap();
        let HeadConfig::Margin(config) = config else { unreachable!("it has class centers") };
        let network = Self {
            first: LinearConfig::new(INPUT, 64).init(device),
            second: LinearConfig::new(64, 32).init(device),
            head: config.with_path(path).init(32, IDENTITIES, device).unwrap(),
        };
        // Weights are drawn when they are first used: now.
        drop(network.valid());
        network
    }
}

/// Images of people, each near a point of their own.
fn batch(step: usize, device: &Device) -> (Tensor<2>, Tensor<1, Int>) {
    let mut random = StdRng::seed_from_u64(step as u64);
    let people: Vec<usize> = (0..BATCH).map(|_| random.random_range(0..SEEN) * (IDENTITIES / SEEN)).collect();
    let points = people.iter().flat_map(|&person| {
        let mut own = StdRng::seed_from_u64(1_000_000 + person as u64);
        (0..INPUT).map(move |_| own.random_range(-1.0f32..1.0)).collect::<Vec<_>>()
    });
    let inputs: Vec<f32> = points.collect();
    let inputs =
        inputs.into_iter().map(|value| value + 0.1 * random.random_range(-1.0f32..1.0)).collect::<Vec<_>>();
    let people: Vec<i32> = people.into_iter().map(|person| person as i32).collect();
    (
        Tensor::from_data(TensorData::new(inputs, [BATCH, INPUT]), device),
        Tensor::from_data(TensorData::new(people, [BATCH]), device),
    )
}

fn losses(path: LossPath, device: &Device) -> Vec<f64> {
    let mut network = Network::new(path, device);
    let mut optimizer = OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 5e-4 }.init();
    (0..STEPS)
        .map(|step| {
            let (inputs, people) = batch(step, device);
            let features = network.second.forward(relu(network.first.forward(inputs)));
            let loss = network.head.loss(features, people).mean_loss();
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = optimizer.step(0.1, network.clone(), gradients);
            f64::from(loss.into_scalar::<f32>())
        })
        .collect()
}

#[test]
fn two_hundred_steps_on_twenty_thousand_people_stay_together_within_rounding() {
    let device = Device::flex().autodiff();
    let (fused, plain) = (losses(LossPath::Auto, &device), losses(LossPath::Plain, &device));
    let last = plain[STEPS - 20..].iter().sum::<f64>() / 20.0;
    assert!(last < 0.8 * plain[0], "{} to {last}: nothing was learned", plain[0]);
    for (step, (fused, plain)) in fused.iter().zip(&plain).enumerate() {
        assert!((fused / plain - 1.0).abs() < 1e-4, "step {step}: {fused}, not {plain}");
    }
}
