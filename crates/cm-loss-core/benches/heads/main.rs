//! What each head costs, beside Burn's own linear layer and cross entropy.
//!
//! `cargo xtask bench heads` measures with criterion; `cargo xtask bench heads --ratios` measures every head and the
//! baseline in turn and prints the table of the documentation.
#![allow(missing_docs, clippy::unwrap_used)]

mod ratios;

use std::time::{Duration, Instant};

use burn::{
    nn::{
        Linear, LinearConfig,
        loss::{CrossEntropyLoss, CrossEntropyLossConfig},
    },
    tensor::{Device, Distribution, Int, Tensor},
};
use cm_loss_core::{Head, Preset};
use criterion::{BenchmarkId, Criterion};

/// Batch, feature dimensions, classes.
type Size = (usize, usize, usize);

/// Digits, and a face data set.
const SIZES: [Size; 2] = [(128, 2, 10), (256, 512, 10_000)];

/// A batch of features and something that makes a loss of it.
struct Subject {
    features: Tensor<2>,
    targets: Tensor<1, Int>,
    loss: Loss,
}

enum Loss {
    /// Burn's own.
    Baseline(Box<(Linear, CrossEntropyLoss)>),
    Head(Box<Head>),
}

impl Subject {
    /// `None` is the baseline.
    fn new(preset: Option<Preset>, (batch, dim, classes): Size, device: &Device) -> Self {
        device.seed(1);
        let features = Tensor::random([batch, dim], Distribution::Default, device).require_grad();
        let targets = (0..batch).map(|i| (i * 7919 % classes) as i32).collect::<Vec<_>>();
        let loss = match preset {
            None => Loss::Baseline(Box::new((
                LinearConfig::new(dim, classes).init(device),
                CrossEntropyLossConfig::new().init(device),
            ))),
            Some(preset) => Loss::Head(Box::new(preset.config().init(dim, classes, device).unwrap())),
        };
        Self { features, targets: Tensor::from_data(&targets[..], device), loss }
    }

    fn forward(&self) -> Tensor<1> {
        let (features, targets) = (self.features.clone(), self.targets.clone());
        match &self.loss {
            Loss::Baseline(own) => own.1.forward(own.0.forward(features), targets),
            Loss::Head(head) => head.forward(features, targets).mean_loss(),
        }
    }

    /// The time of a pass, ended by reading the loss, and the gradients if they are asked for. The backward pass is made in
    /// any case: Burn keeps a graph that no backward pass goes through.
    fn pass(&self, backward: bool) -> Duration {
        let start = Instant::now();
        let loss = self.forward();
        if !backward {
            std::hint::black_box(loss.clone().into_scalar::<f32>());
        }
        let forward = start.elapsed();
        std::hint::black_box(self.features.grad(&loss.backward()));
        if backward { start.elapsed() } else { forward }
    }
}

fn subjects() -> impl Iterator<Item = Option<Preset>> {
    std::iter::once(None).chain(Preset::ALL.iter().copied().map(Some))
}

fn name(subject: Option<Preset>) -> String {
    subject.map_or("Burn linear + cross entropy".to_owned(), |preset| preset.to_string())
}

fn main() {
    let device = Device::flex().autodiff();
    if std::env::args().any(|argument| argument == "--ratios") {
        return ratios::print(&device);
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots()
        .configure_from_args();
    for size in SIZES {
        for (direction, backward) in [("forward", false), ("forward and backward", true)] {
            let mut group = criterion.benchmark_group(format!("{direction} {size:?}"));
            for preset in subjects() {
                let subject = Subject::new(preset, size, &device);
                group.bench_function(BenchmarkId::from_parameter(name(preset)), |b| {
                    b.iter_custom(|passes| (0..passes).map(|_| subject.pass(backward)).sum());
                });
            }
            group.finish();
        }
    }
    criterion.final_summary();
}
