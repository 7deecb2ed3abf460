//! `cargo xtask fuzz`: every reader of files against files that libFuzzer makes up.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::Mutex,
    thread,
};

use crate::cargo;

/// The targets that need nothing of Burn, which takes long to compile.
const PLAIN: [&str; 11] = [
    "archive",
    "array",
    "decode",
    "entries",
    "features",
    "idx",
    "list",
    "pairs",
    "record",
    "records",
    "verification_set",
];
/// The others.
const OF_MODELS: [&str; 5] = ["card", "foreign", "model", "pickle", "settings"];

/// Coverage for libFuzzer, as `cargo fuzz` has it, by flags that a stable compiler takes. The profile stays that of development:
/// overflow is found in our crates, and allowed in others as it is for users. There is no address sanitizer: what is unsafe
/// is in dependencies, and the sanitizer halves the speed and needs another compiler.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-sanitizer-coverage-stack-depth \
     -Cllvm-args=-simplifycfg-branch-fold-threshold=0 --cfg fuzzing";

/// What a person may choose.
struct Options {
    minutes: f64,
    jobs: usize,
    targets: Vec<&'static str>,
    keep: bool,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self { minutes: 10.0, jobs: 1, targets: Vec::new(), keep: false };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            let number = |text: &String| {
                let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && number.is_finite());
                number.ok_or(format!("{word} needs a number above 0, not {text}"))
            };
            match word.as_str() {
                "--minutes" => options.minutes = number(value()?)?,
                "--jobs" => options.jobs = number(value()?)?.ceil() as usize,
                "--target" => options.targets.push(known(value()?)?),
                "--keep" => options.keep = true,
                _ => {
                    return Err(format!(
                        "fuzz knows --minutes N, --jobs N, --target NAME and --keep, not {word}"
                    ));
                }
            }
        }
        if options.targets.is_empty() {
            options.targets = PLAIN.into_iter().chain(OF_MODELS).collect();
        }
        Ok(options)
    }
}

fn known(name: &str) -> Result<&'static str, String> {
    let mut all = PLAIN.into_iter().chain(OF_MODELS);
    all.find(|target| *target == name).ok_or_else(|| {
        format!("there is no target {name}; they are {}, {}", PLAIN.join(", "), OF_MODELS.join(", "))
    })
}

/// Where things are.
struct Places {
    /// The folder `fuzz` of the checkout.
    fuzz: PathBuf,
    /// What is built, and files that were made up on the way.
    work: PathBuf,
    programs: PathBuf,
}

/// What became of a target.
struct Outcome {
    target: &'static str,
    runs: String,
    /// `cov: 1 ft: 2 corp: 3/4Kb`, as libFuzzer has it.
    coverage: String,
    found: Vec<PathBuf>,
    failed: bool,
}

/// Fuzzes the targets for so many minutes each, or with `--keep` only takes over what earlier runs have found worth keeping.
pub fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let options = Options::read(arguments)?;
    let root = cargo::root();
    let root = root.canonicalize().map_err(|error| format!("{}: {error}", root.display()))?;
    let work = cargo::target().join("fuzz");
    let host = host()?;
    let places = Places { fuzz: root.join("fuzz"), programs: work.join(&host).join("debug"), work };
    build(&options, &places, &host)?;
    if options.keep {
        for target in &options.targets {
            keep(target, &places)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let waiting = Mutex::new(options.targets.iter());
    let outcomes = Mutex::new(Vec::new());
    let lock = |error: &dyn std::fmt::Display| error.to_string();
    thread::scope(|scope| {
        let worker = || -> Result<(), String> {
            loop {
                let next = waiting.lock().map_err(|error| lock(&error))?.next().copied();
                let Some(target) = next else { return Ok(()) };
                let outcome = fuzz(target, &options, &places)?;
                outcomes.lock().map_err(|error| lock(&error))?.push(outcome);
            }
        };
        let workers: Vec<_> = (0..options.jobs).map(|_| scope.spawn(worker)).collect();
        let ended =
            workers.into_iter().map(|worker| worker.join().unwrap_or(Err("a thread ended".to_owned())));
        ended.collect::<Result<(), String>>()
    })?;
    let mut outcomes = outcomes.into_inner().map_err(|error| error.to_string())?;
    outcomes.sort_by_key(|outcome| outcome.target);
    Ok(summary(&outcomes))
}

fn host() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output().map_err(|error| format!("rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: ").map(str::to_owned));
    host.ok_or_else(|| "rustc -vV does not name its host".to_owned())
}

fn build(options: &Options, places: &Places, host: &str) -> Result<(), String> {
    let mut build = cargo::command(&["build", "--package", "cm-fuzz", "--target", host, "--target-dir"]);
    build.arg(&places.work).env("RUSTFLAGS", COVERAGE);
    for target in &options.targets {
        build.args(["--bin", target]);
    }
    if options.targets.iter().all(|target| PLAIN.contains(target)) {
        build.arg("--no-default-features");
    }
    build.args(["--features", "libfuzzer"]);
    println!("building the targets (Burn among them takes a quarter of an hour, once)");
    cargo::succeed("building the targets", build)
}

fn fuzz(target: &'static str, options: &Options, places: &Places) -> Result<Outcome, String> {
    let found = places.fuzz.join("found").join(target);
    let before = files(&found);
    let log = places.work.join(format!("{target}.log"));
    let made = places.work.join("corpus").join(target);
    for folder in [&found, &made] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let output = fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let mut program = Command::new(places.programs.join(target));
    program
        .arg(&made)
        .args([&places.fuzz.join("corpus").join(target), &found].iter().filter(|path| path.is_dir()));
    program.arg(format!("-artifact_prefix={}/", found.display()));
    program.arg(format!("-max_total_time={}", (60.0 * options.minutes).ceil()));
    program.args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    let words = places.fuzz.join("words").join(format!("{target}.dict"));
    if words.is_file() {
        program.arg(format!("-dict={}", words.display()));
    }
    println!("{target}: {} minutes; its log is {}", options.minutes, log.display());
    let status = program.stdout(Stdio::null()).stderr(output).status();
    let status = status.map_err(|error| format!("cannot start {program:?}: {error}"))?;
    let text = fs::read(&log).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
    let runs = text.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units: "));
    let coverage = text.lines().rev().find_map(|line| {
        let from = line.find("cov: ")?;
        let end = line.find(" lim: ").or(line.find(" exec/s"))?;
        line.get(from..end)
    });
    let found = files(&found).into_iter().filter(|file| !before.contains(file)).collect();
    Ok(Outcome {
        target,
        runs: runs.unwrap_or("?").trim().to_owned(),
        coverage: coverage.unwrap_or("?").to_owned(),
        found,
        failed: !status.success(),
    })
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn summary(outcomes: &[Outcome]) -> ExitCode {
    println!("\n{:10} {:>12}  found  coverage", "target", "runs");
    for Outcome { target, runs, coverage, found, failed } in outcomes {
        let count = if *failed { found.len().max(1).to_string() } else { "-".to_owned() };
        println!("{target:10} {runs:>12}  {count:5}  {coverage}");
    }
    for outcome in outcomes.iter().filter(|outcome| outcome.failed) {
        println!("\n{} failed; its log says how.", outcome.target);
        for file in &outcome.found {
            println!("  {}", file.display());
        }
        println!("  Again: cargo test --package cm-fuzz --test replay {}", outcome.target);
    }
    if outcomes.iter().any(|outcome| outcome.failed) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// As many files and bytes of a target as a checkout bears.
const FILES: usize = 48;
const BYTES: u64 = 48 << 10;

/// Puts some of the fewest files that reach everything into `fuzz/corpus`.
fn keep(target: &str, places: &Places) -> Result<(), String> {
    let (corpus, next) = (places.fuzz.join("corpus").join(target), places.work.join("next").join(target));
    // Of an earlier call, if there was one.
    let _ = fs::remove_dir_all(&next);
    fs::create_dir_all(&next).map_err(|error| format!("{}: {error}", next.display()))?;
    let mut program = Command::new(places.programs.join(target));
    program.args(["-set_cover_merge=1", "-timeout=10", "-rss_limit_mb=2048"]).arg(&next);
    program
        .args([corpus.clone(), places.work.join("corpus").join(target)].iter().filter(|path| path.is_dir()));
    cargo::succeed(&format!("the smallest corpus of {target}"), program)?;
    let _ = fs::remove_dir_all(&corpus);
    fs::create_dir_all(&corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
    let mut kept: Vec<(u64, PathBuf)> =
        files(&next).into_iter().filter_map(|file| Some((fs::metadata(&file).ok()?.len(), file))).collect();
    kept.sort();
    // Some of every size.
    let step = kept.len().div_ceil(FILES).max(1);
    let (mut count, mut bytes) = (0, 0);
    for (_, file) in kept.iter().step_by(step).take_while(|(size, _)| {
        bytes += size;
        bytes <= BYTES
    }) {
        let name = file.file_name().unwrap_or_default();
        fs::copy(file, corpus.join(name)).map_err(|error| format!("{}: {error}", file.display()))?;
        count += 1;
    }
    println!("{target}: {count} files of {} that reach everything", kept.len());
    Ok(())
}
