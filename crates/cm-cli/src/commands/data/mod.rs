//! `cm data`: what is in a data set, and one to begin with.

mod check;
mod example;
mod findings;
mod page;

use clap::Subcommand;

use crate::error::CliError;

/// Commands about data.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look for what is wrong with images before anybody learns from them.
    Check(Box<check::Options>),
    /// Draw traffic signs of known quality, to try everything with.
    Example(Box<example::Options>),
}

/// Runs one.
pub fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::Check(options) => check::run(&options),
        Command::Example(options) => example::run(&options),
    }
}
