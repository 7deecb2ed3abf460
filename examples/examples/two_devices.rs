//! One head on two devices, each with its half of a batch: the gradients are those of the mean over both halves, and what the
//! head remembers is shared.

use burn::{
    module::Module,
    optim::{GradientsAccumulator, GradientsParams, SgdConfig},
    tensor::{Device, Distribution, Int, Tensor},
};
use cm_loss_core::{Head, Preset};

/// The gradients of a half of the batch on a device, brought to the first.
fn half(head: &Head, device: &Device, seed: u64) -> GradientsParams {
    device.seed(seed);
    let head = head.clone().fork(device);
    let features = Tensor::<2>::random([16, 8], Distribution::Normal(0.0, 1.0), device);
    let targets = Tensor::<1, Int>::from_data([0, 1, 2, 3].repeat(4).as_slice(), device);
    // The halves are added up: half of each mean makes the mean of the whole.
    let loss = head.loss(features, targets).mean_loss().div_scalar(2.0);
    GradientsParams::from_grads(loss.backward(), &head)
}

fn main() -> Result<(), cm_loss_core::Error> {
    // On a machine with two GPUs: Device::cuda(0) and Device::cuda(1).
    let devices = [Device::flex().autodiff(), Device::flex().autodiff()];
    let mut head = Preset::AdaFace.config().init(8, 4, &devices[0])?;
    let mut optimizer = SgdConfig::new().init();
    for step in 0..10 {
        let found: Vec<GradientsParams> = std::thread::scope(|scope| {
            let workers: Vec<_> = devices
                .iter()
                .enumerate()
                .map(|(i, device)| {
                    let head = &head;
                    scope.spawn(move || half(head, device, 2 * step + i as u64))
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().expect("a worker does not panic")).collect()
        });
        let mut sum = GradientsAccumulator::new();
        for gradients in found {
            sum.accumulate(&head, gradients.to_device(&devices[0], &head));
        }
        head = optimizer.step(0.05, head.clone(), sum.grads());
    }
    let state = head.state();
    let moments = state.margin.expect("AdaFace follows the norms");
    println!("after 20 half batches: mean norm {:.2}, deviation {:.2}", moments.mean, moments.std);
    assert_eq!(moments.batches_of_mean, 20, "each half counts once");
    Ok(())
}

#[test]
fn runs() {
    main().expect("the example runs");
}
