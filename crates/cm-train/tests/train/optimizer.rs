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

// w = torch.nn.Parameter(torch.ones(1, dtype=torch.float64)); o = torch.optim.SGD([w], lr=0.1, ...)
// for g in (0.5, -1.0, 2.0, 0.25, 0.0): o.zero_grad(); (w * g).sum().backward(); o.step(); print(w.item())

#[test]
fn sgd_is_the_one_of_pytorch_without_dampening() {
    // torch.optim.SGD([w], lr=0.1, momentum=0.9, weight_decay=0.05)
    let expected = [0.945, 0.990_775, 0.827_018_625, 0.650_502_794_375, 0.488_386_032_840_625];
    let config = OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 0.05 };
    assert_close(&trajectory(&config, 0.1, &GRADIENTS), &expected);
}

#[test]
fn adamw_is_the_one_of_pytorch() {
    // torch.optim.AdamW([w], lr=0.01, weight_decay=0.02)
    let expected = [
        0.989_800_000_2,
        0.993_263_075_424_016_6,
        0.988_867_866_656_685_7,
        0.984_622_113_377_489_4,
        0.981_003_723_055_531_7,
    ];
    let config = OptimizerConfig::AdamW { weight_decay: 0.02 };
    assert_close(&trajectory(&config, 0.01, &GRADIENTS), &expected);
}
