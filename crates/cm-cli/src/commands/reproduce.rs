//! `cm reproduce mnist`.

use std::{
    io::IsTerminal, path::PathBuf, process, str::FromStr, sync::atomic::AtomicBool, sync::atomic::Ordering,
};

use burn::train::Interrupter;
use clap::Args;
use cm_loss_core::Preset;
use cm_train::{
    Error,
    data::{DataChoice, Degradation},
    device::Backend,
    experiment::{self, ExperimentConfig, Output, Profile, Session},
    report,
    training::Display,
};

/// Options of the experiment on digits. What is not given comes from the profile.
#[derive(Debug, Args)]
pub struct Options {
    /// quick (minutes on two CPU cores) or full (the authors' recipe on all images; for a GPU)
    #[arg(long, default_value = "quick")]
    profile: Profile,
    /// Losses, separated by commas, by their names in the literature, or all; a wrong name lists them
    /// [default: Softmax,L2-Softmax,CM-Softmax,CosFace,CM-CosFace]
    #[arg(long, value_delimiter = ',')]
    losses: Option<Vec<Losses>>,
    /// Feature dimensions, separated by commas
    #[arg(long, value_delimiter = ',')]
    feature_dim: Option<Vec<usize>>,
    /// Seeds, separated by commas; more than one gives the spread
    #[arg(long, value_delimiter = ',')]
    seeds: Option<Vec<u64>>,
    /// Passes over the training images
    #[arg(long)]
    epochs: Option<usize>,
    /// Images a step
    #[arg(long)]
    batch_size: Option<usize>,
    /// Largest learning rate
    #[arg(long)]
    learning_rate: Option<f64>,
    /// Channels of the first stage of LeNet++
    #[arg(long)]
    width: Option<usize>,
    /// Images to train on
    #[arg(long)]
    train_images: Option<usize>,
    /// Images to test on
    #[arg(long)]
    test_images: Option<usize>,
    /// auto (MNIST, or synthetic digits where it cannot be had), mnist or synthetic
    #[arg(long)]
    data: Option<DataChoice>,
    /// Folder that holds mnist/
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// What spoils the low-quality images: blur, low-resolution, noise, occlusion, low-contrast or mixed
    #[arg(long)]
    degradation: Option<Degradation>,
    /// Share of training images with a severity of 1 to 4, from 0 to 1
    #[arg(long)]
    low_quality_fraction: Option<f64>,
    /// Backend: flex, ndarray, wgpu, vulkan, metal, cuda or rocm
    #[arg(long)]
    backend: Option<Backend>,
    /// Folder for results [default: runs/DATA-TIME]
    #[arg(long, conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Go on with the experiment in this folder, with the choices made when it began
    #[arg(
        long,
        value_name = "FOLDER",
        conflicts_with_all = [
            "profile", "losses", "feature_dim", "seeds", "epochs", "batch_size", "learning_rate", "width",
            "train_images", "test_images", "data", "degradation", "low_quality_fraction",
        ]
    )]
    resume: Option<PathBuf>,
    /// Burn's dashboard instead of progress bars
    #[arg(long)]
    tui: bool,
    /// Print the result and nothing before it
    #[arg(long, conflicts_with = "tui")]
    quiet: bool,
}

/// One loss, or every one.
#[derive(Debug, Clone, Copy)]
enum Losses {
    All,
    One(Preset),
}

impl FromStr for Losses {
    type Err = cm_loss_core::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.trim().eq_ignore_ascii_case("all") {
            true => Ok(Self::All),
            false => name.parse().map(Self::One),
        }
    }
}

impl Options {
    /// The losses asked for, in the order given, none twice.
    fn losses(&self) -> Option<Vec<Preset>> {
        let mut losses = Vec::new();
        for choice in self.losses.as_ref()? {
            let presets = match choice {
                Losses::All => Preset::ALL,
                Losses::One(preset) => std::slice::from_ref(preset),
            };
            for preset in presets {
                if !losses.contains(preset) {
                    losses.push(*preset);
                }
            }
        }
        Some(losses)
    }

    fn config(&self) -> ExperimentConfig {
        let mut config = self.profile.config();
        if let Some(losses) = self.losses() {
            config.losses = losses;
        }
        /// Replaces a value by the option of the same name, if it was given.
        macro_rules! take {
            ($($option:ident => $($place:ident).+),* $(,)?) => {
                $(if let Some(value) = &self.$option { config.$($place).+ = value.clone(); })*
            };
        }
        take! {
            feature_dim => feature_dims,
            seeds => seeds,
            epochs => recipe.epochs,
            batch_size => recipe.batch_size,
            learning_rate => recipe.schedule.learning_rate,
            width => width,
            train_images => train_images,
            test_images => test_images,
            data => data,
            degradation => degradation,
            low_quality_fraction => low_quality_fraction,
        }
        config
    }

    fn display(&self) -> Result<Display, Error> {
        let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        match (self.tui, self.quiet, terminal) {
            (true, _, false) => Err(Error::Option {
                option: "tui",
                allowed: "used in a terminal only".to_owned(),
                value: "given where output goes elsewhere".to_owned(),
            }),
            (true, _, true) if !cfg!(feature = "tui") => Err(Error::Option {
                option: "tui",
                allowed: "built in with the Cargo feature `tui`".to_owned(),
                value: "not".to_owned(),
            }),
            (true, _, true) => Ok(Display::Dashboard),
            (_, true, _) => Ok(Display::Quiet),
            (_, _, true) => Ok(Display::Bar),
            (_, _, false) => Ok(Display::Lines),
        }
    }
}

/// Runs the experiment and prints its table.
pub fn mnist(options: Options) -> Result<(), Error> {
    let display = options.display()?;
    let backend = Backend::choose(options.backend)?;
    let config = options.config();
    let session = Session { backend, data_dir: options.data_dir, display, interrupter: interrupter(display) };
    let output = match options.resume {
        Some(folder) => Output::Resume(folder),
        None => Output::New(options.out, Box::new(config)),
    };
    let (folder, results) = experiment::run(&session, output)?;
    println!("{}", report::summary_table(&results));
    println!("Results, pictures and report: {}", folder.join("report.html").display());
    Ok(())
}

/// Ctrl-C asks the training to stop at the next step; a second one ends the program at once.
fn interrupter(display: Display) -> Interrupter {
    static ASKED: AtomicBool = AtomicBool::new(false);
    let interrupter = Interrupter::new();
    let handle = interrupter.clone();
    let handler = ctrlc::set_handler(move || {
        if ASKED.swap(true, Ordering::Relaxed) {
            process::exit(130);
        }
        if display != Display::Dashboard {
            eprintln!("stopping after this step; Ctrl-C again ends the program at once");
        }
        handle.stop(Some("Ctrl-C"));
    });
    if let Err(error) = handler {
        eprintln!("warning: Ctrl-C ends the program at once, for its handler could not be set ({error})");
    }
    interrupter
}
