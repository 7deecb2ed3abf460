//! PyTorch in a process of its own, which does a step when it is told to.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use cm_loss_core::Preset;

use crate::Options;

/// The running process.
pub struct Torch {
    pub version: String,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Torch {
    pub fn start(options: &Options, threads: usize) -> Result<Self, String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/torch_step.py");
        let python = options.python.display();
        let mut child = Command::new(&options.python)
            .arg(&script)
            .arg(options.network.name())
            .args([options.batch, options.width, options.feature_dim, threads].map(|n| n.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| {
                format!("cannot start {python}: {error}; name a Python with PyTorch by --python")
            })?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both were asked for")
        };
        let mut torch =
            Self { version: String::new(), child, input: Some(input), output: BufReader::new(output) };
        torch.version = torch.line().map_err(|_| {
            format!(
                "{python} could not import torch; install it (pip install torch) or name another by --python"
            )
        })?;
        Ok(torch)
    }

    /// Seconds that a step with this head takes.
    pub fn step(&mut self, preset: Preset) -> Result<f64, String> {
        let Some(input) = &mut self.input else { unreachable!("it is closed on drop only") };
        writeln!(input, "{}", preset.name()).map_err(|error| format!("PyTorch ended early: {error}"))?;
        let line = self.line()?;
        line.parse().map_err(|_| format!("PyTorch said {line:?} instead of a time"))
    }

    /// Ends it, and tells the largest memory that it has had, in MB.
    pub fn peak(&mut self) -> Result<f64, String> {
        self.input.take();
        let line = self.line()?;
        line.parse().map_err(|_| format!("PyTorch said {line:?} instead of its memory"))
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        let read = self.output.read_line(&mut line);
        match read {
            Ok(count) if count > 0 => Ok(line.trim().to_owned()),
            _ => Err("PyTorch ended early".to_owned()),
        }
    }
}

impl Drop for Torch {
    fn drop(&mut self) {
        // The end of its input ends the script; a failure to end is not worth a second message.
        self.input.take();
        let _ = self.child.wait();
    }
}
