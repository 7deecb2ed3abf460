//! `cargo xtask bench`: measurements, never run as tests.

use std::process::ExitCode;

use crate::cargo;

pub fn run(benchmark: &str, arguments: &[String]) -> Result<ExitCode, String> {
    let features = cargo::features(cargo::backend(arguments))?;
    let mut command = cargo::command(&["bench", "--profile", "dev", "--package", "cm-train", "--bench"]);
    command.args([benchmark, "--features", &features, "--"]).args(arguments);
    cargo::run(command)
}
