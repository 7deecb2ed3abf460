//! `cm`: train, test and report from the command line.

mod reproduce;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use cm_train::{Error, report};

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
    /// Train and compare losses, and write tables and pictures.
    Reproduce {
        #[command(subcommand)]
        experiment: Experiment,
    },
    /// Rebuild every table and picture of a finished or interrupted experiment, without training.
    Report {
        /// Folder of the experiment, for example runs/mnist-20260101-120000.
        folder: PathBuf,
    },
    /// Draw the formulas: margins, norm maps, and the gradient by the norm.
    Figures {
        /// Folder for the pictures.
        #[arg(default_value = "docs/pictures")]
        folder: PathBuf,
        /// Draw the time and memory of many classes instead, from the lines that `bench head --json` printed.
        #[arg(long, value_name = "FILE")]
        many_classes: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum Experiment {
    /// Handwritten digits of known quality: MNIST, or synthetic digits where MNIST cannot be had.
    Mnist(Box<reproduce::Options>),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Reproduce { experiment: Experiment::Mnist(options) } => reproduce::mnist(*options),
        Command::Report { folder } => rebuild(&folder),
        Command::Figures { folder, many_classes } => figures(&folder, many_classes.as_deref()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            // 130 is what shells give a program that Ctrl-C ended.
            ExitCode::from(if error.is_interruption() { 130 } else { 1 })
        }
    }
}

fn rebuild(folder: &Path) -> Result<(), Error> {
    let files = report::rebuild(folder)?;
    let (results, _) = report::load(folder)?;
    println!("{}", report::summary_table(&results));
    for file in files {
        println!("{}", file.display());
    }
    Ok(())
}

fn figures(folder: &Path, many_classes: Option<&Path>) -> Result<(), Error> {
    let files = match many_classes {
        Some(measured) => report::draw_many_classes(measured, folder)?,
        None => report::draw_formulas(folder)?,
    };
    for file in files {
        println!("{}", file.display());
    }
    Ok(())
}
