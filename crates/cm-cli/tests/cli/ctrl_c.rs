//! Ctrl-C at every stage, once and twice: the program ends with 130, says how to go on where there is something to go on with,
//! and leaves nothing half-written.
#![cfg(unix)]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use image::{GrayImage, Luma};

use crate::{
    obstacles::{leftovers, wait_for},
    shared::{cm, run, striped},
};

/// A run that is to be interrupted.
struct Running {
    child: Child,
}

/// How it ended.
struct Ended {
    code: Option<i32>,
    stderr: String,
    after: Duration,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        Self { child: command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap() }
    }

    fn interrupt(&self) {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
    }

    /// Waits for the end, which must be one without a panic.
    fn end(self) -> Ended {
        let start = Instant::now();
        let output = self.child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{stderr}");
        Ended { code: output.status.code(), stderr, after: start.elapsed() }
    }
}

/// Enough large images that looking at them takes seconds.
fn large_images(folder: &Path) -> PathBuf {
    let image = GrayImage::from_fn(4000, 4000, |x, y| Luma([(x / 7 + y / 5) as u8]));
    let data = folder.join("large");
    let first = data.join("down/0.png");
    fs::create_dir_all(data.join("down")).unwrap();
    fs::create_dir_all(data.join("across")).unwrap();
    image.save(&first).unwrap();
    for i in 1..150 {
        let class = if i % 2 == 0 { "down" } else { "across" };
        fs::hard_link(&first, data.join(class).join(format!("{i}.png"))).unwrap();
    }
    data
}

#[test]
fn while_it_looks_at_images() {
    let folder = tempfile::tempdir().unwrap();
    let data = large_images(folder.path()).display().to_string();
    let out = folder.path().join("out");
    let [out_text, page, scores] =
        ["out", "page.html", "scores.csv"].map(|name| folder.path().join(name).display().to_string());
    let stripes = striped(folder.path(), &["train"], 6).display().to_string();
    let options = ["--epochs", "1", "--width", "2", "--batch-size", "8"];
    let (success, _, stderr) =
        run(&[&["train", &stripes, "--out", &format!("{out_text}-model")], &options[..]].concat());
    assert!(success, "{stderr}");
    let model = format!("{out_text}-model/model.safetensors");
    for arguments in [
        vec!["train", &data, "--out", &out_text],
        vec!["data", "check", &data, "--page", &page],
        vec!["score", &model, &data, "--out", &scores],
        vec!["score", &model, &data, "--page", &page],
        vec!["calibrate", &model, &data, "--degraded"],
        vec!["diagnose", &model, &data, "--degraded", "--page", &page],
        vec!["eval", &model, &data],
        vec!["predict", &model, &data, "--out", &scores],
        vec!["embed", &model, &data, "--npy", &scores],
    ] {
        let before = fs::read(&model).unwrap();
        // What was seen is not to be remembered from one to the next.
        let running = Running::start(cm(&arguments).env("XDG_CACHE_HOME", folder.path().join("cache")));
        thread::sleep(Duration::from_millis(600));
        running.interrupt();
        let Ended { code, stderr, after } = running.end();
        assert_eq!(code, Some(130), "{arguments:?}: {stderr}");
        assert!(stderr.contains("stopped before"), "{arguments:?}: {stderr}");
        assert!(after < Duration::from_secs(5), "{arguments:?}: it took {after:?} to end");
        assert!(!out.exists() && !Path::new(&page).exists() && !Path::new(&scores).exists(), "{arguments:?}");
        assert_eq!(fs::read(&model).unwrap(), before);
        assert_eq!(leftovers(folder.path()), Vec::<String>::new(), "{arguments:?}");
    }
}

#[test]
fn while_it_downloads() {
    for twice in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mirror = format!("http://{}", listener.local_addr().unwrap());
        let mut running = {
            let mut command =
                cm(&["reproduce", "mnist", "--out", &folder.path().join("out").display().to_string()]);
            command.env("CM_MNIST_MIRROR", &mirror);
            Running::start(command.env("XDG_DATA_HOME", folder.path()).env("HOME", folder.path()))
        };
        // A server that gives some bytes and then nothing.
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = String::new();
        BufReader::new(stream.try_clone().unwrap()).read_line(&mut request).unwrap();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\nsome of it").unwrap();
        stream.flush().unwrap();
        thread::sleep(Duration::from_millis(400));
        assert!(running.child.try_wait().unwrap().is_none(), "it waits for the server");
        running.interrupt();
        if twice {
            running.interrupt();
        }
        let Ended { code, stderr, after } = running.end();
        assert_eq!(code, Some(130), "{stderr}");
        assert!(after < Duration::from_secs(5), "it took {after:?} to end");
        assert!(!folder.path().join("out/config.json").exists());
        assert_eq!(leftovers(folder.path()), Vec::<String>::new());
    }
}

/// A study of synthetic digits.
fn study(out: &Path, images: [usize; 2], epochs: usize) -> Vec<String> {
    let options = format!(
        "reproduce mnist --data synthetic --losses CM-CosFace --feature-dim 2 --width 2 --train-images {} \
         --test-images {} --epochs {epochs} --out",
        images[0], images[1]
    );
    options.split_whitespace().map(str::to_owned).chain([out.display().to_string()]).collect()
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

#[test]
fn while_it_draws_and_degrades() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let running = Running::start(&mut cm(&words(&study(&out, [12_000, 3_000], 50))));
    thread::sleep(Duration::from_millis(300));
    running.interrupt();
    let Ended { code, stderr, .. } = running.end();
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stderr.contains("stopped before anything was trained"), "{stderr}");
    assert!(!out.exists(), "{stderr}");

    let signs = folder.path().join("signs");
    for times in [1, 2] {
        let arguments = ["data", "example", &signs.display().to_string(), "--tracks", "4000"];
        let running = Running::start(&mut cm(&arguments));
        let start = Instant::now();
        while leftovers(folder.path()).is_empty() && start.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(2));
        }
        for _ in 0..times {
            running.interrupt();
            thread::sleep(Duration::from_millis(3));
        }
        let Ended { code, stderr, .. } = running.end();
        assert_eq!(code, Some(130), "{stderr}");
        assert!(!signs.exists());
        assert_eq!(leftovers(folder.path()), Vec::<String>::new(), "{times}: {stderr}");
    }
}

#[test]
fn while_it_trains_tests_and_reports_and_it_goes_on_to_the_same_results() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = |name: &str| study(&folder.path().join(name), [300, 3_000], 3);
    let whole = folder.path().join("whole");
    assert!(run(&words(&arguments("whole"))).0);
    let of_runs = |out: &Path| {
        let text = fs::read_to_string(out.join("results.csv")).unwrap();
        // All but how long it took.
        text.lines().filter(|line| !line.contains("second")).map(str::to_owned).collect::<Vec<_>>()
    };
    // What is there when the stage begins, and how often Ctrl-C comes.
    for (stage, file, times) in [
        ("training", "runs/cm-cosface-d2-s0/checkpoint/scheduler-1.bpk", 1),
        ("training-2", "runs/cm-cosface-d2-s0/checkpoint/scheduler-1.bpk", 2),
        ("testing", "runs/cm-cosface-d2-s0/checkpoint/scheduler-3.bpk", 1),
        ("testing-2", "runs/cm-cosface-d2-s0/checkpoint/scheduler-3.bpk", 2),
        ("reporting", "features/cm-cosface-d2-s0.csv", 1),
        ("reporting-2", "features/cm-cosface-d2-s0.csv", 2),
    ] {
        let out = folder.path().join(stage);
        let running = Running::start(&mut cm(&words(&arguments(stage))));
        wait_for(&out.join(file));
        for _ in 0..times {
            running.interrupt();
            thread::sleep(Duration::from_millis(3));
        }
        let Ended { code, stderr, .. } = running.end();
        // It may be done before.
        assert!(code == Some(130) || code == Some(0), "{stage}: {code:?} {stderr}");
        let told = stderr.contains("go on with `cm reproduce mnist --resume");
        assert!(told || times == 2 || code == Some(0), "{stage}: {stderr}");
        assert_eq!(leftovers(&out), Vec::<String>::new(), "{stage}");
        let resume = ["reproduce", "mnist", "--resume", &out.display().to_string(), "-q"];
        let (success, _, stderr) = run(&resume);
        assert!(success, "{stage}: {stderr}");
        assert_eq!(of_runs(&out), of_runs(&whole), "{stage}");
        assert!(out.join("report.html").is_file());
    }
}
