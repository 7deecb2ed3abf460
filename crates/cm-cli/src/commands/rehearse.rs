//! `cm rehearse`: what a training of very many identities takes on this machine, without their images.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use burn::{
    optim::{GradientsParams, ModuleOptimizer},
    tensor::{Device, Tensor},
};
use clap::Args;
use cm_data::{DataError, Image, ImageSet, InputSpec, Loader, LoaderConfig, RawBatch, Resize};
use cm_loss_core::{ClassSampling, MarginHead, PartialHead, Preset, RowSgd};
use cm_models::{Backbone, BackboneConfig};
use cm_train::{
    Error,
    classifier::Batch,
    training::{OptimizerConfig, at_least_one, to_device},
};
use serde_json::json;

use crate::{
    applications::drawn_face,
    error::CliError,
    session::{ComputeOptions, peak_memory},
    values,
};

const MOMENTUM: f64 = 0.9;
const WEIGHT_DECAY: f64 = 5e-4;
/// Steps at the beginning that are not counted: memory is got and kernels are chosen in them.
const WARM_UP: usize = 3;
/// Bytes of a number.
const NUMBER: f64 = 4.0;

/// Options of `cm rehearse`.
#[derive(Debug, Args)]
#[command(
    after_help = "Images of faces are drawn on the fly; nothing is read or kept.\n\nExamples:\n  cm rehearse --classes 100000 --steps 200\n  \
    cm rehearse --classes 1000000 --sampled 0.1 --backbone iresnet50 --size 112 --feature-dim 512 --backend cuda"
)]
pub struct Options {
    /// Identities
    #[arg(long, default_value_t = 100_000)]
    classes: usize,
    /// Share of the classes that takes part in a step, as Partial FC has it
    #[arg(long, value_name = "SHARE")]
    sampled: Option<f64>,
    /// The loss; one with class centers
    #[arg(long, value_parser = values::loss(), default_value = "CosFace")]
    loss: Preset,
    /// The network
    #[arg(long, value_parser = values::backbone(), default_value = "iresnet18")]
    backbone: String,
    /// Channels of its first stage [default: as in its paper]
    #[arg(long)]
    width: Option<usize>,
    /// Dimensions of the feature
    #[arg(long, default_value_t = 512)]
    feature_dim: usize,
    /// Height and width of the images
    #[arg(long, default_value_t = 64)]
    size: usize,
    /// Images a step
    #[arg(long, default_value_t = 64)]
    batch_size: usize,
    /// Steps
    #[arg(long, default_value_t = 100)]
    steps: usize,
    /// Learning rate
    #[arg(long, default_value_t = 0.02)]
    learning_rate: f64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    compute: ComputeOptions,
}

/// Faces that are drawn when they are asked for, image after image another person.
struct Faces {
    images: usize,
    classes: usize,
    size: u32,
}

impl Faces {
    fn person(&self, index: usize) -> usize {
        // Spread over all of them, whatever their number.
        (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17) as usize % self.classes
    }
}

impl ImageSet for Faces {
    fn len(&self) -> usize {
        self.images
    }

    fn image(&self, index: usize) -> Result<Arc<Image>, DataError> {
        Ok(Arc::new(drawn_face(0, self.person(index) as u64, index as u64, self.size)))
    }

    fn label(&self, index: usize) -> u32 {
        self.person(index) as u32
    }

    fn name(&self, index: usize) -> String {
        format!("image {index}")
    }
}

/// All classes, or those that a step draws.
enum Classes {
    All(Box<MarginHead>, ModuleOptimizer),
    Drawn(Box<PartialHead>),
}

/// What a step took.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    images: Duration,
    network: Duration,
    head: Duration,
}

/// Trains for some steps and says what they took.
pub fn run(options: Options) -> Result<(), CliError> {
    let session = options.compute.open_for(options.json)?;
    let device = session.devices.first()?.autodiff();
    for (name, value) in
        [("classes", options.classes), ("steps", options.steps), ("batch-size", options.batch_size)]
    {
        at_least_one(name, value)?;
    }
    let mut config: BackboneConfig = options.backbone.parse().map_err(Error::from)?;
    if let Some(width) = options.width {
        config = config.with_width(width);
    }
    let mut network =
        config.init([3, options.size, options.size], options.feature_dim, &device).map_err(Error::from)?;
    let mut head = options.loss.config();
    if let Some(fraction) = options.sampled {
        head = head.with_sampling(ClassSampling { fraction, seed: 0 })?;
    }
    let head = head.init(options.feature_dim, options.classes, &device)?;
    let head = head.into_margin().map_err(|_| {
        CliError::Said(format!("{} has no class centers; take another loss", options.loss.name()))
    })?;
    let sgd = || OptimizerConfig::Sgd { momentum: MOMENTUM, weight_decay: WEIGHT_DECAY }.init();
    let mut classes = match options.sampled {
        Some(_) => {
            let rows = RowSgd { momentum: MOMENTUM, weight_decay: WEIGHT_DECAY };
            Classes::Drawn(Box::new(PartialHead::new(head, rows)?))
        }
        None => Classes::All(Box::new(head), sgd()),
    };
    let mut optimizer = sgd();
    let steps = options.steps + WARM_UP;
    let faces =
        Faces { images: steps * options.batch_size, classes: options.classes, size: options.size as u32 };
    let input = InputSpec {
        width: options.size,
        height: options.size,
        channels: 3,
        region: None,
        resize: Resize::None,
        mean: vec![0.5; 3],
        std: vec![0.25; 3],
    };
    let loading =
        LoaderConfig { batch_size: options.batch_size, workers: session.workers, ..LoaderConfig::default() };
    let loader = Loader::new(Arc::new(faces), input, loading)?;
    let bar = session.display.bar(steps, "rehearsing");
    let mut total = Times::default();
    let mut batches = loader.epoch(0);
    for step in 0..steps {
        if session.interrupter.should_stop() {
            return Err(CliError::Stopped);
        }
        let start = Instant::now();
        let Some(batch) = batches.next() else { break };
        let batch = batch?;
        let mut times = Times { images: start.elapsed(), ..Times::default() };
        let loss;
        (network, loss) = trained(
            network,
            &mut optimizer,
            &mut classes,
            batch,
            options.learning_rate,
            &device,
            &mut times,
        )?;
        if !loss.is_finite() {
            return Err(CliError::Said(format!(
                "the loss is {loss} in step {}; take a smaller --learning-rate",
                step + 1
            )));
        }
        if step >= WARM_UP {
            total.images += times.images;
            total.network += times.network;
            total.head += times.head;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let parameters = burn::module::Module::num_params(&network);
    let found = Found { options: &options, parameters, total };
    match options.json {
        true => println!("{}", found.json()),
        false => print!("{}", found.text()),
    }
    Ok(())
}

/// One step: the network forward, the head forward and backward, the network backward.
fn trained(
    network: Backbone,
    optimizer: &mut ModuleOptimizer,
    classes: &mut Classes,
    batch: RawBatch,
    rate: f64,
    device: &Device,
    times: &mut Times,
) -> Result<(Backbone, f32), CliError> {
    let start = Instant::now();
    let Batch { images, targets, .. } = to_device(batch, 0, 0, device);
    let features = network.forward(images);
    // Apart from the network's graph, so that each has a time of its own.
    let leaf = features.clone().detach().require_grad();
    let value = |features: &Tensor<2>| features.clone().sum().into_scalar::<f32>();
    let _ = value(&leaf);
    times.network += start.elapsed();
    let start = Instant::now();
    let (gradient, loss) = match classes {
        Classes::Drawn(head) => {
            let step = head.draw(&leaf, targets)?;
            let loss = step.loss(leaf.clone()).mean_loss();
            let mut gradients = loss.clone().backward();
            let gradient = leaf.grad(&gradients);
            head.update(step, &mut gradients, rate)?;
            (gradient, loss)
        }
        Classes::All(head, optimizer) => {
            let loss = head.loss(leaf.clone(), targets).mean_loss();
            let gradients = loss.clone().backward();
            let gradient = leaf.grad(&gradients);
            let gradients = GradientsParams::from_grads(gradients, &**head);
            **head = optimizer.step(rate, (**head).clone(), gradients);
            (gradient, loss)
        }
    };
    let loss = loss.into_scalar::<f32>();
    times.head += start.elapsed();
    let start = Instant::now();
    let gradient = gradient.unwrap_or_else(|| unreachable!("the loss depends on the features"));
    let gradients = (features * Tensor::from_inner(gradient)).sum().backward();
    let gradients = GradientsParams::from_grads(gradients, &network);
    let network = optimizer.step(rate, network, gradients);
    times.network += start.elapsed();
    Ok((network, loss))
}

/// What was found.
struct Found<'a> {
    options: &'a Options,
    parameters: usize,
    total: Times,
}

impl Found<'_> {
    fn seconds(&self) -> [f64; 3] {
        let each = |time: Duration| time.as_secs_f64() / self.options.steps as f64;
        [self.total.images, self.total.network, self.total.head].map(each)
    }

    fn images_per_second(&self) -> f64 {
        self.options.batch_size as f64 / self.seconds().iter().sum::<f64>()
    }

    /// Bytes of class centers and their velocity, and of what a step needs beside them, for so many classes.
    fn bytes(&self, classes: f64) -> [f64; 2] {
        let row = self.options.feature_dim as f64 * NUMBER;
        let drawn = self.options.sampled.unwrap_or(1.0) * classes;
        // The gradient of those that take part.
        [2.0 * classes * row, drawn * row]
    }

    fn json(&self) -> serde_json::Value {
        let [images, network, head] = self.seconds();
        let options = self.options;
        let more = self.more().map(|More { classes, step, head, kept, gradient }| {
            json!({
                "classes": classes, "seconds_step": step, "seconds_head": head, "gb_centers_and_velocity": kept,
                "gb_gradient": gradient,
            })
        });
        json!({
            "classes": options.classes, "sampled": options.sampled, "loss": options.loss.name(),
            "backbone": options.backbone, "parameters": self.parameters, "feature_dim": options.feature_dim,
            "size": options.size, "batch_size": options.batch_size, "steps": options.steps,
            "images_per_second": self.images_per_second(), "seconds_images": images, "seconds_network": network,
            "seconds_head": head, "share_of_the_head": head / (images + network + head), "peak_mb": peak_memory(),
            "counted_steps": options.steps, "with_more_classes": more,
        })
    }

    fn text(&self) -> String {
        use std::fmt::Write;
        let options = self.options;
        let [images, network, head] = self.seconds();
        let step = images + network + head;
        let mut text = String::new();
        let drawn =
            options.sampled.map_or(String::new(), |share| format!(", {} % of them in a step", 100.0 * share));
        let _ = writeln!(
            text,
            "{} classes{drawn}, {}, {}-dimensional features; {} with {:.1} million weights, images of {} x {}, batch {}",
            options.classes,
            options.loss.name(),
            options.feature_dim,
            options.backbone,
            self.parameters as f64 / 1e6,
            options.size,
            options.size,
            options.batch_size
        );
        let share = |seconds: f64| format!("{:.3} s, {:.0} %", seconds, 100.0 * seconds / step);
        let _ = writeln!(text, "{:.1} images/s; a step takes {step:.3} s:", self.images_per_second());
        let _ = writeln!(text, "  waiting for images  {}", share(images));
        let _ = writeln!(text, "  network             {}", share(network));
        let _ = writeln!(text, "  head                {}", share(head));
        if let Some(peak) = peak_memory() {
            let _ = writeln!(text, "largest memory {peak:.0} MB");
        }
        let _ = writeln!(
            text,
            "\nBy the same numbers of a head, which grow with its classes, at the same batch:"
        );
        for More { classes, step, head, kept, gradient } in self.more() {
            let _ = writeln!(
                text,
                "  {classes:>12.0} classes  {step:>8.2} s a step, {head:>8.2} s of them the head  centers and their velocity {kept:>7.2} GB, \
                 gradient {gradient:>7.2} GB",
            );
        }
        text
    }

    /// What once, ten and a hundred times as many classes take by the same numbers.
    fn more(&self) -> [More; 3] {
        let [images, network, head] = self.seconds();
        [1.0, 10.0, 100.0].map(|factor| {
            let classes = factor * self.options.classes as f64;
            let [kept, gradient] = self.bytes(classes).map(|bytes| bytes / 1e9);
            More { classes, step: images + network + factor * head, head: factor * head, kept, gradient }
        })
    }
}

/// What so many classes take: seconds of a step and of its head, and GB.
struct More {
    classes: f64,
    step: f64,
    head: f64,
    kept: f64,
    gradient: f64,
}
