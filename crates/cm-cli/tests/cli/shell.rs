//! `cm completions` and `cm man`, and what every command says of itself.

use crate::shared::{refused, run};

const COMMANDS: [&str; 19] = [
    "train",
    "eval",
    "verify",
    "predict",
    "score",
    "embed",
    "calibrate",
    "export",
    "diagnose",
    "data",
    "serve",
    "list",
    "reproduce",
    "study",
    "rehearse",
    "report",
    "completions",
    "man",
    "figures",
];

#[test]
fn shells_and_the_manual_know_every_command() {
    let (_, help, _) = run(&["--help"]);
    for shell in ["bash", "zsh", "fish"] {
        let (success, script, stderr) = run(&["completions", shell]);
        assert!(success && COMMANDS.iter().all(|command| script.contains(command)), "{shell}: {stderr}");
    }
    assert!(refused(&["completions", "abacus"]).contains("bash"));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man");
    assert!(run(&["man", &out.display().to_string()]).0);
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
        let page = std::fs::read_to_string(out.join(format!("cm-{command}.1"))).unwrap();
        assert!(page.contains(".TH"), "{command}");
    }
    assert!(out.join("cm.1").is_file() && out.join("cm-data-check.1").is_file());
    let taken = folder.path().join("file");
    std::fs::write(&taken, "").unwrap();
    assert!(refused(&["man", &taken.display().to_string()]).contains("manual pages cannot be written"));
}

#[test]
fn every_command_has_an_example_and_every_choice_its_values() {
    let inner = ["data check", "data example", "reproduce mnist", "reproduce signs"];
    for command in COMMANDS.into_iter().chain(inner) {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let (success, help, stderr) = run(&words);
        assert!(success && help.contains("\nExample") && help.contains("  cm "), "{command}: {help}{stderr}");
    }
    let (_, help, _) = run(&["train", "--help"]);
    for choices in [
        "CM-CosFace",
        "lenet++, cifar-resnet, resnet18, resnet50",
        "sgd, adam-w",
        "one-cycle",
        "stretch, crop, fit, none",
        "natural, balanced",
    ] {
        assert!(help.contains(choices), "{choices} is not in {help}");
    }
    let (success, settings, stderr) = run(&[
        "train",
        "--print-config",
        "--loss",
        "cm_cosface",
        "--optimizer",
        "AdamW",
        "--schedule",
        "ONE_CYCLE",
    ]);
    assert!(success, "{stderr}");
    for line in ["name = \"CM-CosFace\"", "optimizer = \"adam-w\"", "schedule = \"one-cycle\""] {
        assert!(settings.contains(line), "{line} is not in {settings}");
    }
}
