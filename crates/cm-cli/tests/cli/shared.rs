//! Running the program.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The program, which finds none of the data that whoever runs the tests may have.
pub fn cm(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cm"));
    command.args(arguments).env_remove("CM_DATA_DIR");
    command.env("XDG_DATA_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/no-data"));
    command
}

/// Whether it succeeded, and what it printed.
pub fn run(arguments: &[&str]) -> (bool, String, String) {
    let Output { status, stdout, stderr } = cm(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.success(), text(stdout), text(stderr))
}

/// Runs a study: the words before its folder, which end with `--out`, the folder, and other options.
pub fn study(small: &str, out: &Path, options: &str) -> (bool, String, String) {
    let out = out.display().to_string();
    let words = small.split_whitespace().chain([out.as_str()]).chain(options.split_whitespace());
    run(&words.collect::<Vec<_>>())
}

/// The message of a run that must fail, with one error and without a panic.
pub fn refused(arguments: &[&str]) -> String {
    let (success, stdout, stderr) = run(arguments);
    assert!(!success, "{arguments:?}: {stdout}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    let errors = stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, 1, "{stderr}");
    stderr
}

/// Writes a gray image as a portable graymap.
pub fn write_image(path: &Path, side: usize, pixel: impl Fn(usize, usize) -> u8) {
    let mut bytes = format!("P5 {side} {side} 255\n").into_bytes();
    bytes.extend((0..side).flat_map(|y| (0..side).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// A folder of striped images, down and across: `count` of each in every split named.
pub fn striped(folder: &Path, splits: &[&str], count: usize) -> PathBuf {
    let data = folder.join("stripes");
    for (s, split) in splits.iter().enumerate() {
        for class in ["down", "across"] {
            for i in 0..count {
                let path = data.join(split).join(class).join(format!("{}_{}.pgm", i / 3, i % 3));
                write_image(&path, 16, |x, y| {
                    let along = if class == "down" { x } else { y } + i;
                    let noise = (x * 31 + y * 17 + i * 7 + s * 3) % 60;
                    (if along % 4 < 2 { 40 } else { 180 }) + noise as u8
                });
            }
        }
    }
    data
}
