//! `cm data`: what is in a data set.

mod check;
mod findings;
mod page;

use clap::Subcommand;

use crate::error::CliError;

/// Commands about data.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look for what is wrong with images before anybody learns from them.
    Check(Box<check::Options>),
}

/// Runs one.
pub fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::Check(options) => check::run(&options),
    }
}
