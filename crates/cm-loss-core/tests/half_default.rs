//! A default of 16 bits is one for the whole process, so that this is a program of its own.
#![allow(missing_docs, clippy::unwrap_used)]

use burn::tensor::{DType, Device, FloatDType, Int, Tensor};
use cm_loss_core::{ClassSampling, HeadConfig, Preset};

const DIM: usize = 6;
const CLASSES: usize = 5;

fn features(dtype: DType, device: &Device) -> Tensor<2> {
    let values: Vec<f32> = (0..4 * DIM).map(|i| ((i * 7 % 11) as f32 - 4.7) / 3.0).collect();
    Tensor::<1>::from_data(&values[..], (device, dtype)).reshape([4, DIM]).require_grad()
}

/// Two steps, what they leave behind, and the next one.
fn trains(name: &str, config: &HeadConfig, dtype: DType, device: &Device) {
    let head = config.init(DIM, CLASSES, device).unwrap();
    for step in 0..3 {
        let x = features(dtype, device);
        let targets = Tensor::<1, Int>::from_data([0, 3, 1, 4], device);
        let loss = head.forward(x.clone(), targets).mean_loss();
        let gradient = x.grad(&loss.clone().backward()).unwrap();
        let numbers: Vec<f32> = gradient.into_data().iter::<f32>().collect();
        let place = format!("{name}, {dtype:?}, step {step}");
        assert!(loss.into_scalar::<f32>().is_finite() && numbers.iter().all(|v| v.is_finite()), "{place}");
        assert!(numbers.iter().any(|v| *v != 0.0), "{place}");
    }
    let moments = head.state();
    for found in [moments.norm_map, moments.margin].into_iter().flatten() {
        assert!(found.mean.is_finite() && found.std > 0.0, "{name}: {found:?}");
    }
}

#[test]
fn every_loss_trains_where_the_default_has_16_bits() {
    let mut device = Device::flex();
    device.configure(FloatDType::F16).unwrap();
    let device = device.autodiff();
    assert_eq!(Tensor::<1>::zeros([1], &device).dtype(), DType::F16);
    for dtype in [DType::F16, DType::F32] {
        for preset in Preset::ALL {
            trains(preset.name(), &preset.config(), dtype, &device);
        }
        let sampled = Preset::ElasticFaceArc.config().with_sampling(ClassSampling { fraction: 0.9, seed: 1 });
        trains("sampled", &sampled.unwrap(), dtype, &device);
        let warming = Preset::CosFace.config().with_margin_warm_up(2);
        trains("warming up", &warming.unwrap(), dtype, &device);
    }
}
