//! `cargo xtask soak kill`: trainings that are killed at random moments, and go on.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::stripes;
use crate::cargo;

/// What is trained: small, so that a kill hits every stage of it often. Batch norm and the loss have running statistics.
const SETTINGS: &str = "--backbone resnet18 --stem cifar --width 2 --loss AdaFace --feature-dim 8 --epochs 12 --batch-size 16 \
                        --workers 2 -q";

/// What a person may choose.
struct Options {
    times: usize,
    seed: u64,
    data: Option<PathBuf>,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { times: 50, seed: 0, data: None };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            let number =
                |text: &String| text.parse::<u64>().map_err(|_| format!("{word} needs a number, not {text}"));
            match word.as_str() {
                "--times" => options.times = number(value()?)? as usize,
                "--seed" => options.seed = number(value()?)?,
                "--data" => options.data = Some(PathBuf::from(value()?)),
                _ => {
                    return Err(format!("soak kill knows --times N, --seed S and --data FOLDER, not {word}"));
                }
            }
        }
        Ok(options)
    }
}

/// Kills a training with SIGKILL so many times, lets it go on each time, and compares what comes out with a training that nobody
/// disturbed.
pub fn kill(arguments: &[String]) -> Result<ExitCode, String> {
    let options = Options::read(arguments)?;
    let (program, folder) = (cargo::program()?, cargo::empty_folder("soak/kill")?);
    let data = match &options.data {
        Some(data) => data.clone(),
        None => stripes(&folder.join("data"))?,
    };
    let soak = Soak { program, data: data.clone(), image: first_image(&data)? };

    let whole = folder.join("whole");
    let start = Instant::now();
    let ended = soak.train(&whole, None)?;
    let whole_time = start.elapsed();
    if !ended {
        return Err("the training that nobody disturbs does not end well".to_owned());
    }
    println!("undisturbed: {:.1} s", whole_time.as_secs_f64());

    let mut random = options.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut moment = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        whole_time.mul_f64((random >> 33) as f64 / (1u64 << 31) as f64)
    };
    let (mut kills, mut finished) = (0, 0);
    while kills < options.times {
        let broken = folder.join(format!("broken-{finished}"));
        // Each goes on until it ends by itself; the last is let go.
        loop {
            let after = (kills < options.times).then(&mut moment);
            if soak.train(&broken, after)? {
                break;
            }
            kills += 1;
            soak.check(&broken)?;
        }
        for name in ["model.safetensors", "last.safetensors"] {
            let [found, expected] = [&broken, &whole].map(|folder| fs::read(folder.join(name)));
            let read = |file: std::io::Result<Vec<u8>>| file.map_err(|error| format!("{name}: {error}"));
            if read(found)? != read(expected)? {
                return Err(format!("after {kills} kills {name} in {} is another one", broken.display()));
            }
        }
        finished += 1;
        println!("{kills} kills, {finished} trainings ended with the same bytes");
    }
    println!("{kills} of {} kills survived", options.times);
    Ok(ExitCode::SUCCESS)
}

struct Soak {
    program: PathBuf,
    data: PathBuf,
    image: PathBuf,
}

impl Soak {
    /// Trains, or goes on where there is something to go on with; killed after a time, if one is given. Whether it ended by itself.
    fn train(&self, out: &Path, after: Option<Duration>) -> Result<bool, String> {
        let mut command = Command::new(&self.program);
        command.arg("train").arg(&self.data);
        match out.join("config.json").is_file() {
            true => command.arg("--resume").arg(out).args(["--workers", "2", "-q"]),
            false => command.arg("--out").arg(out).args(SETTINGS.split_whitespace()),
        };
        let failed = |error: std::io::Error| format!("{}: {error}", self.program.display());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(failed)?;
        let start = Instant::now();
        loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                if status.success() {
                    return Ok(true);
                }
                let output = child.wait_with_output().map_err(failed)?;
                return Err(format!("it does not go on: {}", String::from_utf8_lossy(&output.stderr)));
            }
            if after.is_some_and(|after| start.elapsed() >= after) {
                child.kill().map_err(failed)?;
                child.wait().map_err(failed)?;
                return Ok(false);
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whatever model files are there can be used.
    fn check(&self, out: &Path) -> Result<(), String> {
        for name in ["model.safetensors", "last.safetensors"] {
            let model = out.join(name);
            if !model.is_file() {
                continue;
            }
            let mut command = Command::new(&self.program);
            let output = command.arg("predict").arg(&model).arg(&self.image).output();
            let output = output.map_err(|error| format!("{}: {error}", self.program.display()))?;
            if !output.status.success() {
                let reason = String::from_utf8_lossy(&output.stderr).into_owned();
                return Err(format!("{} cannot be used after a kill: {reason}", model.display()));
            }
        }
        Ok(())
    }
}

/// Some file of a folder, however deep.
fn first_image(folder: &Path) -> Result<PathBuf, String> {
    let read = |folder: &Path| fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()));
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in read(&folder)?.flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => return Ok(path),
            }
        }
    }
    Err(format!("there is no file in {}", folder.display()))
}
