//! Time of one training step of LeNet++ with each head, of our training loop beside a bare one, and of the same
//! step in PyTorch. Everything is measured in turn, so that a machine that slows down slows all of it.

mod measure;
mod networks;
#[path = "../process.rs"]
mod process;
#[path = "../statistics.rs"]
mod statistics;
mod torch;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use burn::{tensor::Device, train::Interrupter};
use clap::Parser;
use cm_data::{ImageSet, InputSpec, MemorySet, Resize};
use cm_loss_core::Preset;
use cm_train::{
    Error,
    classifier::Classifier,
    device::Backend,
    model::{CARD_FORMAT, ModelCard, Provenance},
    training::{Display, OptimizerConfig, Recipe, Schedule, Shape, Training},
};
use measure::{BareLoop, Sample};
use networks::{Loop, Network};
use statistics::{median, range};

/// The losses of the method's authors.
const COMPARED: [Preset; 5] =
    [Preset::Softmax, Preset::L2Softmax, Preset::CmSoftmax, Preset::CosFace, Preset::CmCosFace];
/// As of digits.
pub const CLASSES: usize = 10;
/// Height and width of digits.
const SIDE: usize = 28;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Times training steps.
#[derive(Debug, Parser)]
struct Options {
    /// Network: lenet++ on digits, sphereface20 or resnet18 on images of 64 x 64, resnet3d on volumes of 28 x 28 x 28, or
    /// iresnet18, iresnet50, iresnet100 or mobilefacenet on images of 112 x 112
    #[arg(long, default_value = "lenet++")]
    network: Network,
    /// Images a step
    #[arg(long, default_value_t = 128)]
    batch: usize,
    /// Channels of the first stage
    #[arg(long, default_value_t = 32)]
    width: usize,
    /// Dimensions of the feature
    #[arg(long, default_value_t = 2)]
    feature_dim: usize,
    /// How often everything is measured
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Steps a round of the training loops
    #[arg(long, default_value_t = 8)]
    loop_steps: usize,
    /// CPU threads, of PyTorch too [default: all]
    #[arg(long)]
    threads: Option<usize>,
    /// Backend: flex, ndarray, wgpu, vulkan, metal, cuda or rocm
    #[arg(long)]
    backend: Option<Backend>,
    /// Measure the same step in PyTorch
    #[arg(long)]
    against_torch: bool,
    /// Python with PyTorch
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// One head alone, as for the other networks, with the memory that it takes
    #[arg(long)]
    single: bool,
    /// A line of JSON a row
    #[arg(long)]
    json: bool,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let counts = [
        ("batch", options.batch),
        ("width", options.width),
        ("feature-dim", options.feature_dim),
        ("rounds", options.rounds),
        ("loop-steps", options.loop_steps),
    ];
    if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
        return Err(format!("--{name} must be at least 1, but is 0"));
    }
    if let Some(threads) = options.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        pool.map_err(|error| format!("--threads {threads}: {error}"))?;
    }
    let backend = Backend::choose(options.backend).map_err(|error| error.to_string())?;
    let device = backend.device().map_err(|error| error.to_string())?;
    let threads = rayon::current_num_threads();
    let mut torch = match options.against_torch {
        true => Some(torch::start(options, threads)?),
        false => None,
    };
    if !options.json {
        println!(
            "{} of width {}, {}-dimensional features, batch {}, SGD with momentum; {backend}, {threads} threads",
            options.network.name(),
            options.width,
            options.feature_dim,
            options.batch
        );
        if let Some(torch) = &torch {
            println!("beside PyTorch {}", torch.greeting);
        }
    }

    if options.network.name() != "lenet++" || options.single {
        return network(options, backend, threads, &device, torch.as_mut());
    }
    let images = Arc::new(noise(options.batch * options.loop_steps));
    let bare = |preset: Preset| -> Result<BareLoop, Error> {
        let card = card(options, preset);
        let network = classifier(&card, &device)?;
        BareLoop::new(network, images.clone(), card.input, options.batch, &device)
    };
    let mut heads = Vec::new();
    for preset in COMPARED {
        heads.push((preset, bare(preset).map_err(|error| error.to_string())?));
    }
    let mut samples: Vec<(Preset, Sample)> = COMPARED.map(|preset| (preset, Sample::default())).to_vec();
    // The first round warms caches and allocators up and does not count.
    for round in 0..=options.rounds {
        for ((preset, bare), (_, sample)) in heads.iter_mut().zip(&mut samples) {
            let ours = bare.steps(1);
            let theirs = torch.as_mut().map(|torch| torch.step(preset.name())).transpose()?;
            if round > 0 {
                sample.ours.push(ours);
                sample.theirs.extend(theirs);
            }
        }
    }
    report(options, backend, threads, &samples);
    drop(heads);
    training_loop(options, backend, threads, &device, &images).map_err(|error| error.to_string())
}

/// A network with one head, and the memory that it takes.
fn network(
    options: &Options,
    backend: Backend,
    threads: usize,
    device: &Device,
    mut torch: Option<&mut process::Process>,
) -> Result<(), String> {
    let preset = Preset::CmCosFace;
    let mut bare = Loop::new(options, preset, device).map_err(|error| error.to_string())?;
    let mut sample = Sample::default();
    for round in 0..=options.rounds {
        let ours = bare.step();
        let theirs = torch.as_mut().map(|torch| torch.step(preset.name())).transpose()?;
        if round > 0 {
            sample.ours.push(ours);
            sample.theirs.extend(theirs);
        }
    }
    report(options, backend, threads, &[(preset, sample)]);
    let theirs = torch.map(process::Process::end).transpose()?;
    memory(options, theirs.and_then(|numbers| numbers.first().copied()));
    Ok(())
}

/// Largest memory of the two processes, which have each done nothing but these steps.
fn memory(options: &Options, theirs: Option<f64>) {
    let Some(ours) = process::memory("VmHWM:") else { return };
    if options.json {
        println!("{}", serde_json::json!({ "peak_mb": ours, "torch_peak_mb": theirs }));
        return;
    }
    let theirs = theirs.map_or(String::new(), |theirs| format!(", PyTorch's {theirs:.0} MB"));
    println!("largest memory of the process: {ours:.0} MB{theirs}");
}

/// Images of nothing: a step takes as long with them as with digits.
fn noise(count: usize) -> MemorySet {
    let pixels: Vec<u8> = (0..count * SIDE * SIDE).map(|i| (i * 7919 % 251) as u8).collect();
    MemorySet::gray(SIDE, SIDE, &pixels, (0..count).map(|i| (i % CLASSES) as u32).collect())
}

fn card(options: &Options, preset: Preset) -> ModelCard {
    ModelCard {
        format: CARD_FORMAT,
        backbone: options.network.backbone(options.width),
        feature_dim: options.feature_dim,
        loss: preset.name().to_owned(),
        head: preset.config(),
        classes: (0..CLASSES).map(|class| class.to_string()).collect(),
        input: InputSpec {
            width: SIDE,
            height: SIDE,
            channels: 1,
            region: None,
            resize: Resize::None,
            mean: vec![0.1307],
            std: vec![0.3081],
        },
        provenance: Provenance::default(),
        norms: None,
        quality: None,
    }
}

fn classifier(card: &ModelCard, device: &Device) -> Result<Classifier, Error> {
    Classifier::new(card.parts(), 0, &device.clone().autodiff())
}

fn report(options: &Options, backend: Backend, threads: usize, samples: &[(Preset, Sample)]) {
    let softmax = &samples[0].1.ours;
    for (preset, sample) in samples {
        let rate = options.batch as f64 / median(sample.ours.clone());
        let to_softmax = median(sample.ours.iter().zip(softmax).map(|(a, b)| a / b).collect());
        let ratios: Vec<f64> = sample.theirs.iter().zip(&sample.ours).map(|(t, o)| t / o).collect();
        let to_torch = (!ratios.is_empty()).then(|| median(ratios.clone()));
        if options.json {
            let row = serde_json::json!({
                "backend": backend.name(), "head": preset.name(), "batch": options.batch, "threads": threads,
                "images_per_second": rate, "ratio_to_softmax": to_softmax, "ratio_to_torch": to_torch,
            });
            println!("{row}");
            continue;
        }
        let torch = match to_torch {
            Some(ratio) => {
                let (low, high) = range(&ratios);
                format!("  {ratio:.3} of PyTorch's images/s ({low:.3} to {high:.3})")
            }
            None => String::new(),
        };
        let softmax = match samples.len() {
            1 => String::new(),
            _ => format!("  {to_softmax:.3} of the time of softmax"),
        };
        println!("{:<10}  {rate:7.1} images/s{softmax}{torch}", preset.name());
    }
}

/// Our training loop, with its metrics, progress and checkpoint, beside a bare loop of the same steps.
fn training_loop(
    options: &Options,
    backend: Backend,
    threads: usize,
    device: &Device,
    images: &Arc<MemorySet>,
) -> Result<(), Error> {
    let preset = Preset::CmCosFace;
    let (mut ratios, mut seconds) = (Vec::new(), Vec::new());
    let recipe = Recipe {
        optimizer: OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 5e-4 },
        schedule: Schedule { learning_rate: 1e-3, warm_up_epochs: 0.0, shape: Shape::Constant },
        max_grad_norm: None,
        ..Recipe::one_cycle(1, options.batch, 1e-3, 0.0)
    };
    let card = card(options, preset);
    let network = classifier(&card, device)?;
    let mut bare = BareLoop::new(network, images.clone(), card.input.clone(), options.batch, device)?;
    for round in 0..=options.rounds.div_ceil(2) {
        let bare_seconds = bare.steps(options.loop_steps);
        let folder = tempfile::tempdir().map_err(|source| Error::Io {
            action: "create",
            path: std::env::temp_dir(),
            source,
        })?;
        let training = Training {
            label: preset.name().to_owned(),
            directory: folder.path(),
            models: folder.path(),
            resume: "",
            recipe: &recipe,
            card: &card,
            seed: 0,
            train: images.clone(),
            valid: None,
            validated: "validation",
            select_best: false,
            workers: 1,
            devices: std::slice::from_ref(device),
            display: Display::Quiet,
            interrupter: Interrupter::new(),
        };
        let (_, epochs) = training.run(classifier(&card, device)?)?;
        if round > 0 {
            ratios.push(epochs[0].seconds / bare_seconds);
            seconds.push(epochs[0].seconds);
        }
    }
    let (low, high) = range(&ratios);
    let (ratio, rate) = (median(ratios), images.len() as f64 / median(seconds));
    if options.json {
        let row = serde_json::json!({
            "backend": backend.name(), "head": preset.name(), "batch": options.batch, "threads": threads,
            "images_per_second": rate, "ratio_to_softmax": null, "ratio_to_torch": null,
            "loop": "training", "ratio_to_bare_loop": ratio,
        });
        println!("{row}");
    } else {
        println!(
            "training loop ({}): {ratio:.3} of the time of a bare loop ({low:.3} to {high:.3})",
            preset.name()
        );
    }
    Ok(())
}
