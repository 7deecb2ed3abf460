//! What was kept and found by fuzzing goes through each target, cut short and changed as well: a little fuzzing on any toolchain.

use std::{
    fs,
    panic::{catch_unwind, resume_unwind},
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use cm_fuzz::{Target, seeds::seeds, targets};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Longest that a file may take.
const LONGEST: Duration = Duration::from_secs(10);
/// What each target may spend on changed files. A loaded machine gets through fewer of them, and through all kept ones.
const BUDGET: Duration = Duration::from_millis(1500);

fn run(target: Target, bytes: &[u8]) {
    let start = Instant::now();
    (target.run)(bytes);
    let took = start.elapsed();
    assert!(took < LONGEST, "{}: {took:?}", target.name);
}

/// The files of a folder, which need not be there, in the order of their names.
fn kept(folder: &str, target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(target);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let named =
        |path: &std::path::PathBuf| (path.display().to_string(), fs::read(path).expect("a kept file"));
    paths.iter().map(named).collect()
}

fn changed(bytes: &[u8], others: &[(String, Vec<u8>)], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.random_range(1..=4) {
        let at = random.random_range(0..=bytes.len());
        match random.random_range(0..7) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] ^= 1 << random.random_range(0..8),
            2 if at < bytes.len() => {
                bytes[at] = [0, 0xff, 0x7f, 0x80, b'0', b'-', b'"'][random.random_range(0..7)]
            }
            3 => bytes.insert(at, random.random_range(0..=255)),
            4 => drop(bytes.drain(at..bytes.len().min(at + random.random_range(0..16)))),
            5 => {
                let end = bytes.len().min(at + random.random_range(0..32));
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                let (_, other) = &others[random.random_range(0..others.len())];
                let from = random.random_range(0..=other.len());
                bytes.splice(at.., other[from..].iter().copied());
            }
        }
    }
    bytes
}

fn replay(name: &str) {
    // What other tests print, and the report of one that fails, would count as memory.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let target = targets().into_iter().find(|target| target.name == name).expect("there is such a target");
    let mut files = seeds(name);
    files.extend(kept("corpus", name));
    for (file, bytes) in files.iter().chain(&kept("found", name)) {
        println!("{file}");
        run(target, bytes);
    }
    let start = Instant::now();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    while start.elapsed() < BUDGET {
        let (file, bytes) = &files[random.random_range(0..files.len())];
        let bytes = match random.random_range(0..4) {
            0 => bytes[..random.random_range(0..=bytes.len())].to_vec(),
            _ => changed(bytes, &files, &mut random),
        };
        if let Err(panic) = catch_unwind(|| run(target, &bytes)) {
            println!("{file}, changed, to be kept as a file: {}", bytes.escape_ascii());
            resume_unwind(panic);
        }
    }
}

macro_rules! replay {
    ($($name:ident),*) => {$(
        #[test]
        fn $name() {
            replay(stringify!($name));
        }
    )*};
}

replay!(
    archive,
    array,
    card,
    decode,
    entries,
    features,
    foreign,
    idx,
    list,
    model,
    pairs,
    pickle,
    record,
    records,
    settings,
    verification_set
);
