//! What every command that computes has in common: backend, threads, what is shown, and Ctrl-C.

use std::{
    env, fs,
    io::IsTerminal,
    path::{Path, PathBuf},
    process,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use burn::train::Interrupter;
use clap::Args;
use cm_train::{
    device::{Backend, Devices, Place},
    quoted,
    study::{BURN_VERSION, Program, Session},
    training::Display,
};
use time::{OffsetDateTime, UtcOffset};

use crate::{error::CliError, values};

/// The largest memory that this process has had, in MB; `None` where the system does not say.
pub fn peak_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
}

/// Options of every command that computes.
#[derive(Debug, Clone, Args)]
pub struct ComputeOptions {
    /// What computes [default: the first of them that is built in]
    #[arg(long, value_parser = values::backend())]
    pub backend: Option<Backend>,
    /// One device of a backend, as `cm list devices` names it, for example cuda:1, or of a server, ws://HOST:PORT
    #[arg(long, value_name = "NAME", value_parser = values::device, conflicts_with = "backend")]
    pub device: Option<Devices>,
    /// Threads that read and transform images; results do not depend on it [default: one for each core]
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
    /// Print the result and nothing before it
    #[arg(short, long)]
    pub quiet: bool,
    /// Say on standard error what computes, and with what
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,
}

impl ComputeOptions {
    /// What is shown.
    pub fn display(&self) -> Display {
        match (self.quiet, std::io::stderr().is_terminal()) {
            (true, _) => Display::Quiet,
            (false, true) => Display::Bar,
            (false, false) => Display::Lines,
        }
    }

    /// Threads that read images.
    pub fn workers(&self) -> usize {
        self.workers.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from))
    }

    /// The devices asked for, those with these numbers if there are some.
    ///
    /// # Errors
    ///
    /// A backend that was not built in; numbers in two places.
    pub fn devices(&self, numbers: &[usize]) -> Result<Devices, CliError> {
        let place = match &self.device {
            Some(device) if numbers.is_empty() => return Ok(device.clone()),
            Some(device) if device.numbers().is_empty() => device.place().clone(),
            Some(device) => {
                return Err(CliError::Said(format!(
                    "--device {device} names a device, and --devices names some as well; leave one of them out"
                )));
            }
            None => Place::Here(Backend::choose(self.backend)?),
        };
        Ok(Devices::new(place, numbers.to_vec()))
    }

    /// Everything that a model in use needs.
    ///
    /// # Errors
    ///
    /// A backend that cannot be had here.
    pub fn open(&self) -> Result<Session, CliError> {
        self.open_for(false)
    }

    /// The same for a command that may print one JSON object, and then shows nothing else.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_for(&self, json: bool) -> Result<Session, CliError> {
        let display = if json { Display::Quiet } else { self.display() };
        self.session(display, &[], false)
    }

    fn session(
        &self,
        display: Display,
        numbers: &[usize],
        retry_diverged: bool,
    ) -> Result<Session, CliError> {
        let session = Session {
            devices: self.devices(numbers)?,
            display,
            interrupter: interrupter(display),
            jobs: 1,
            workers: self.workers(),
            retry_diverged,
            program: program(),
            resume: String::new(),
        };
        if self.verbose {
            let Program { version, commit } = &session.program;
            let commit = if commit.is_empty() { String::new() } else { format!(" ({commit})") };
            let (devices, workers) = (&session.devices, session.workers);
            eprintln!(
                "cm {version}{commit}, Burn {BURN_VERSION}, backend {devices}, {workers} threads that read images"
            );
        }
        Ok(session)
    }
}

/// Options of every command that trains.
#[derive(Debug, Clone, Args)]
pub struct SessionOptions {
    #[command(flatten)]
    pub compute: ComputeOptions,
    /// Devices that share every batch, by their numbers, for example 0,1; a training is the same as on one
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    pub devices: Vec<usize>,
    /// Print one JSON object in place of tables and sentences
    #[arg(long)]
    pub json: bool,
    /// Burn's dashboard instead of progress bars
    #[arg(long, conflicts_with = "quiet")]
    pub tui: bool,
}

impl SessionOptions {
    /// What is shown.
    pub fn display(&self) -> Result<Display, CliError> {
        let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        let refused = |allowed: &str, value: &str| Err(cm_train::Error::option("tui", allowed, value).into());
        match (self.tui, terminal) {
            (true, false) => refused("used in a terminal only", "given where output goes elsewhere"),
            (true, true) if !cfg!(feature = "tui") => refused("built in with the Cargo feature `tui`", "not"),
            (true, true) => Ok(Display::Dashboard),
            (false, _) => Ok(self.compute.display()),
        }
    }

    /// Everything that a study needs besides its settings.
    ///
    /// # Errors
    ///
    /// A backend or display that cannot be had here.
    pub fn open(&self, retry_diverged: bool) -> Result<Session, CliError> {
        self.compute.session(self.display()?, &self.devices, retry_diverged)
    }

    /// The command that goes on with the study in `folder`, which `words` began.
    pub fn resume_command(&self, words: &[String], folder: &Path) -> String {
        let mut command = vec![env::var("CM_INVOKED_AS").unwrap_or_else(|_| "cm".to_owned())];
        command.extend(words.iter().map(|word| quoted(Path::new(word))));
        command.extend(["--resume".to_owned(), quoted(folder)]);
        let numbers: Vec<String> = self.devices.iter().map(ToString::to_string).collect();
        let given = [
            ("--backend", self.compute.backend.map(|backend| backend.to_string())),
            ("--device", self.compute.device.as_ref().map(ToString::to_string)),
            ("--devices", (!numbers.is_empty()).then(|| numbers.join(","))),
            ("--workers", self.compute.workers.map(|workers| workers.to_string())),
        ];
        for (option, value) in given {
            command.extend(value.into_iter().flat_map(|value| [option.to_owned(), value]));
        }
        command.join(" ")
    }
}

static LOCAL: OnceLock<UtcOffset> = OnceLock::new();

/// Asks the system for the local time, which it may refuse once there are several threads.
pub fn remember_local_time() {
    let _ = LOCAL.set(UtcOffset::current_local_offset().unwrap_or(UtcOffset::UTC));
}

/// `runs/<name>-<local time>`.
pub fn default_folder(name: &str) -> PathBuf {
    let format = time::macros::format_description!("[year][month][day]-[hour][minute][second]");
    let offset = LOCAL.get().copied().unwrap_or(UtcOffset::UTC);
    let now = OffsetDateTime::now_utc().to_offset(offset).format(format).unwrap_or_default();
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
            cm_record::files::discard_unfinished();
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
