//! What a process measures.

use std::{
    fs,
    io::{BufRead, stdin},
    str::FromStr,
    time::Instant,
};

use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use cm_loss_core::{ClassSampling, HeadConfig, LossPath, PartialHead, RowSgd};

use crate::{Options, process::memory};

/// Which steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Fused,
    Plain,
    /// A whole step of sampled classes, with momentum: only what is drawn has a gradient and is moved.
    Partial,
    /// A product of two square matrices, to know what the machine can do.
    Floor,
}

impl FromStr for Task {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "fused" => Ok(Self::Fused),
            "plain" => Ok(Self::Plain),
            "partial" => Ok(Self::Partial),
            "floor" => Ok(Self::Floor),
            _ => Err("the paths are fused, plain and partial".to_owned()),
        }
    }
}

/// Rows and columns of the product that tells the floor.
pub const SQUARE: usize = 2048;

/// A step for every line that comes in; at the end the largest memory, and that before the first step, in MB.
pub fn run(options: &Options, task: Task) -> Result<(), String> {
    if let Some(threads) = options.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        pool.map_err(|error| format!("--threads {threads}: {error}"))?;
    }
    let mut step: Box<dyn FnMut() -> f64> = match task {
        Task::Floor => product(),
        Task::Fused => {
            let path = options.budget.map_or(LossPath::Auto, |budget| LossPath::Fused { budget });
            loss(options, path)?
        }
        Task::Plain => loss(options, LossPath::Plain)?,
        Task::Partial => partial(options)?,
    };
    // The largest memory counts from here on; where the system does not let it, the inputs are in it.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let base = memory("VmRSS:").unwrap_or(0.0);
    println!("{} threads", rayon::current_num_threads());
    for line in stdin().lock().lines() {
        line.map_err(|error| error.to_string())?;
        println!("{}", step());
    }
    println!("{} {base}", memory("VmHWM:").unwrap_or(0.0));
    Ok(())
}

fn batch(options: &Options, device: &Device) -> (Tensor<2>, Tensor<1, Int>) {
    let features = Tensor::<2>::random([options.n, options.d], Distribution::Normal(0.0, 1.0), device);
    let targets: Vec<i32> = (0..options.n).map(|i| (i * 7919 % options.c) as i32).collect();
    (features, Tensor::from_data(TensorData::new(targets, [options.n]), device))
}

/// Draw, forward, backward, and the step of the optimizer.
fn partial(options: &Options) -> Result<Box<dyn FnMut() -> f64>, String> {
    let HeadConfig::Margin(mut config) = options.head.config() else {
        return Err(format!("{} has no class centers to draw from", options.head));
    };
    let Some(fraction) = options.sampled else {
        return Err("the path partial draws a share of the classes: name it by --sampled".to_owned());
    };
    config.sampling = Some(ClassSampling { fraction, seed: 0 });
    let device = Device::flex().autodiff();
    let said = |error: cm_loss_core::Error| error.to_string();
    let head = config.init(options.d, options.c, &device).map_err(said)?;
    let optimizer = RowSgd { momentum: 0.9, weight_decay: 5e-4 };
    let mut head = PartialHead::new(head, optimizer).map_err(said)?;
    let (features, targets) = batch(options, &device);
    Ok(Box::new(move || {
        let start = Instant::now();
        let x = features.clone().detach().require_grad();
        let Ok(step) = head.draw(&x, targets.clone()) else { unreachable!("the targets are classes") };
        let mut gradients = step.loss(x.clone()).mean_loss().backward();
        let _ = x.grad(&gradients);
        let Ok(()) = head.update(step, &mut gradients, 0.1) else { unreachable!("the step was backward") };
        start.elapsed().as_secs_f64()
    }))
}

fn product() -> Box<dyn FnMut() -> f64> {
    let device = Device::flex();
    let matrix = || Tensor::<2>::random([SQUARE, SQUARE], Distribution::Default, &device);
    let (a, b) = (matrix(), matrix());
    Box::new(move || {
        let start = Instant::now();
        let _ = a.clone().matmul(b.clone());
        start.elapsed().as_secs_f64()
    })
}

/// Forward and backward, with gradients of features and centers.
fn loss(options: &Options, path: LossPath) -> Result<Box<dyn FnMut() -> f64>, String> {
    let HeadConfig::Margin(mut config) = options.head.config() else {
        return Err(format!("{} has no class centers to go over", options.head));
    };
    config.path = path;
    config.sampling = options.sampled.map(|fraction| ClassSampling { fraction, seed: 0 });
    let device = Device::flex().autodiff();
    let head = config.init(options.d, options.c, &device).map_err(|error| error.to_string())?;
    // A weight is drawn when it is first used.
    let _ = head.class_centers.val();
    let (features, targets) = batch(options, &device);
    Ok(Box::new(move || {
        let start = Instant::now();
        let x = features.clone().detach().require_grad();
        let loss = match path {
            LossPath::Plain => head.forward(x.clone(), targets.clone()).mean_loss(),
            _ => head.loss(x.clone(), targets.clone()).mean_loss(),
        };
        let gradients = loss.backward();
        let _ = (x.grad(&gradients), head.class_centers.val().grad(&gradients));
        start.elapsed().as_secs_f64()
    }))
}
