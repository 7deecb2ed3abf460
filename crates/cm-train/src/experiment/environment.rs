//! The machine and the versions, as far as a result depends on them.

use std::{process::Command, thread};

use super::Environment;
use crate::device::Backend;

/// Version of Burn in `Cargo.lock`.
pub const BURN_VERSION: &str = "0.22.1";

impl Environment {
    /// Of this process.
    pub fn current(backend: Backend) -> Self {
        Self {
            backend: backend.to_string(),
            threads: thread::available_parallelism().map_or(1, usize::from),
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            cm_train: env!("CARGO_PKG_VERSION").to_owned(),
            burn: BURN_VERSION.to_owned(),
            commit: commit().unwrap_or_default(),
        }
    }
}

/// Commit of the source tree that this program was built from, as it is now; `cargo xtask` builds what it runs.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| -> Option<String> {
        let git =
            Command::new("git").args(["-C", env!("CARGO_MANIFEST_DIR")]).args(arguments).output().ok()?;
        git.status.success().then(|| String::from_utf8_lossy(&git.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "HEAD"])?;
    let changed = git(&["status", "--porcelain"]).is_some_and(|changes| !changes.is_empty());
    Some(if changed { format!("{commit}-dirty") } else { commit })
}

#[cfg(test)]
mod tests {
    use super::BURN_VERSION;

    #[test]
    fn the_recorded_version_of_burn_is_the_locked_one() {
        let lock = include_str!("../../../../Cargo.lock");
        let entry = format!("name = \"burn\"\nversion = \"{BURN_VERSION}\"\n");
        assert!(lock.contains(&entry), "Cargo.lock has another version of Burn than {BURN_VERSION}");
    }
}
