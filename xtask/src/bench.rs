//! `cargo xtask bench`: measurements, never run as tests.

use std::{
    env, fs,
    process::{Command, ExitCode},
};

use crate::cargo;

/// `profile step`: where the time of a step goes, by `perf` on Linux.
pub fn profile_step(arguments: &[String]) -> Result<ExitCode, String> {
    let step = bench_arguments("step", arguments)?;
    let mut build = cargo::command(&[]);
    let built = cargo::run({
        build.args(&step).arg("--no-run");
        build
    })?;
    if built != ExitCode::SUCCESS {
        return Ok(built);
    }
    let record = env::temp_dir().join(format!("cm-loss-profile-{}", std::process::id()));
    let mut perf = Command::new("perf");
    perf.args(["record", "--freq", "900", "--output"])
        .arg(&record)
        .arg("--")
        .arg(cargo::command(&[]).get_program());
    perf.args(&step).arg("--").arg("--single").args(from_here(arguments));
    let recorded =
        cargo::run(perf).map_err(|error| format!("{error} (perf is part of Linux; on Debian, linux-perf)"));
    let reported = recorded.and_then(|recorded| {
        if recorded != ExitCode::SUCCESS {
            return Ok(recorded);
        }
        let mut report = Command::new("perf");
        report
            .args(["report", "--stdio", "--sort", "symbol", "--percent-limit", "0.2", "--input"])
            .arg(&record);
        cargo::run(report)
    });
    // It is temporary, whatever happened.
    let _ = fs::remove_file(&record);
    reported
}

/// Of the whole workspace, so that Burn is built with the features that the tests build it with, once for all.
fn bench_arguments(name: &str, arguments: &[String]) -> Result<Vec<String>, String> {
    let features = cargo::features(cargo::backend(arguments))?;
    let features: Vec<String> = features.split(',').map(|feature| format!("cm-train/{feature}")).collect();
    let features = features.join(",");
    let fixed = ["bench", "--profile", "dev", "--workspace", "--bench", name, "--features", &features];
    Ok(fixed.map(str::to_owned).to_vec())
}

/// `bench step`, `bench head` and `bench data`
pub fn one(name: &str, arguments: &[String]) -> Result<ExitCode, String> {
    let mut command = cargo::command(&[]);
    command.args(bench_arguments(name, arguments)?).arg("--").args(from_here(arguments));
    cargo::run(command)
}

/// `bench heads`
pub fn heads(arguments: &[String]) -> Result<ExitCode, String> {
    let mut command = cargo::command(&["bench", "--profile", "dev", "--workspace", "--bench", "heads", "--"]);
    command.args(arguments);
    cargo::run(command)
}

/// The arguments with the paths among them made absolute: cargo runs benchmarks in the folder of their package.
fn from_here(arguments: &[String]) -> Vec<String> {
    let mut arguments = arguments.to_vec();
    for (option, is_path) in [("--python", false), ("--folder", true)] {
        if let Some(i) = arguments.iter().position(|argument| argument == option)
            && let Some(path) = arguments.get_mut(i + 1)
            && (is_path || path.contains('/'))
            && let Ok(here) = env::current_dir()
        {
            *path = here.join(&*path).display().to_string();
        }
    }
    arguments
}
