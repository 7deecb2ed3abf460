//! The step in PyTorch.

use std::{path::Path, process::Command};

use crate::{Options, process::Process};

/// PyTorch, ready to do steps: its greeting is its version, a step is asked for by the name of its head, and the last line
/// is the largest memory that it has had, in MB.
pub fn start(options: &Options, threads: usize) -> Result<Process, String> {
    let mut command = Command::new(&options.python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/torch_step.py"));
    command.arg(options.network.name());
    command.args([options.batch, options.width, options.feature_dim, threads].map(|n| n.to_string()));
    Process::start("PyTorch", command, "name a Python with PyTorch (pip install torch) by --python")
}
