//! Writes the files where fuzzing begins: `cargo run --package cm-fuzz --example seeds FOLDER`.

// Code that is compiled for libFuzzer needs it wherever it runs.
#[cfg(feature = "libfuzzer")]
use libfuzzer_sys as _;
use std::{env, fs, path::PathBuf};

fn main() -> std::io::Result<()> {
    let Some(folder) = env::args().nth(1).map(PathBuf::from) else {
        eprintln!("name the folder");
        return Ok(());
    };
    for target in cm_fuzz::targets() {
        let folder = folder.join(target.name);
        fs::create_dir_all(&folder)?;
        for (name, bytes) in cm_fuzz::seeds::seeds(target.name) {
            fs::write(folder.join(name), bytes)?;
        }
    }
    Ok(())
}
