//! Images a second from files to batches: decoded, resized, cropped and flipped; and the same by torchvision and PyTorch's
//! DataLoader, in turn in the same run.

#[path = "../process.rs"]
#[allow(dead_code, reason = "the memory is of no interest here")]
mod process;
#[path = "../statistics.rs"]
mod statistics;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::Arc,
    time::Instant,
};

use clap::Parser;
use cm_data::{
    Augmentation, Cached, Collection, ImageSet, InputSpec, Loader, LoaderConfig, OpenOptions, Resize,
};
use image::{RgbImage, codecs::jpeg::JpegEncoder};
use process::Process;
use statistics::{median, range};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Times the way of images from files to batches.
#[derive(Debug, Parser)]
struct Options {
    /// Images of each kind that are made
    #[arg(long, default_value_t = 2000)]
    images: usize,
    /// A folder with a sub-folder for each class, in place of images that are made
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Side that the images of the folder are brought to
    #[arg(long, default_value_t = 112)]
    side: usize,
    /// Images a batch
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// Threads, separated by commas
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
    workers: Vec<usize>,
    /// How often everything is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Measure torchvision beside it
    #[arg(long)]
    against_torch: bool,
    /// Python with PyTorch and torchvision
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// A line of JSON a row
    #[arg(long)]
    json: bool,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// Files to load.
struct Source {
    name: String,
    folder: PathBuf,
    side: usize,
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
    let temporary = tempfile::tempdir().map_err(|error| error.to_string())?;
    let sources = match &options.folder {
        Some(folder) => {
            vec![Source { name: folder.display().to_string(), folder: folder.clone(), side: options.side }]
        }
        None => vec![
            made(temporary.path(), "jpeg-250", 250, 112, options.images)?,
            made(temporary.path(), "png-32", 32, 32, options.images)?,
        ],
    };
    for source in &sources {
        for &workers in &options.workers {
            measure(options, source, workers)?;
        }
    }
    Ok(())
}

fn measure(options: &Options, source: &Source, workers: usize) -> Result<(), String> {
    let said = |error: cm_data::DataError| error.to_string();
    let collection = Collection::open(&source.folder, &OpenOptions::default()).map_err(said)?;
    let count = collection.len();
    let input = InputSpec {
        width: source.side,
        height: source.side,
        channels: 3,
        region: None,
        resize: Resize::Crop,
        mean: vec![0.5; 3],
        std: vec![0.25; 3],
    };
    let config = LoaderConfig {
        batch_size: options.batch,
        shuffle: Some(0),
        augmentation: Augmentation { flip: true, ..Augmentation::default() },
        workers,
        ..LoaderConfig::default()
    };
    let files: Arc<dyn ImageSet> = Arc::new(collection);
    let cached: Arc<dyn ImageSet> =
        Arc::new(Cached::new(files.clone(), input.clone(), usize::MAX).map_err(said)?);
    let cold = Loader::new(files, input.clone(), config.clone()).map_err(said)?;
    let warm = Loader::new(cached, input, config).map_err(said)?;
    let mut torch = match options.against_torch {
        true => Some(torch(options, source, workers)?),
        false => None,
    };
    let (mut from_files, mut from_memory, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    // The first round fills the caches, the system's as well, and does not count.
    for round in 0..=options.rounds {
        let (ours, memory) = (epoch(&cold, round)?, epoch(&warm, round)?);
        let theirs = torch.as_mut().map(|torch| torch.step("epoch")).transpose()?;
        if round > 0 {
            from_files.push(count as f64 / ours);
            from_memory.push(count as f64 / memory);
            ratios.extend(theirs.map(|theirs| theirs / ours));
        }
    }
    print(options, &format!("{} from files", source.name), workers, from_files, Some(ratios));
    print(options, &format!("{} cached", source.name), workers, from_memory, None);
    Ok(())
}

/// Seconds of an epoch.
fn epoch(loader: &Loader, epoch: usize) -> Result<f64, String> {
    let start = Instant::now();
    for batch in loader.epoch(epoch) {
        let batch = batch.map_err(|error| error.to_string())?;
        std::hint::black_box(batch.pixels.len());
    }
    Ok(start.elapsed().as_secs_f64())
}

fn print(options: &Options, source: &str, workers: usize, rates: Vec<f64>, ratios: Option<Vec<f64>>) {
    let ratios = ratios.filter(|ratios| !ratios.is_empty());
    let (rate, ratio) = (median(rates), ratios.clone().map(median));
    if options.json {
        let row = serde_json::json!({
            "source": source, "workers": workers, "images_per_second": rate, "ratio_to_torch": ratio,
        });
        println!("{row}");
        return;
    }
    let torch = ratio.zip(ratios).map_or(String::new(), |(ratio, all)| {
        let (low, high) = range(&all);
        format!("  {ratio:.2} times torchvision's ({low:.2} to {high:.2})")
    });
    println!("{source:<22} {workers} workers  {rate:8.0} images/s{torch}");
}

/// Pictures of nothing, about as large as photographs of their size.
fn made(folder: &Path, name: &str, size: u32, side: usize, count: usize) -> Result<Source, String> {
    let folder = folder.join(name);
    for i in 0..count as u32 {
        let class = folder.join(format!("class-{}", i % 2));
        std::fs::create_dir_all(&class).map_err(|error| error.to_string())?;
        let image = RgbImage::from_fn(size, size, |x, y| {
            let wave = |a: f32, b: f32| ((x as f32 * a + y as f32 * b + i as f32).sin() * 90.0 + 128.0) as u8;
            let grain = ((x * 7919 + y * 104_729 + i * 31) % 23) as u8;
            let base = [wave(0.05, 0.03), wave(0.02, 0.07), wave(0.11, 0.01)];
            image::Rgb(base.map(|value| value.saturating_add(grain)))
        });
        let path = class.join(format!("{i}.{}", name.split('-').next().unwrap_or("png")));
        let written = match name.starts_with("jpeg") {
            true => std::fs::File::create(&path).map_err(|error| error.to_string()).and_then(|file| {
                JpegEncoder::new_with_quality(file, 90)
                    .encode_image(&image)
                    .map_err(|error| error.to_string())
            }),
            false => image.save(&path).map_err(|error| error.to_string()),
        };
        written?;
    }
    Ok(Source { name: name.to_owned(), folder, side })
}

/// torchvision's ImageFolder and PyTorch's DataLoader on the same files, an epoch for each step.
fn torch(options: &Options, source: &Source, workers: usize) -> Result<Process, String> {
    let mut command = Command::new(&options.python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/torch_data.py"));
    command.arg(&source.folder);
    command.args([source.side, options.batch, workers].map(|number| number.to_string()));
    let help = "name a Python with PyTorch and torchvision (pip install torch torchvision) by --python";
    Process::start("torchvision", command, help)
}
