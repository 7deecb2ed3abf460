//! `cargo xtask doc`: the reference of the crates.

use std::process::ExitCode;

use crate::cargo;

pub fn run() -> Result<ExitCode, String> {
    cargo::run(cargo::command(&["doc", "--workspace", "--no-deps"]))
}
