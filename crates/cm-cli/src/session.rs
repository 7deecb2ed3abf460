//! What every command that computes has in common: backend, threads, what is shown, and Ctrl-C.

use std::{
    env,
    io::IsTerminal,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use burn::train::Interrupter;
use clap::Args;
use cm_train::{
    device::Backend,
    quoted,
    study::{Program, Session},
    training::Display,
};
use time::OffsetDateTime;

use crate::error::CliError;

/// Options of every command that computes.
#[derive(Debug, Clone, Args)]
pub struct SessionOptions {
    /// Backend: flex, ndarray, wgpu, vulkan, metal, cuda or rocm
    #[arg(long)]
    pub backend: Option<Backend>,
    /// Threads that read and transform images; results do not depend on it [default: one for each core]
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
    /// Burn's dashboard instead of progress bars
    #[arg(long)]
    pub tui: bool,
    /// Print the result and nothing before it
    #[arg(long, conflicts_with = "tui")]
    pub quiet: bool,
}

impl SessionOptions {
    /// What is shown.
    pub fn display(&self) -> Result<Display, CliError> {
        let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        let refused = |allowed: &str, value: &str| Err(cm_train::Error::option("tui", allowed, value).into());
        match (self.tui, self.quiet, terminal) {
            (true, _, false) => refused("used in a terminal only", "given where output goes elsewhere"),
            (true, _, true) if !cfg!(feature = "tui") => {
                refused("built in with the Cargo feature `tui`", "not")
            }
            (true, _, true) => Ok(Display::Dashboard),
            (_, true, _) => Ok(Display::Quiet),
            (_, _, true) => Ok(Display::Bar),
            (_, _, false) => Ok(Display::Lines),
        }
    }

    /// Threads that read images.
    pub fn workers(&self) -> usize {
        self.workers.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from))
    }

    /// Everything that a study needs besides its settings.
    ///
    /// # Errors
    ///
    /// A backend or display that cannot be had here.
    pub fn open(&self, retry_diverged: bool) -> Result<Session, CliError> {
        let display = self.display()?;
        Ok(Session {
            backend: Backend::choose(self.backend)?,
            display,
            interrupter: interrupter(display),
            workers: self.workers(),
            retry_diverged,
            program: program(),
            resume: String::new(),
        })
    }

    /// The command that goes on with the study in `folder`, which `words` began.
    pub fn resume_command(&self, words: &[String], folder: &Path) -> String {
        let mut command = vec![env::var("CM_INVOKED_AS").unwrap_or_else(|_| "cm".to_owned())];
        command.extend(words.iter().map(|word| quoted(Path::new(word))));
        command.extend(["--resume".to_owned(), quoted(folder)]);
        command.extend(self.backend.iter().flat_map(|backend| ["--backend".to_owned(), backend.to_string()]));
        command.extend(self.workers.iter().flat_map(|workers| ["--workers".to_owned(), workers.to_string()]));
        command.join(" ")
    }
}

/// `runs/<name>-<time>`.
pub fn default_folder(name: &str) -> PathBuf {
    let format = time::macros::format_description!("[year][month][day]-[hour][minute][second]");
    let now = OffsetDateTime::now_utc().format(format).unwrap_or_default();
    Path::new("runs").join(format!("{name}-{now}"))
}

/// This program, for records.
pub fn program() -> Program {
    Program { version: env!("CARGO_PKG_VERSION").to_owned(), commit: env!("CM_COMMIT").to_owned() }
}

/// Ctrl-C asks the work to stop at the next step; a second one ends the program at once.
fn interrupter(display: Display) -> Interrupter {
    static ASKED: AtomicBool = AtomicBool::new(false);
    let interrupter = Interrupter::new();
    let handle = interrupter.clone();
    let handler = ctrlc::set_handler(move || {
        if ASKED.swap(true, Ordering::Relaxed) {
            process::exit(130);
        }
        if display != Display::Dashboard {
            eprintln!("stopping after this step; Ctrl-C again ends the program at once");
        }
        handle.stop(Some("Ctrl-C"));
    });
    if let Err(error) = handler {
        eprintln!("warning: Ctrl-C ends the program at once, for its handler could not be set ({error})");
    }
    interrupter
}
