//! Downloads that are whole and right, or not there.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use cm_record::files::{Unfinished, partial, persist, remove_leftovers};
use indicatif::{ProgressBar, ProgressStyle};
use ureq::Agent;

use crate::{DataError, idx};

/// A file that is the same on every mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteFile {
    /// Name without `.gz`.
    pub name: &'static str,
    /// MD5 sum of the uncompressed content.
    pub md5: &'static str,
}

/// How long to wait and how much to take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For a connection and for the first byte of an answer.
    pub connect: Duration,
    /// For a whole file.
    pub total: Duration,
    /// Without a further byte.
    pub stall: Duration,
    /// Largest file, compressed, in bytes.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(1800),
            stall: Duration::from_secs(30),
            bytes: 64 << 20,
        }
    }
}

/// Fetches `<mirror>/<name>.gz` from the first mirror that gives it whole into `folder`, unless
/// it is there.
///
/// The file is written under a temporary name, its uncompressed content checked, and then moved
/// into place. What a download that was killed has left in the folder is removed. `going_on` is asked
/// several times a second, but not while it waits for a connection.
///
/// # Errors
///
/// [`DataError::Download`] with a line for each mirror, [`DataError::Io`] if the folder cannot be
/// written, [`DataError::Stopped`] where `going_on` says no.
pub fn download(
    file: &RemoteFile,
    mirrors: &[String],
    folder: &Path,
    limits: &Limits,
    progress: bool,
    going_on: &dyn Fn() -> bool,
) -> Result<PathBuf, DataError> {
    let name = format!("{}.gz", file.name);
    let path = folder.join(&name);
    if path.is_file() {
        return Ok(path);
    }
    // No download takes longer, so nobody writes there any more.
    remove_leftovers(folder, limits.total);
    let mut failures = Vec::new();
    for mirror in mirrors {
        let url = format!("{}/{name}", mirror.trim_end_matches('/'));
        let mut unfinished = partial(&path).map_err(DataError::io("write to", folder))?;
        let bar = |bytes| bar(&name, bytes, progress);
        let fetched = fetch(&url, limits, &bar, going_on, &mut unfinished, folder)?;
        match fetched.and_then(|()| check(unfinished.path(), file)) {
            Ok(()) => {
                persist(unfinished, &path).map_err(DataError::io("write", &path))?;
                return Ok(path);
            }
            Err(reason) => failures.push(format!("  {url}: {reason}")),
        }
    }
    Err(DataError::Download { file: name, failures })
}

/// Copies the answer into `unfinished`. The outer error is the disk's, the inner one the mirror's.
fn fetch(
    url: &str,
    limits: &Limits,
    bar: &dyn Fn(Option<u64>) -> ProgressBar,
    going_on: &dyn Fn() -> bool,
    unfinished: &mut Unfinished,
    folder: &Path,
) -> Result<Result<(), String>, DataError> {
    let agent: Agent = Agent::config_builder()
        .timeout_connect(Some(limits.connect))
        .timeout_recv_response(Some(limits.connect))
        .timeout_global(Some(limits.total))
        .build()
        .into();
    let answer = agent.get(url).call();
    if !going_on() {
        return Err(DataError::Stopped);
    }
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let body = answer.into_body();
    let announced = body.content_length();
    if announced.is_some_and(|bytes| bytes > limits.bytes) {
        let (announced, limit) = (announced.unwrap_or(0), limits.bytes);
        return Ok(Err(format!("it announces {announced} bytes, more than the {limit} allowed")));
    }
    let bar = bar(announced);
    let mut received = 0u64;
    for chunk in chunks(body.into_reader(), limits.stall) {
        if !going_on() {
            return Err(DataError::Stopped);
        }
        match chunk {
            Ok(None) => {}
            Ok(Some(bytes)) => {
                received += bytes.len() as u64;
                if received > limits.bytes {
                    return Ok(Err(format!("it goes on after {} bytes", limits.bytes)));
                }
                unfinished.write_all(&bytes).map_err(DataError::io("write to", folder))?;
                bar.set_position(received);
            }
            Err(reason) => return Ok(Err(format!("after {received} bytes: {reason}"))),
        }
    }
    bar.finish_and_clear();
    Ok(Ok(()))
}

fn bar(name: &str, bytes: Option<u64>, progress: bool) -> ProgressBar {
    if !progress {
        return ProgressBar::hidden();
    }
    let style = "{prefix}  {bar:24} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
    let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(bytes.unwrap_or(0)).with_style(style).with_prefix(name.to_owned())
}

/// How long a silent server keeps from noticing that nobody waits any more.
const PATIENCE: Duration = Duration::from_millis(100);

/// The pieces of a body as they come, and nothing now and then while none comes. A thread reads, so that
/// a silent server can be given up on.
fn chunks(
    mut reader: impl Read + Send + 'static,
    stall: Duration,
) -> impl Iterator<Item = Result<Option<Arc<[u8]>>, String>> {
    let (sender, receiver) = std::sync::mpsc::sync_channel::<Result<Arc<[u8]>, String>>(4);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let piece = match reader.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => Ok(Arc::from(&buffer[..count])),
                Err(error) => Err(error.to_string()),
            };
            let ends = piece.is_err();
            if sender.send(piece).is_err() || ends {
                return;
            }
        }
    });
    let (mut ended, mut waited) = (false, Duration::ZERO);
    std::iter::from_fn(move || {
        use std::sync::mpsc::RecvTimeoutError::{Disconnected, Timeout};
        if ended {
            return None;
        }
        let patience = PATIENCE.min(stall);
        match receiver.recv_timeout(patience) {
            Ok(piece) => {
                (ended, waited) = (piece.is_err(), Duration::ZERO);
                Some(piece.map(Some))
            }
            Err(Disconnected) => None,
            Err(Timeout) if waited + patience < stall => {
                waited += patience;
                Some(Ok(None))
            }
            Err(Timeout) => {
                ended = true;
                Some(Err(format!("no further byte for {} s", stall.as_secs_f64())))
            }
        }
    })
}

/// Compares the uncompressed content with the original's.
fn check(path: &Path, file: &RemoteFile) -> Result<(), String> {
    let content = idx::content(path).map_err(|error| match error {
        DataError::Compressed { source, .. } => format!("what came cannot be uncompressed ({source})"),
        DataError::WebPage { .. } => "what came is a web page, not the file".to_owned(),
        other => other.to_string(),
    })?;
    let found = idx::md5_hex(&content);
    if found == file.md5 {
        return Ok(());
    }
    Err(format!("what came is another file: the MD5 sum of its content is {found}, not {}", file.md5))
}
