//! Time and memory of a head's loss and its gradients, class by class, with the matrix of logits, and in PyTorch. Each path
//! is a process of its own, and they take turns, so that a machine that slows down slows all of them.

#[path = "../process.rs"]
mod process;
mod report;
#[path = "../statistics.rs"]
mod statistics;
mod worker;

use std::{env, path::PathBuf, process::Command, process::ExitCode};

use clap::Parser;
use cm_loss_core::Preset;
use process::Process;
use report::Measured;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Times the loss of a head, forward and backward.
#[derive(Debug, Parser)]
struct Options {
    /// Samples
    #[arg(long, default_value_t = 256)]
    n: usize,
    /// Dimensions of the features
    #[arg(long, default_value_t = 512)]
    d: usize,
    /// Classes
    #[arg(long, default_value_t = 10_000)]
    c: usize,
    /// Which loss
    #[arg(long, default_value = "CM-CosFace")]
    head: Preset,
    /// Which ways to compute it, of fused, plain and partial (a whole step of sampled classes, with momentum)
    #[arg(long, value_delimiter = ',', default_values = ["fused", "plain"])]
    path: Vec<String>,
    /// Share of the classes that take part in a step
    #[arg(long, value_name = "FRACTION")]
    sampled: Option<f64>,
    /// Bytes of memory beside the gradients; without it, as the library chooses
    #[arg(long)]
    budget: Option<usize>,
    /// How often each is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Threads; as many as there are cores where none are given
    #[arg(long)]
    threads: Option<usize>,
    /// Measure PyTorch beside them: eager, torch.compile, and linear_cross_entropy (without margin) where it is there
    #[arg(long)]
    against_torch: bool,
    /// Tell the allocator that PyTorch uses to keep memory from step to step, as ours does; as installed it gives back what
    /// is large (glibc)
    #[arg(long)]
    torch_keeps_memory: bool,
    /// A Python with PyTorch
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// A line of JSON a path
    #[arg(long)]
    json: bool,
    /// What this process is to do for another
    #[arg(long, hide = true)]
    worker: Option<worker::Task>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let result = match options.worker {
        Some(task) => worker::run(&options, task),
        None => run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let counts = [("n", options.n), ("d", options.d), ("c", options.c), ("rounds", options.rounds)];
    if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
        return Err(format!("--{name} must be at least 1, but is 0"));
    }
    let mut processes = vec![("floor".to_owned(), worker(options, "floor")?)];
    for path in &options.path {
        processes.push((path.clone(), worker(options, path)?));
    }
    if options.against_torch {
        // Beside whole steps, a whole step.
        let whole = options.path.iter().any(|path| path == "partial");
        let ways: &[&str] = if whole { &["step"] } else { &["eager", "compile", "linear_cross_entropy"] };
        for &way in ways {
            match torch(options, way) {
                Ok(process) => processes.push((format!("torch_{way}"), process)),
                // The others tell whether there is a PyTorch at all.
                Err(message) if way == ways[0] => return Err(message),
                Err(_) => eprintln!("PyTorch cannot do {way} here"),
            }
        }
    }
    let mut measured: Vec<Measured> =
        processes.iter().map(|(path, process)| Measured::new(path, &process.greeting)).collect();
    // The first round warms caches and allocators up and does not count.
    for round in 0..=options.rounds {
        for ((_, process), measured) in processes.iter_mut().zip(&mut measured) {
            let seconds = process.step("step")?;
            if round > 0 {
                measured.seconds.push(seconds);
            }
        }
    }
    for ((_, process), measured) in processes.iter_mut().zip(&mut measured) {
        let memory = process.end()?;
        (measured.peak_mb, measured.base_mb) = (memory[0], memory[1]);
    }
    report::print(options, &measured);
    Ok(())
}

/// This program again, for one path.
fn worker(options: &Options, task: &str) -> Result<Process, String> {
    let program = env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let mut command = Command::new(program);
    command.args(["--worker", task, "--head", options.head.name()]);
    for (name, value) in [("--n", options.n), ("--d", options.d), ("--c", options.c)] {
        command.args([name, &value.to_string()]);
    }
    if let Some(fraction) = options.sampled {
        command.args(["--sampled", &fraction.to_string()]);
    }
    if let Some(threads) = options.threads {
        command.args(["--threads", &threads.to_string()]);
    }
    if let Some(budget) = options.budget {
        command.args(["--budget", &budget.to_string()]);
    }
    Process::start(task, command, "the paths are fused, plain and partial")
}

fn torch(options: &Options, way: &str) -> Result<Process, String> {
    let mut command = Command::new(&options.python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tools/torch_head.py")).arg(way);
    command.arg(options.head.name());
    let threads = options.threads.unwrap_or_else(rayon::current_num_threads);
    command.args([options.n, options.d, options.c, threads].map(|n| n.to_string()));
    command.arg(options.sampled.unwrap_or(1.0).to_string());
    if options.torch_keeps_memory {
        let keep = "glibc.malloc.mmap_threshold=17179869184:glibc.malloc.trim_threshold=34359738368";
        command.env("GLIBC_TUNABLES", keep);
    }
    let help = "name a Python with PyTorch (pip install torch) by --python; it knows the heads CosFace, CM-CosFace, \
                L2-Softmax and CM-Softmax";
    Process::start(&format!("PyTorch ({way})"), command, help)
}
