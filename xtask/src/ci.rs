//! `cargo xtask ci`: exactly what CI runs.

use std::{
    env, fs,
    path::Path,
    process::{Command, ExitCode},
    time::Instant,
};

use crate::cargo;

pub fn run() -> Result<ExitCode, String> {
    let deny_warnings = [("RUSTDOCFLAGS", "-D warnings")];
    let features = cargo::features(None)?;
    step("formatting", cargo::command(&["fmt", "--all", "--check"]))?;
    step("clippy", cargo::command(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    step("tests", cargo::command(&["test", "--workspace"]))?;
    println!("\nCI: packages");
    crate::release::check(true)?;
    let mut rustdoc = cargo::command(&["doc", "--workspace", "--no-deps"]);
    rustdoc.envs(deny_warnings);
    step("documentation", rustdoc)?;

    let out = env::temp_dir().join(format!("cm-loss-ci-{}", std::process::id()));
    let out_text = out.display().to_string();
    let mut main_job = cargo::command(&["run", "--package", "cm-cli", "--bin", "cm", "--features"]);
    main_job.args([&features, "--", "reproduce", "mnist", "--data", "synthetic", "--out", &out_text]);
    main_job.args(["--train-images", "1500", "--test-images", "300", "--width", "6", "--epochs", "3"]);
    let result = step("main job on synthetic digits", main_job).and_then(|()| check_output(&out));
    // Also after a failure: the folder is temporary.
    let _ = fs::remove_dir_all(&out);
    result?;
    println!("\nCI: everything passed");
    Ok(ExitCode::SUCCESS)
}

/// `cargo xtask ci ndarray`: the tests of the formulas and of the layers on ndarray, the second backend for the CPU. It is
/// apart, since it takes as long to compile as flex.
pub fn ndarray() -> Result<ExitCode, String> {
    // Of the whole workspace, so that what does not depend on the backend is not compiled again.
    let mut test = cargo::command(&["test", "--workspace"]);
    for tests in ["core", "kernels", "models"] {
        test.args(["--test", tests]);
    }
    test.args(["--features", "cm-kernels/test-ndarray,cm-loss-core/test-ndarray,cm-models/test-ndarray"]);
    step("tests on ndarray", test)?;
    Ok(ExitCode::SUCCESS)
}

/// `cargo xtask ci features`: type-checks the loss library with the mixes of its features that matter, with and without what Burn
/// has beside them. Those of GPUs need none for that.
pub fn features() -> Result<ExitCode, String> {
    let mixes = [
        "",
        "flex",
        "ndarray",
        "flex,ndarray",
        "burn/flex",
        "burn/ndarray,flex",
        "flex,burn/optim,burn/train",
        "flex,burn/autotune,burn/fusion",
        "wgpu",
        "wgpu,burn/autotune,burn/fusion",
        "flex,ndarray,wgpu,webgpu,vulkan,metal,cuda,rocm",
    ];
    for mix in mixes {
        let mut check = cargo::command(&["check", "--package", "cm-loss-core", "--lib", "--features", mix]);
        check.env("RUSTFLAGS", "--deny warnings");
        // The CUDA compiler's build script downloads LLVM, which linking needs and a check does not.
        check.env("DOCS_RS", "1");
        // Apart, for other flags: what the tests are built from stays as it is.
        check.args(["--target-dir", "target/features"]);
        step(&format!("features \"{mix}\""), check)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `cargo xtask ci wgpu`: the tests of the formulas, of the networks and of the whole program on wgpu, where there is a Vulkan
/// driver, if only one that computes on the CPU.
pub fn wgpu() -> Result<ExitCode, String> {
    let Some(driver) = vulkan_driver() else {
        println!(
            "CI: the tests on wgpu were skipped: there is no Vulkan driver here (on Debian, mesa-vulkan-drivers has one \
             for the CPU)"
        );
        return Ok(ExitCode::SUCCESS);
    };
    println!("CI: Vulkan driver {driver}");
    let test = |arguments: &[&str]| {
        let mut test = cargo::command(&["test", "--profile", "parity"]);
        test.args(arguments);
        if env::var_os("XDG_RUNTIME_DIR").is_none() {
            test.env("XDG_RUNTIME_DIR", env::temp_dir());
        }
        test
    };
    // Formulas and networks without `autotune`, which tries every kernel: on a CPU that takes longer than all the rest.
    let formulas = test(&["--package", "cm-loss-core", "--features", "test-wgpu", "--test", "core"]);
    step("formulas on wgpu", formulas)?;
    let networks = test(&["--package", "cm-train", "--features", "__wgpu", "--test", "train", "parity"]);
    step("networks on wgpu", networks)?;
    let program =
        ["--package", "cm-train", "--package", "cm-cli", "--features", "cm-train/wgpu,cm-cli/wgpu", "--test"];
    step("the program on wgpu", test(&[&program[..], &["cli", "wgpu"]].concat()))?;
    Ok(ExitCode::SUCCESS)
}

/// `cargo xtask ci web`: the page of `examples/web` in Chromium beside the program, where there are Node.js and Chromium.
pub fn web() -> Result<ExitCode, String> {
    let chromium = env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    let node = Command::new("npm").arg("--version").output().is_ok_and(|output| output.status.success());
    if !node || !Path::new(&chromium).is_file() {
        println!(
            "CI: the page in the browser was skipped: it needs Node.js with npm, and Chromium as {chromium} or where CHROMIUM says"
        );
        return Ok(ExitCode::SUCCESS);
    }
    let page = cargo::root().join("examples/web");
    let mut packages = Command::new("npm");
    packages.args(["ci", "--no-audit", "--no-fund"]).current_dir(&page);
    step("packages of the page", packages)?;
    let (program, folder) = (cargo::program()?, cargo::empty_folder("web")?);
    let [signs, run] = ["signs", "run"].map(|name| folder.join(name));
    let mut draw = Command::new(&program);
    draw.args(["data", "example", "--tracks", "20"]).arg(&signs);
    step("signs for the page", draw)?;
    let mut train = Command::new(&program);
    train.arg("train").arg(&signs).args(["--epochs", "2", "--width", "4", "-q", "--out"]).arg(&run);
    step("a model for the page", train)?;
    let mut images = Vec::new();
    for class in fs::read_dir(signs.join("test")).map_err(|error| error.to_string())?.flatten() {
        images.extend(
            fs::read_dir(class.path()).into_iter().flatten().flatten().map(|entry| entry.path()).take(1),
        );
    }
    images.sort();
    let mut test = Command::new("node");
    test.arg("test.mjs").arg(&program).arg(run.join("model.safetensors")).args(images).current_dir(&page);
    step("the page in the browser", test)?;
    Ok(ExitCode::SUCCESS)
}

/// The first driver that the Vulkan loader would find.
fn vulkan_driver() -> Option<String> {
    if let Some(driver) = env::var_os("VK_DRIVER_FILES").or_else(|| env::var_os("VK_ICD_FILENAMES")) {
        return Some(driver.to_string_lossy().into_owned());
    }
    let folders = ["/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/usr/share/vulkan/icd.d"];
    let files = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    files.map(|file| file.path().display().to_string()).min()
}

/// `cargo xtask ci backends`: type-checks what cannot be tested without its hardware. The first time it takes as long
/// as compiling most of a GPU backend.
pub fn backends() -> Result<ExitCode, String> {
    for mix in ["wgpu", "wgpu,burn/fusion", "flex,ndarray,wgpu", "cuda", "vulkan,burn/wgpu"] {
        let mut check = cargo::command(&["check", "--package", "cm-loss-core", "--lib", "--features", mix]);
        check.env("DOCS_RS", "1");
        step(&format!("loss library with {mix}"), check)?;
    }
    for backend in ["ndarray", "wgpu", "vulkan", "cuda"] {
        let mut check =
            cargo::command(&["check", "--package", "cm-cli", "--all-targets", "--features", backend]);
        // The CUDA compiler's build script downloads LLVM, which linking needs and a check does not.
        check.env("DOCS_RS", "1");
        step(backend, check)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn step(name: &str, command: Command) -> Result<(), String> {
    println!("\nCI: {name}: {command:?}");
    let start = Instant::now();
    let result = cargo::succeed(name, command);
    println!("CI: {name} took {:.0} s", start.elapsed().as_secs_f64());
    result
}

/// Every file of the report is there, and the numbers in it are what a trained network gives.
fn check_output(out: &Path) -> Result<(), String> {
    let read = |name: &str| {
        fs::read_to_string(out.join(name)).map_err(|error| format!("{}: {error}", out.join(name).display()))
    };
    let csv = read("results.csv")?;
    let mut lines = csv.lines();
    let header = lines.next().unwrap_or_default();
    if header != "data,loss,feature_dim,seed,fold,metric,stratum,value,count" {
        return Err(format!("results.csv begins with {header:?}"));
    }
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let accuracies = |stratum: &'static str| {
        rows.iter().filter(move |row| row[5] == "accuracy" && row[6].starts_with(stratum))
    };
    let (found, expected) = (accuracies("severity=").count(), 5 * 2 * 6);
    if found != expected {
        return Err(format!(
            "results.csv has {found} accuracies, not those of 5 losses, 2 dimensions, 5 severities and their mean"
        ));
    }
    for row in accuracies("severity=0").filter(|row| row[2] == "64") {
        let accuracy: f64 = row[7].parse().map_err(|error| format!("accuracy {:?}: {error}", row[7]))?;
        println!("{}: {accuracy} on clean images", row[1]);
        if accuracy < 0.6 {
            return Err(format!("{} learned next to nothing: accuracy {accuracy} on clean images", row[1]));
        }
    }
    let html = read("report.html")?;
    for (name, text) in
        [("results.csv", &csv), ("report.html", &html), ("results.json", &read("results.json")?)]
    {
        if text.contains("MNIST") {
            return Err(format!("{name} calls synthetic digits MNIST"));
        }
    }
    let by_dimension = ["learning-curves", "norm-by-severity", "accuracy-by-severity"];
    let pictures = by_dimension.iter().flat_map(|name| [format!("{name}-64d"), format!("{name}-2d")]);
    let pictures = pictures.chain(["features".to_owned()]);
    for file in pictures.flat_map(|name| [format!("{name}.svg"), format!("{name}.png")]) {
        let size = fs::metadata(out.join(&file)).map_err(|error| format!("{file}: {error}"))?.len();
        println!("{file}: {size} bytes");
    }
    Ok(())
}
