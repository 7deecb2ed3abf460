//! `cargo xtask release-check`: whether every crate can be published, and used from its package alone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use crate::cargo;

/// Crates that nobody gets, and their folders: they serve those who work on the others.
const NOT_PUBLISHED: &[(&str, &str)] = &[("cm-fuzz", "fuzz"), ("examples", "examples"), ("xtask", "xtask")];

/// Everything that a release takes. `quick` is what CI runs: what is in the packages, without building them.
pub fn check(quick: bool) -> Result<ExitCode, String> {
    let root = cargo::root();
    let crates = published(&root)?;
    for (name, folder) in &crates {
        metadata(name, folder)?;
        contents(name, folder)?;
    }
    for (_, folder) in NOT_PUBLISHED {
        let manifest = read(&root.join(folder).join("Cargo.toml"))?;
        if !manifest.contains("publish = false") {
            return Err(format!(
                "{folder}/Cargo.toml: it is not to be published, and does not say publish = false"
            ));
        }
    }
    println!("{} crates have their metadata and nothing from outside", crates.len());
    if quick {
        return Ok(ExitCode::SUCCESS);
    }
    // Each is built from its package, and on the packages of the others.
    let mut package = cargo::command(&["package", "--workspace", "--allow-dirty"]);
    for (name, _) in NOT_PUBLISHED {
        package.args(["--exclude", name]);
    }
    run("the packages", package)?;
    least_rust(&root)?;
    semver(&root)?;
    println!("every crate can be published");
    Ok(ExitCode::SUCCESS)
}

/// The crates under `crates/`, with their folders.
fn published(root: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let folder = root.join("crates");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut crates: Vec<(String, PathBuf)> = entries
        .flatten()
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()))
        .collect();
    crates.sort();
    Ok(crates)
}

fn metadata(name: &str, folder: &Path) -> Result<(), String> {
    let path = folder.join("Cargo.toml");
    let manifest = read(&path)?;
    let package = manifest.split("\n[").next().unwrap_or_default();
    for field in ["description", "license", "repository", "readme", "keywords", "categories", "rust-version"]
    {
        if !package.lines().any(|line| line.starts_with(field)) {
            return Err(format!("{}: it has no {field}", path.display()));
        }
    }
    docs_rs(&manifest).map_err(|reason| format!("{}: {reason}", path.display()))?;
    for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        if read(&folder.join(file))?.trim().is_empty() {
            return Err(format!("{name}/{file} is empty"));
        }
    }
    Ok(())
}

/// A crate with features says in one line which of them its reference is built with, and has those.
fn docs_rs(manifest: &str) -> Result<(), String> {
    let Some(features) = section(manifest, "features") else { return Ok(()) };
    let chosen = section(manifest, "package.metadata.docs.rs")
        .and_then(|section| section.lines().find_map(|line| line.strip_prefix("features = [")))
        .ok_or("it has features, and no [package.metadata.docs.rs] with those to build its reference with")?;
    for name in chosen.trim_end_matches(']').split(',').map(|name| name.trim().trim_matches('"')) {
        if name.is_empty() || !features.lines().any(|line| line.split(' ').next() == Some(name)) {
            return Err(format!(
                "[package.metadata.docs.rs] names the feature \"{name}\", which is not there"
            ));
        }
    }
    Ok(())
}

/// The lines of a section of a manifest.
fn section<'a>(manifest: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = manifest.split_once(&format!("\n[{name}]\n"))?;
    Some(rest.split("\n[").next().unwrap_or_default())
}

/// What the package has, by cargo; and that no source names a file outside of it.
fn contents(name: &str, folder: &Path) -> Result<(), String> {
    let mut list = cargo::command(&["package", "--list", "--allow-dirty", "--package", name]);
    let output = list.output().map_err(|error| format!("cannot start {list:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        if !listed.lines().any(|line| line == file) {
            return Err(format!("{name}: its package has no {file}"));
        }
    }
    for file in listed.lines().filter(|file| file.ends_with(".rs")) {
        let path = folder.join(file);
        let text = read(&path)?;
        let depth = Path::new(file).components().count() - 1;
        for (number, line) in text.lines().enumerate() {
            let Some((_, included)) = line.split_once("include_").and_then(|(_, rest)| rest.split_once('"'))
            else {
                continue;
            };
            let ups = included.matches("../").count();
            if ups > depth {
                let place = format!("{}:{}", path.display(), number + 1);
                return Err(format!("{place}: it includes a file from outside of the package: {line}"));
            }
        }
    }
    Ok(())
}

/// The least Rust that the crates promise, if it is installed.
fn least_rust(root: &Path) -> Result<(), String> {
    let manifest = read(&root.join("Cargo.toml"))?;
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'))
        .ok_or("Cargo.toml has no rust-version")?;
    let known = Command::new("rustup").args(["toolchain", "list"]).output();
    let known = known.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let names = known.lines().filter_map(|line| line.split_whitespace().next());
    let installed = names.into_iter().find(|name| {
        name.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    });
    let Some(toolchain) = installed else {
        println!(
            "skipped: Rust {version}, the least that is promised, is not installed (rustup toolchain install \
             {version})"
        );
        return Ok(());
    };
    let mut check = Command::new("cargo");
    check.arg(format!("+{toolchain}")).args(["check", "--workspace", "--exclude", "xtask"]).current_dir(root);
    run(&format!("Rust {version}"), check)
}

/// What changed for users since the last tag, if there is one and the tool is there.
fn semver(root: &Path) -> Result<(), String> {
    let tag = Command::new("git").args(["describe", "--tags", "--abbrev=0"]).current_dir(root).output();
    let tag = tag.ok().filter(|output| output.status.success());
    let Some(tag) = tag.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()) else {
        println!("skipped: there is no tag of an earlier release to compare with");
        return Ok(());
    };
    let installed = Command::new("cargo").args(["semver-checks", "--version"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        println!("skipped: cargo-semver-checks is not installed (cargo install cargo-semver-checks)");
        return Ok(());
    }
    let mut checks = cargo::command(&["semver-checks", "--workspace", "--baseline-rev", &tag]);
    for (name, _) in NOT_PUBLISHED {
        checks.args(["--exclude", name]);
    }
    run(&format!("changes since {tag}"), checks)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn run(what: &str, command: Command) -> Result<(), String> {
    println!("{what}: {command:?}");
    cargo::succeed(what, command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_features_of_the_reference_are_features_of_the_crate() {
        let manifest = |docs: &str| format!("[package]\nname = \"a\"\n\n[features]\nflex = []\n{docs}");
        let docs = |names: &str| format!("\n[package.metadata.docs.rs]\nfeatures = [{names}]\n");
        assert_eq!(docs_rs("[package]\nname = \"a\"\n"), Ok(()));
        assert_eq!(docs_rs(&manifest(&docs("\"flex\""))), Ok(()));
        assert!(docs_rs(&manifest(&docs("\n  \"flex\",\n"))).is_err(), "it reads one line");
        assert!(docs_rs(&manifest("")).expect_err("it is missing").contains("no [package.metadata.docs.rs]"));
        assert!(
            docs_rs(&manifest(&docs("\"flex\", \"cuda\"")))
                .expect_err("it has no cuda")
                .contains("feature \"cuda\"")
        );
    }
}
