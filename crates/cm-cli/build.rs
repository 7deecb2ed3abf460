//! Remembers the commit that the program is built from, and whether there are data for the tests that need some.

use std::{env, path::PathBuf, process::Command};

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn main() {
    let commit = git(&["rev-parse", "HEAD"]).map(|commit| {
        let changed = git(&["status", "--porcelain", "--untracked-files=no"])
            .is_some_and(|changes| !changes.is_empty());
        if changed { format!("{commit}-dirty") } else { commit }
    });
    println!("cargo::rustc-env=CM_COMMIT={}", commit.unwrap_or_default());
    // A commit moves the first, whatever is built changes the second.
    if let Some(folder) = git(&["rev-parse", "--absolute-git-dir"]) {
        println!("cargo::rerun-if-changed={folder}/logs/HEAD");
    }
    println!("cargo::rerun-if-changed=..");
    test_data();
}

/// Tests that need real data are compiled as ignored where there are none, so that they are seen as skipped.
fn test_data() {
    println!("cargo::rustc-check-cfg=cfg(cm_data)");
    println!("cargo::rerun-if-env-changed=CM_DATA_DIR");
    // Asked when it runs: a build folder may serve several checkouts.
    let here = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let beside = here.join("../../../shared/data");
    let named = env::var_os("CM_DATA_DIR").map(PathBuf::from);
    let found = named.into_iter().chain([beside]).find(|folder| folder.join("mnist").is_dir());
    if found.is_some() {
        println!("cargo::rustc-cfg=cm_data");
    }
    let folder = found.and_then(|folder| folder.canonicalize().ok()).unwrap_or_default();
    println!("cargo::rustc-env=CM_TEST_DATA={}", folder.display());
}
