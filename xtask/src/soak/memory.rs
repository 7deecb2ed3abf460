//! `cargo xtask soak memory`: whether a long training takes more and more memory.

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode, Stdio},
    thread,
    time::Duration,
};

use super::stripes;
use crate::cargo;

/// What the end may have more than the first quarter, and memory that comes and goes, in MB.
const GROWTH: (f64, f64) = (0.05, 8.0);

/// Trains so many epochs on a few images, and compares the memory at the end with that after a quarter of them.
pub fn memory(arguments: &[String]) -> Result<ExitCode, String> {
    let epochs: usize = match arguments {
        [] => 200,
        [option, value] if option == "--epochs" => {
            value.parse().map_err(|_| format!("--epochs needs a number, not {value}"))?
        }
        _ => return Err("soak memory knows --epochs N".to_owned()),
    };
    let (program, folder) = (cargo::program()?, cargo::empty_folder("soak/memory")?);
    let (data, out) = (stripes(&folder.join("data"))?, folder.join("out"));
    let mut child = Command::new(&program)
        .arg("train")
        .arg(&data)
        .arg("--out")
        .arg(&out)
        .args(["--width", "4", "--feature-dim", "8", "--batch-size", "16", "-q", "--epochs"])
        .arg(epochs.to_string())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let curve = out.join("runs/cosface-d8-s0/epochs.json");
    let mut seen: Vec<(usize, f64)> = Vec::new();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        let done = fs::read_to_string(&curve).map_or(0, |text| text.matches("\"epoch\"").count());
        if done > seen.last().map_or(0, |(epoch, _)| *epoch)
            && let Some(megabytes) = resident(child.id())
        {
            seen.push((done, megabytes));
        }
        thread::sleep(Duration::from_millis(20));
    };
    if !status.success() {
        return Err("the training does not end well".to_owned());
    }
    // The highest of some epochs, for it goes up and down.
    let highest = |from: usize, to: usize| {
        let of = seen.iter().filter(|(epoch, _)| (from..=to).contains(epoch)).map(|(_, memory)| *memory);
        of.fold(0.0, f64::max)
    };
    let (early, late) = (highest(epochs / 8, epochs / 4), highest(epochs - epochs / 8, epochs));
    for part in 0..8 {
        let (from, to) = (part * epochs / 8 + 1, (part + 1) * epochs / 8);
        println!("epochs {from:>4} to {to:>4}: at most {:.1} MB", highest(from, to));
    }
    if early == 0.0 || late == 0.0 {
        return Err("its memory could not be seen; this needs Linux".to_owned());
    }
    if late > early * (1.0 + GROWTH.0) + GROWTH.1 {
        return Err(format!(
            "it grows: {early:.1} MB after a quarter of the epochs, {late:.1} MB at the end"
        ));
    }
    println!("{epochs} epochs: flat");
    Ok(ExitCode::SUCCESS)
}

/// Memory of a process that is in use now, in MB.
fn resident(id: u32) -> Option<f64> {
    let status = fs::read_to_string(Path::new("/proc").join(id.to_string()).join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes / 1024.0)
}
