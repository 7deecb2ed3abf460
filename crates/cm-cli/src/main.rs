//! `cm`: train, test and report on images of uneven quality, from the command line.

mod applications;
mod commands;
mod error;
mod figures;
mod files;
mod identification;
mod session;
mod values;
mod vectors;

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};

use crate::{applications::Application, error::CliError};

/// Each step allocates and frees the same large images: this allocator keeps their memory from one step to the next,
/// where that of many systems gives it back and gets it again page by page.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Norm-aware losses on images of uneven quality.
#[derive(Debug, Parser)]
#[command(name = "cm", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a classifier on your own images.
    Train(Box<commands::train::Options>),
    /// Test a model on images with known classes.
    Eval(Box<commands::eval::Options>),
    /// Test a model on pairs of images: are they of the same person?
    Verify(Box<commands::verify::Options>),
    /// Test a model on images of known people: who is it?
    Identify(Box<commands::identify::Options>),
    /// The classes of images.
    Predict(Box<commands::predict::Options>),
    /// The quality of images, from 0 to 100.
    Score(Box<commands::score::Options>),
    /// The features of images, as a NumPy array.
    Embed(Box<commands::embed::Options>),
    /// Fit the map from feature norm to quality, and keep it in the model.
    Calibrate(Box<commands::calibrate::Options>),
    /// Write a model as ONNX, for other programs.
    Export(commands::export::Options),
    /// Whether the norm tells the quality of images, beside what is had without it.
    Diagnose(Box<commands::diagnose::Options>),
    /// A model from the weights of another program.
    Import(Box<commands::import::Options>),
    /// What is wrong with a data set; a small example.
    #[command(after_help = "Examples:\n  cm data example signs\n  cm data check photos --page photos.html")]
    Data {
        #[command(subcommand)]
        command: commands::data::Command,
    },
    /// Let programs on other machines compute on devices of this one.
    Serve(Box<commands::serve::Options>),
    /// Losses, backbones and devices to choose from.
    List(commands::list::Options),
    /// Train and compare losses, and write tables and pictures.
    #[command(after_help = "Examples:\n  cm reproduce mnist\n  cm reproduce signs --data-dir data")]
    Reproduce {
        #[command(subcommand)]
        application: Application,
    },
    /// Compare losses of your own choice on data of known quality.
    Study(Box<commands::study::Options>),
    /// What a training of very many identities takes on this machine, without their images.
    Rehearse(Box<commands::rehearse::Options>),
    /// Rebuild every table and picture of a finished or interrupted study, without training.
    #[command(after_help = "Example:\n  cm report runs/mnist-20260101-120000")]
    Report {
        /// Folder of the study, for example runs/mnist-20260101-120000.
        folder: PathBuf,
        /// Print the record as one JSON object in place of tables
        #[arg(long)]
        json: bool,
    },
    /// Print what a shell needs to complete commands.
    #[command(after_help = "Example:\n  cm completions bash > ~/.local/share/bash-completion/completions/cm")]
    Completions {
        /// The shell
        shell: clap_complete::aot::Shell,
    },
    /// Write a manual page for each command.
    #[command(after_help = "Example:\n  cm man ~/.local/share/man/man1")]
    Man {
        /// Folder for the pages
        folder: PathBuf,
    },
    /// Draw the formulas: margins, norm maps, and the gradient by the norm.
    #[command(after_help = "Example:\n  cm figures pictures")]
    Figures {
        /// Folder for the pictures.
        #[arg(default_value = "docs/pictures")]
        folder: PathBuf,
        /// Draw the time and memory of many classes instead, from the lines that `bench head --json` printed.
        #[arg(long, value_name = "FILE")]
        many_classes: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    session::remember_local_time();
    // As other programs do: `cm … | head -1` ends it quietly.
    sigpipe::reset();
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            error.exit_code()
        }
    }
}

fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::Train(options) => commands::train::run(*options),
        Command::Eval(options) => commands::eval::run(*options),
        Command::Verify(options) => commands::verify::run(*options),
        Command::Identify(options) => commands::identify::run(&options),
        Command::Predict(options) => commands::predict::run(*options),
        Command::Score(options) => commands::score::run(*options),
        Command::Embed(options) => commands::embed::run(*options),
        Command::Calibrate(options) => commands::calibrate::run(*options),
        Command::Export(options) => commands::export::run(&options),
        Command::Import(options) => commands::import::run(&options),
        Command::Diagnose(options) => commands::diagnose::run(&options),
        Command::Data { command } => commands::data::run(command),
        Command::Serve(options) => commands::serve::run(&options),
        Command::List(options) => commands::list::run(&options),
        Command::Reproduce { application } => application.run(),
        Command::Study(options) => commands::study::run(*options),
        Command::Rehearse(options) => commands::rehearse::run(*options),
        Command::Report { folder, json } => commands::report::run(&folder, json),
        Command::Completions { shell } => {
            commands::shell::completions(shell, Arguments::command());
            Ok(())
        }
        Command::Man { folder } => commands::shell::manual(Arguments::command(), &folder),
        Command::Figures { folder, many_classes } => commands::figures::run(&folder, many_classes.as_deref()),
    }
}
