//! The networks whose steps are measured, and a bare loop for each.

use std::{str::FromStr, time::Instant};

use burn::{
    module::Module,
    optim::{GradientsParams, ModuleOptimizer},
    tensor::{Device, Distribution, Int, Tensor},
};
use cm_loss_core::{Head, Preset};
use cm_models::{Backbone, BackboneConfig};
use cm_train::training::OptimizerConfig;

use crate::{CLASSES, Options};

/// The networks that PyTorch has as well.
const NAMES: [&str; 8] = [
    "lenet++",
    "sphereface20",
    "resnet18",
    "resnet3d",
    "iresnet18",
    "iresnet50",
    "iresnet100",
    "mobilefacenet",
];

/// Which network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network(BackboneConfig);

impl Network {
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// Channels, height and width of its images here.
    pub fn image(&self) -> [usize; 3] {
        match self.name() {
            "lenet++" => [1, 28, 28],
            "sphereface20" | "resnet18" => [3, 64, 64],
            // Slices of a volume.
            "resnet3d" => [28, 28, 28],
            _ => [3, 112, 112],
        }
    }

    pub fn backbone(&self, width: usize) -> BackboneConfig {
        self.0.clone().with_width(width)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match NAMES.contains(&name) {
            true => name.parse().map(Self).map_err(|error: cm_models::BackboneError| error.to_string()),
            false => Err(format!("the networks are {}", NAMES.join(", "))),
        }
    }
}

#[derive(Module, Debug)]
struct Model {
    backbone: Backbone,
    head: Head,
}

impl Model {
    fn forward(&self, images: Tensor<4>, targets: Tensor<1, Int>) -> Tensor<1> {
        let features = self.backbone.forward(images);
        self.head.forward(features, targets).mean_loss()
    }
}

/// Forward, backward and SGD with momentum on the same images again and again.
pub struct Loop {
    model: Option<Model>,
    optimizer: ModuleOptimizer,
    images: Tensor<4>,
    targets: Tensor<1, Int>,
}

impl Loop {
    pub fn new(options: &Options, preset: Preset, device: &Device) -> Result<Self, cm_train::Error> {
        let device = device.clone().autodiff();
        let (width, feature_dim) = (options.width, options.feature_dim);
        let image = options.network.image();
        let [channels, height, columns] = image;
        let backbone = options.network.backbone(width).init(image, feature_dim, &device)?;
        let head = preset.config().init(feature_dim, CLASSES, &device)?;
        let targets: Vec<i32> = (0..options.batch).map(|i| (i % CLASSES) as i32).collect();
        Ok(Self {
            model: Some(Model { backbone, head }),
            optimizer: OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 5e-4 }.init(),
            images: Tensor::random(
                [options.batch, channels, height, columns],
                Distribution::Default,
                &device,
            ),
            targets: Tensor::from_data(&targets[..], &device),
        })
    }

    /// Seconds of a step.
    pub fn step(&mut self) -> f64 {
        let start = Instant::now();
        let Some(model) = self.model.take() else { unreachable!("it is put back after each step") };
        let loss = model.forward(self.images.clone(), self.targets.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        let model = self.optimizer.step(1e-3, model, gradients);
        // Nothing is done on a GPU until it is asked for.
        let _ = model.devices()[0].sync();
        self.model = Some(model);
        start.elapsed().as_secs_f64()
    }
}
