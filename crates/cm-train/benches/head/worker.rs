//! What a process measures.

use std::{
    fs,
    io::{BufRead, stdin},
    str::FromStr,
    time::Instant,
};

use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use cm_loss_core::{ClassSampling, HeadConfig, LossPath};

use crate::{Options, process::memory};

/// Which steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Fused,
    Plain,
    /// A product of two square matrices, to know what the machine can do.
    Floor,
}

impl FromStr for Task {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "fused" => Ok(Self::Fused),
            "plain" => Ok(Self::Plain),
            "floor" => Ok(Self::Floor),
            _ => Err("the paths are fused and plain".to_owned()),
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
    let features = Tensor::<2>::random([options.n, options.d], Distribution::Normal(0.0, 1.0), &device);
    let targets: Vec<i32> = (0..options.n).map(|i| (i * 7919 % options.c) as i32).collect();
    let targets = Tensor::<1, Int>::from_data(TensorData::new(targets, [options.n]), &device);
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
