//! `cargo xtask soak`: long or rough treatment of the program.

mod kill;
mod memory;

use std::{
    fs,
    path::{Path, PathBuf},
};

pub use kill::kill;
pub use memory::memory;

/// Images of stripes in two directions.
fn stripes(folder: &Path) -> Result<PathBuf, String> {
    const SIDE: usize = 16;
    for class in ["down", "across"] {
        for i in 0..80 {
            let mut bytes = format!("P5 {SIDE} {SIDE} 255\n").into_bytes();
            for (y, x) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x))) {
                let along = if class == "down" { x } else { y } + i;
                let noise = (x * 31 + y * 17 + i * 7) % 90;
                bytes.push((if along % 4 < 2 { 40 } else { 150 }) + noise as u8);
            }
            let path = folder.join(class).join(format!("{i}.pgm"));
            let written = fs::create_dir_all(folder.join(class)).and_then(|()| fs::write(&path, bytes));
            written.map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(folder.to_owned())
}
