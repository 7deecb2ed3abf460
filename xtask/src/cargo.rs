//! Starting cargo.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// Names of the Cargo features that are backends.
pub const BACKENDS: [&str; 7] = ["flex", "ndarray", "wgpu", "vulkan", "metal", "cuda", "rocm"];

/// The checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The program `cm`, built.
pub fn program() -> Result<PathBuf, String> {
    succeed("the program", command(&["build", "--package", "cm-cli", "--bin", "cm"]))?;
    Ok(target().join("debug/cm"))
}

/// An empty folder below the one that cargo builds in; what an earlier call left there is removed.
pub fn empty_folder(name: &str) -> Result<PathBuf, String> {
    let folder = target().join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// A cargo command.
pub fn command(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments);
    cargo
}

/// Features to build programs with. The feature `flex` is what `cargo test --workspace` builds Burn with, so that programs
/// and tests share one build of it.
pub fn features(backend: Option<&str>) -> Result<String, String> {
    match backend {
        None | Some("flex") => Ok("flex".to_owned()),
        Some(backend) if BACKENDS.contains(&backend) => Ok(format!("flex,{backend}")),
        Some(unknown) => {
            Err(format!("there is no backend named \"{unknown}\"; the backends are {}", BACKENDS.join(", ")))
        }
    }
}

/// The backend that `--backend NAME` or `--device NAME:NUMBER` names.
pub fn backend(arguments: &[String]) -> Option<&str> {
    // A server has a backend of its own.
    let here = |device: &&str| !device.starts_with("ws://");
    let device = || value(arguments, "--device").filter(here)?.split(':').next();
    value(arguments, "--backend").or_else(device)
}

/// The value of `--option VALUE` or `--option=VALUE`.
fn value<'a>(arguments: &'a [String], option: &str) -> Option<&'a str> {
    let separate = arguments.windows(2).find(|pair| pair[0] == option).map(|pair| pair[1].as_str());
    let joined = |argument: &'a String| argument.strip_prefix(option)?.strip_prefix('=');
    separate.or_else(|| arguments.iter().find_map(joined))
}

/// Runs a command that has to succeed; `what` says what it is for.
pub fn succeed(what: &str, mut command: Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{what} failed: {command:?}")) }
}

/// Runs a command to its end and hands its exit code on.
pub fn run(mut command: Command) -> Result<ExitCode, String> {
    let status = command.status().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
