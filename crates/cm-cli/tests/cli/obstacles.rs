//! Disks that are full, folders that cannot be written, two programs at once: nothing is lost, and nothing half-written stays.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::shared::{cm, run, striped};

const OPTIONS: &str = "--width 4 --feature-dim 16 --batch-size 8 --no-augmentation --epochs";

/// Runs a script of the shell; its exit code, and what it printed.
fn shell(script: &str) -> (i32, String) {
    let Output { status, stdout, stderr } = Command::new("bash").args(["-c", script]).output().unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.code().unwrap_or(-1), text)
}

/// The names of unfinished files and folders, however deep in a folder.
pub fn leftovers(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(".partial-") {
            found.push(path.display().to_string());
        } else if path.is_dir() {
            found.extend(leftovers(&path));
        }
    }
    found
}

/// A model of stripes and the images that it was trained on.
fn model(folder: &Path) -> (String, String) {
    let data = striped(folder, &["train"], 9).display().to_string();
    let out = folder.join("trained").display().to_string();
    let arguments: Vec<&str> =
        ["train", &data, "--out", &out].into_iter().chain(OPTIONS.split_whitespace()).chain(["2"]).collect();
    let (success, _, stderr) = run(&arguments);
    assert!(success, "{stderr}");
    (format!("{out}/model.safetensors"), data)
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_a_training_with_the_file_that_had_no_room_and_it_goes_on_when_there_is_some() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train"], 9).display().to_string();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let program = env!("CARGO_BIN_EXE_cm");
    let place = disk.display();
    let first = format!(
        "'{program}' train '{data}' --out '{place}/out' {OPTIONS} 6 -q 2>&1; echo \"code $?\"; \
                         find '{place}' -name '.partial-*'"
    );
    let on = format!(
        "'{program}' train '{data}' --resume '{place}/out' -q 2>&1 && '{program}' predict \
                      '{place}/out/model.safetensors' '{data}' > /dev/null; echo \"code $?\""
    );
    // A small disk of its own, where the system lets us have one; files that may not grow, where it does not.
    let small = format!(
        "mount -t tmpfs -o size=400k none '{place}' && fallocate -l 250k '{place}/filler' || exit 77; {first}; \
         rm '{place}/filler'; mount -o remount,size=40m '{place}'; {on}"
    );
    let (code, text) = shell(&format!("unshare -m bash -c \"$(cat <<'END'\n{small}\nEND\n)\""));
    let text = match code {
        0 => text,
        _ => shell(&format!("(trap '' XFSZ; ulimit -f 8; {first}); {on}")).1,
    };
    let lines: Vec<&str> = text.lines().collect();
    assert!(text.contains("code 1") && lines.last() == Some(&"code 0"), "{text}");
    assert!(text.contains("disk/out") && !text.contains("panicked") && !text.contains(".partial-"), "{text}");
    assert!(text.contains("No space left") || text.contains("too large"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_table_that_has_no_room_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data) = model(folder.path());
    let program = env!("CARGO_BIN_EXE_cm");
    for command in ["score", "predict", "embed --npy /dev/null"] {
        for target in ["--out /dev/full", "> /dev/full"] {
            let (command, option) = command.split_once(' ').unwrap_or((command, ""));
            let (code, text) = shell(&format!("'{program}' {command} '{model}' '{data}' {option} {target}"));
            assert!(code == 1 && text.contains("No space left"), "{command} {target}: {code} {text}");
            assert!(!text.contains("panicked"), "{text}");
        }
    }
}

/// `script` as somebody who may not write where the permissions say so; the superuser may anywhere.
#[cfg(unix)]
fn unprivileged(script: &str) -> (i32, String) {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    match root {
        true => shell(&format!("setpriv --reuid 65534 --regid 65534 --clear-groups bash -c \"{script}\"")),
        false => shell(script),
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_named_and_nothing_is_left_in_it() {
    use std::os::unix::fs::PermissionsExt;
    let permit =
        |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    permit(folder.path(), 0o755);
    let (model, data) = model(folder.path());
    // The program may lie where only its owner may look.
    let program = folder.path().join("cm");
    fs::copy(env!("CARGO_BIN_EXE_cm"), &program).unwrap();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    let kept = closed.join("model.safetensors");
    fs::copy(&model, &kept).unwrap();
    permit(&closed, 0o555);
    let before = fs::read(&kept).unwrap();
    let (program, closed_text, kept_text) = (program.display(), closed.display(), kept.display());
    let home = format!("HOME='{closed_text}' XDG_CACHE_HOME='{closed_text}/cache'");
    for (command, named) in [
        (format!("train '{data}' --out '{closed_text}/out' {OPTIONS} 2 -q"), "closed/out"),
        (format!("calibrate '{kept_text}' '{data}' --degraded -q"), "closed/model.safetensors"),
        (format!("score '{model}' '{data}' --out '{closed_text}/scores.csv'"), "closed"),
        (format!("score '{model}' '{data}' --page '{closed_text}/page.html'"), "closed"),
        (format!("embed '{model}' '{data}' --npy '{closed_text}/features.npy'"), "closed"),
        (format!("export '{model}' '{closed_text}/model.onnx'"), "closed/model.onnx"),
        (format!("data check '{data}' --page '{closed_text}/page.html'"), "closed/page.html"),
        (
            format!("diagnose '{model}' '{data}' --degraded --page '{closed_text}/page.html'"),
            "closed/page.html",
        ),
    ] {
        let (code, text) = unprivileged(&format!("{home} '{program}' {command}"));
        assert!(code == 1 && text.contains(named), "{command}: {code} {text}");
        assert!(text.contains("ermission denied") && !text.contains("panicked"), "{command}: {text}");
    }
    assert_eq!(fs::read_dir(&closed).unwrap().count(), 1);
    assert_eq!(fs::read(&kept).unwrap(), before);
    // What it wants to remember is no reason to fail.
    let (code, text) = unprivileged(&format!("{home} '{program}' eval '{kept_text}' '{data}'"));
    assert!(code == 0 && text.contains("looked at again the next time"), "{code} {text}");
    permit(&closed, 0o755);
}

#[test]
fn a_second_program_in_the_folder_of_a_training_is_turned_away_and_the_first_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = striped(folder.path(), &["train"], 9).display().to_string();
    let out = folder.path().join("out");
    let text = out.display().to_string();
    let arguments: Vec<&str> =
        ["train", &data, "--out", &text].into_iter().chain(OPTIONS.split_whitespace()).collect();
    let arguments = [&arguments[..], &["400"]].concat();
    let mut first = cm(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(&out.join("model.safetensors"));
    for arguments in [["train", &data, "--out", &text], ["train", &data, "--resume", &text]] {
        let (success, _, stderr) = run(&arguments);
        assert!(!success && stderr.contains("another process is working"), "{stderr}");
    }
    assert!(first.try_wait().unwrap().is_none(), "the first is at work");
    first.kill().unwrap();
    first.wait().unwrap();
    // The lock is gone with its owner: as if fewer epochs had been asked for from the beginning, it goes on.
    let curve = fs::read_to_string(out.join("runs/cosface-d16-s0/epochs.json")).unwrap();
    let fewer = format!("\"epochs\": {}", curve.matches("\"epoch\"").count() + 1);
    for file in ["config.json", "results.json"] {
        let stored = fs::read_to_string(out.join(file)).unwrap();
        assert!(stored.contains("\"epochs\": 400"), "{stored}");
        fs::write(out.join(file), stored.replace("\"epochs\": 400", &fewer)).unwrap();
    }
    let (success, _, stderr) = run(&["train", &data, "--resume", &text]);
    assert!(success, "{stderr}");
    assert_eq!(leftovers(&out), Vec::<String>::new());
}

/// Waits until a file is there.
pub fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_secs(120), "{} does not come", path.display());
        thread::sleep(Duration::from_millis(5));
    }
}
