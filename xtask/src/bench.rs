//! `cargo xtask bench`: measurements, never run as tests.

use std::{env, process::ExitCode};

use crate::cargo;

/// `bench step`
pub fn step(arguments: &[String]) -> Result<ExitCode, String> {
    let features = cargo::features(cargo::backend(arguments))?;
    let mut command = cargo::command(&["bench", "--profile", "dev", "--package", "cm-train", "--bench"]);
    command.args(["step", "--features", &features, "--"]).args(from_here(arguments));
    cargo::run(command)
}

/// `bench heads`
pub fn heads(arguments: &[String]) -> Result<ExitCode, String> {
    // The whole workspace, so that it shares the build of the tests.
    let mut command = cargo::command(&["bench", "--profile", "dev", "--workspace", "--bench", "heads", "--"]);
    command.args(arguments);
    cargo::run(command)
}

/// The arguments with the path after `--python` made absolute: cargo runs benchmarks in the folder of their package.
fn from_here(arguments: &[String]) -> Vec<String> {
    let mut arguments = arguments.to_vec();
    if let Some(i) = arguments.iter().position(|argument| argument == "--python")
        && let Some(python) = arguments.get_mut(i + 1)
        && python.contains('/')
        && let Ok(here) = env::current_dir()
    {
        *python = here.join(&*python).display().to_string();
    }
    arguments
}
