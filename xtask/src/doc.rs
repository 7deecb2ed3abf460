//! `cargo xtask doc`: the reference of the crates.

use std::{path::Path, process::ExitCode};

use crate::cargo;

pub fn run() -> Result<ExitCode, String> {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/cm-loss-core/katex-header.html");
    let mut command = cargo::command(&["doc", "--workspace", "--no-deps"]);
    // The separator of this variable is no character of any path.
    command.env("CARGO_ENCODED_RUSTDOCFLAGS", format!("--html-in-header\u{1f}{}", header.display()));
    cargo::run(command)
}
