//! A program in a process of its own, which does a step when it is told to.
//!
//! It says a line when it is ready, the seconds of a step for every line that comes in, and a last line at the end of its
//! input.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A line of the system's account of this process, in MB: `VmHWM:` is the largest memory that it has had, `VmRSS:` that
/// which it has. `None` where the system does not say.
pub fn memory(name: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// The running program.
pub struct Process {
    /// What it said when it was ready.
    pub greeting: String,
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts it, and waits until it is ready; `help` is said where it does not become so.
    pub fn start(name: &str, mut command: Command, help: &str) -> Result<Self, String> {
        let program = command.get_program().display().to_string();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {program}: {error}; {help}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both were asked for")
        };
        let (name, output) = (name.to_owned(), BufReader::new(output));
        let mut process = Self { greeting: String::new(), name, child, input: Some(input), output };
        process.greeting = process.line().map_err(|_| format!("{program} could not begin; {help}"))?;
        Ok(process)
    }

    /// Seconds of a step.
    pub fn step(&mut self, what: &str) -> Result<f64, String> {
        let Some(input) = &mut self.input else { unreachable!("it is closed at the end only") };
        writeln!(input, "{what}").map_err(|error| format!("{} ended early: {error}", self.name))?;
        let line = self.line()?;
        line.parse().map_err(|_| format!("{} said {line:?} instead of a time", self.name))
    }

    /// Ends it, and gives the numbers that it says last.
    pub fn end(&mut self) -> Result<Vec<f64>, String> {
        self.input.take();
        let line = self.line()?;
        let numbers: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
        numbers.map_err(|_| format!("{} said {line:?} instead of its memory", self.name))
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.output.read_line(&mut line) {
            Ok(count) if count > 0 => Ok(line.trim().to_owned()),
            _ => Err(format!("{} ended early", self.name)),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its input ends the program; a failure to end is not worth a second message.
        self.input.take();
        let _ = self.child.wait();
    }
}
