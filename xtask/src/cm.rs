//! `cargo xtask train`, `reproduce` and the other commands of `cm`: the program, built with the backend asked for.

use std::process::ExitCode;

use crate::cargo;

/// The commands of `cm` that are commands here too.
pub const COMMANDS: [&str; 17] = [
    "train",
    "eval",
    "verify",
    "predict",
    "score",
    "embed",
    "calibrate",
    "diagnose",
    "export",
    "data",
    "serve",
    "list",
    "reproduce",
    "study",
    "rehearse",
    "report",
    "figures",
];

pub fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let mut features = cargo::features(cargo::backend(arguments))?;
    if arguments.iter().any(|argument| argument == "--tui") {
        features.push_str(",tui");
    }
    if arguments.iter().any(|argument| argument == "serve" || argument.contains("ws://")) {
        features.push_str(",remote");
    }
    let mut command = cargo::command(&["run", "--package", "cm-cli", "--bin", "cm", "--features"]);
    command.args([&features, "--"]).args(arguments);
    // What a person types to go on after an interruption.
    command.env("CM_INVOKED_AS", "cargo xtask");
    cargo::run(command)
}
