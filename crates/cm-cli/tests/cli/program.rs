//! The `cm` program, as a shell sees it.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::shared::{cm, run};

fn small(data: &str, out: &Path) -> Vec<String> {
    let options = "reproduce mnist --losses CM-CosFace --feature-dim 2 --width 2 --train-images 200 --test-images 40 \
                   --epochs 2 --out";
    let words = options.split_whitespace().map(str::to_owned);
    words.chain([out.display().to_string(), "--data".to_owned(), data.to_owned()]).collect()
}

#[test]
fn the_main_job_prints_a_table_and_its_progress_as_lines_on_standard_error_when_it_is_not_in_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let arguments = small("synthetic", &out);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (success, stdout, stderr) = run(&arguments);
    assert!(success, "{stderr}");
    assert!(stderr.contains("synthetic digits: drawn from stroke templates"), "{stderr}");
    assert!(stderr.contains("epoch  2/2") && stderr.contains("images/s"), "{stderr}");
    for text in [&stdout, &stderr] {
        assert!(!text.contains('\u{1b}') && !text.contains("MNIST"), "{text}");
    }
    assert!(stdout.contains("report.html") && !stdout.contains("epoch"), "{stdout}");

    let (success, _, stderr) = run(&arguments);
    assert!(!success && stderr.contains("already holds a study"), "{stderr}");

    let (success, stdout, stderr) = run(&["report", &out.display().to_string()]);
    assert!(success && stdout.contains("results.csv"), "{stderr}");
    let (success, stdout, stderr) = run(&["report", &out.display().to_string(), "--json"]);
    assert!(success, "{stderr}");
    let record: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(record["runs"][0]["loss"], "CM-CosFace");
}

#[test]
fn without_network_and_data_the_main_job_is_done_on_digits_that_nothing_calls_mnist() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    // What an interrupted download leaves behind is no reason to fail.
    let data = folder.path().join("cm-loss/mnist");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join(".partial-t10k-labels-idx1-ubyte.gz"), "not whole").unwrap();
    let offline = |choice: &str| {
        let arguments = small(choice, &out);
        let mut command = cm(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let nowhere = "http://127.0.0.1:1/mnist";
        command.env("CM_MNIST_MIRROR", nowhere);
        let Output { status, stdout, stderr } =
            command.env("XDG_DATA_HOME", folder.path()).env("HOME", folder.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.success(), text(stdout), text(stderr))
    };
    let (success, _, stderr) = offline("mnist");
    assert!(!success && stderr.contains("--data-dir") && stderr.contains("127.0.0.1:1"), "{stderr}");
    assert!(!out.exists());

    let (success, stdout, stderr) = offline("auto");
    assert!(success, "{stderr}");
    assert!(stderr.lines().next().unwrap().contains("synthetic digits instead"), "{stderr}");
    assert_eq!(stderr.matches("MNIST").count(), 1, "{stderr}");
    assert!(!stdout.contains("MNIST"), "{stdout}");
    // So that the study goes on with these digits when the network is back.
    let config = std::fs::read_to_string(out.join("config.json")).unwrap();
    assert!(config.contains("\"data\": \"synthetic\""), "{config}");
    for name in ["results.json", "results.csv", "report.html", "features.svg"] {
        let content = std::fs::read_to_string(out.join(name)).unwrap();
        assert!(content.contains("synthetic digits") && !content.contains("MNIST"), "{name}");
    }
}

#[test]
#[cfg_attr(
    not(cm_data),
    ignore = "MNIST is not on this machine: CM_DATA_DIR names the folder that holds mnist/"
)]
fn without_data_and_with_a_mirror_mnist_is_downloaded_once() {
    let mnist = Path::new(env!("CM_TEST_DATA")).join("mnist");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mirror = format!("http://{}/a/folder", listener.local_addr().unwrap());
    // Four files, once each: a second download would find nobody.
    let server = thread::spawn(move || {
        for stream in listener.incoming().take(4) {
            let mut stream = stream.unwrap();
            let mut request = String::new();
            BufReader::new(stream.try_clone().unwrap()).read_line(&mut request).unwrap();
            let name = request.split_whitespace().nth(1).unwrap().rsplit('/').next().unwrap().to_owned();
            let content = std::fs::read(mnist.join(name)).unwrap();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", content.len()).unwrap();
            stream.write_all(&content).unwrap();
        }
    });
    let folder = tempfile::tempdir().unwrap();
    for out in ["first", "second"] {
        let arguments = small("mnist", &folder.path().join(out));
        let mut command = cm(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        command.env("CM_MNIST_MIRROR", &mirror);
        let output = command.env("XDG_DATA_HOME", folder.path()).env("HOME", folder.path()).output().unwrap();
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{stderr}");
        assert!(stderr.contains("MNIST: ") && stderr.contains("cm-loss/mnist"), "{stdout}{stderr}");
    }
    server.join().unwrap();
}

#[test]
fn the_formulas_are_drawn_with_their_curves_named() {
    let folder = tempfile::tempdir().unwrap();
    let (success, stdout, stderr) = run(&["figures", &folder.path().display().to_string()]);
    assert!(success, "{stderr}");
    let curves = [
        ("margins", ["MonotoneTail", "quality −1", "norm 110", "c = 0.5"]),
        ("norm-maps", ["calibrated sigmoid", "rational", "logarithm", "a thousandth: flat"]),
        ("norm-gradient", ["CM-CosFace", "r = 20", "norm grows", "norm shrinks"]),
    ];
    for (name, curves) in curves {
        let svg = std::fs::read_to_string(folder.path().join(format!("{name}.svg"))).unwrap();
        assert!(curves.iter().all(|curve| svg.contains(curve)), "{name}");
        let png = std::fs::read(folder.path().join(format!("{name}.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG") && stdout.contains(&format!("{name}.png")), "{name}");
    }
}

#[test]
fn wrong_options_end_with_one_error_that_names_them() {
    let cases: [(&[&str], &[&str]); 8] = [
        (&["--losses", "ArkFace"], &["ArkFace", "--losses", "CM-CosFace"]),
        (&["--backend", "tpu"], &["tpu", "--backend", "cuda"]),
        (&["--backend", "cuda"], &["built without the backend cuda", "--features cuda"]),
        (&["--data", "cifar"], &["invalid value 'cifar' for '--data", "auto, mnist, synthetic"]),
        (&["--degradation", "fog"], &["invalid value 'fog'", "occlusion"]),
        (&["--profile", "huge"], &["invalid value 'huge'", "quick, full"]),
        (&["--data-dir", "/no/such/folder"], &["/no/such/folder", "does not exist"]),
        (&["--tui"], &["--tui must be used in a terminal only"]),
    ];
    for (options, expected) in cases {
        let (success, _, stderr) =
            run(&[&["reproduce", "mnist", "--out", "/nonexistent/out"], options].concat());
        assert!(!success, "{options:?}");
        assert!(expected.iter().all(|text| stderr.contains(text)), "{options:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
    let (success, _, stderr) = run(&["report", "/no/such/run"]);
    assert!(!success && stderr.contains("/no/such/run"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_training_with_a_way_to_go_on_which_works() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut arguments = small("synthetic", &out);
    let epochs = arguments.iter().position(|a| a == "--epochs").unwrap() + 1;
    arguments[epochs] = "1000".to_owned();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let child = cm(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let checkpoint = out.join("runs/cm-cosface-d2-s0/checkpoint/scheduler-3.bpk");
    let start = Instant::now();
    while !checkpoint.exists() && start.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(5));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    let command = format!("go on with `cm reproduce mnist --resume {}`", out.display());
    assert!(stderr.contains(&command), "{stderr}");

    let curve = std::fs::read_to_string(out.join("runs/cm-cosface-d2-s0/epochs.json")).unwrap();
    let done = curve.matches("\"epoch\"").count();
    // As if fewer had been asked for from the beginning.
    for file in ["config.json", "results.json"] {
        let path = out.join(file);
        let shorter = format!("\"epochs\": {}", done + 1);
        let shortened = std::fs::read_to_string(&path).unwrap().replace("\"epochs\": 1000", &shorter);
        std::fs::write(&path, shortened).unwrap();
    }
    let (success, stdout, stderr) = run(&["reproduce", "mnist", "--resume", &out.display().to_string()]);
    assert!(success, "{stderr}");
    assert!(stderr.contains("goes on after epoch") && stdout.contains("report.html"), "{stdout}{stderr}");
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_early_ends_the_program_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "{} figures '{}' | true; echo ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_cm"),
        folder.path().display()
    );
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(stderr.is_empty(), "{stderr}");
    // Ended by the signal that closed pipes give, or done before the reader left.
    assert!(["141", "0"].contains(&stdout.trim()), "{stdout}");
}

#[test]
fn what_nobody_could_have_chosen_is_refused_in_a_stored_study() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let arguments = small("synthetic", &out);
    assert!(run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).0);
    let config = out.join("config.json");
    let stored = std::fs::read_to_string(&config).unwrap();
    for (good, bad, expected) in [
        ("\"batch_size\": 64", "\"batch_size\": 0", "--batch-size must be at least 1"),
        ("\"width\": 2", "\"width\": 0", "--width must be at least 1"),
        ("\"epochs\": 2", "\"epochs\": 0", "--epochs must be at least 1"),
        ("\"learning_rate\": 0.0015", "\"learning_rate\": -1.0", "--learning-rate must be"),
        (
            "\"feature_dims\": [\n        2",
            "\"feature_dims\": [\n        0",
            "--feature-dim must be at least 1",
        ),
        ("\"kind\": \"one-cycle\"", "\"kind\": \"step\", \"epochs\": 0, \"factor\": 0.1", "at least 1"),
        ("\"width\": 2", "\"breadth\": 2", "config.json"),
    ] {
        assert!(stored.contains(good), "{good} is not in {stored}");
        std::fs::write(&config, stored.replacen(good, bad, 1)).unwrap();
        let (success, _, stderr) = run(&["reproduce", "mnist", "--resume", &out.display().to_string()]);
        assert!(!success && stderr.contains(expected) && !stderr.contains("panicked"), "{bad}: {stderr}");
    }
    std::fs::write(&config, stored).unwrap();
    assert!(run(&["reproduce", "mnist", "--resume", &out.display().to_string()]).0);
}

/// Four IDX files like those of MNIST are refused by their checksums: nothing else is MNIST, wherever it lies and however
/// its place is written.
#[test]
fn a_folder_of_data_is_found_however_its_place_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("with space").join("mnist");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("train-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 1, 7]).unwrap();
    let out = folder.path().join("out").display().to_string();
    let absolute = place.parent().unwrap().display().to_string();
    let forms = [
        (Some(absolute.as_str()), None),
        (Some("with space"), None),
        (Some("./with space/mnist/.."), None),
        (None, Some(absolute.as_str())),
        (None, Some("with space")),
    ];
    for (option, variable) in forms {
        let mut command = cm(&["reproduce", "mnist", "--out", &out]);
        command.current_dir(folder.path());
        command.args(option.iter().flat_map(|place| ["--data-dir", place]));
        command.envs(variable.iter().map(|place| ("CM_DATA_DIR", place)));
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{option:?} {variable:?}");
        assert!(stderr.contains("train-labels-idx1-ubyte"), "{option:?} {variable:?}: {stderr}");
    }
}

#[cfg(unix)]
#[test]
fn the_command_to_go_on_is_one_that_a_shell_takes() {
    let folder = tempfile::tempdir().unwrap();
    let images = crate::shared::striped(&folder.path().join("it's mine"), &["train"], 12);
    let out = folder.path().join("an out");
    let [data, text] = [&images, &out].map(|path| path.display().to_string());
    let options = "--backbone lenet++ --width 2 --epochs 500 --batch-size 8 --workers 1 --out";
    let arguments: Vec<&str> =
        ["train", &data].into_iter().chain(options.split_whitespace()).chain([text.as_str()]).collect();
    let child = cm(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while !out.join("runs/cosface-d128-s0/epochs.json").exists() && start.elapsed() < Duration::from_secs(60)
    {
        thread::sleep(Duration::from_millis(5));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let command = stderr.split('`').nth(1).unwrap_or_else(|| panic!("no command in {stderr}"));
    let rest = command.strip_prefix("cm ").unwrap_or_else(|| panic!("{command}"));
    // As many epochs as were done: nothing is left but to test.
    let curve = std::fs::read_to_string(out.join("runs/cosface-d128-s0/epochs.json")).unwrap();
    let done = curve.matches("\"epoch\"").count();
    for file in ["config.json", "results.json"] {
        let stored = std::fs::read_to_string(out.join(file)).unwrap();
        std::fs::write(out.join(file), stored.replace("\"epochs\": 500", &format!("\"epochs\": {done}")))
            .unwrap();
    }
    let script = format!("'{}' {rest}", env!("CARGO_BIN_EXE_cm"));
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}
