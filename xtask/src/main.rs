//! `cargo xtask <command>`: starts cargo, and the `cm` program, with the right features. It has no dependencies,
//! since everybody waits for it first.

mod bench;
mod cargo;
mod ci;
mod cm;
mod doc;
mod fuzz;
mod release;
mod soak;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

  train DATA [--out FOLDER] [OPTIONS]          train a classifier on your images; --help lists the options
  eval MODEL DATA [OPTIONS]                    test a model on images with known classes
  verify MODEL PAIRS [OPTIONS]                 test a model on pairs of images: are they of the same person?
  predict|score|embed MODEL FILES [OPTIONS]    classes, quality or features of images
  calibrate|diagnose MODEL DATA [OPTIONS]      from norm to quality, and whether the norm tells it
  export MODEL ONNX [OPTIONS]                  write a model as ONNX
  data check DATA [OPTIONS]                    what is wrong with images before anybody learns from them
  list losses|backbones|devices                what there is to choose from
  reproduce mnist|signs|nodules|faces [OPTIONS]     train and compare the losses; --help lists the options
  study FILE [OPTIONS]                         compare losses of your own choice on data of known quality
  rehearse [--classes N] [OPTIONS]             what a training of very many identities takes, without their images
  report FOLDER                                rebuild tables and pictures of a study, without training
  figures [FOLDER]                             draw the formulas for the documents (docs/pictures)
  bench step [--json] [OPTIONS]                time of a training step with each head
  bench step --against-torch [--python PATH]   the same beside PyTorch
  bench head [--json] [OPTIONS]                time and memory of a loss over many classes, class by class and not
  bench head --against-torch [--python PATH]   the same beside PyTorch
  bench data [--json] [OPTIONS]                images/s from files to batches
  bench data --against-torch [--python PATH]   the same beside torchvision
  profile step [OPTIONS]                       where the time of a training step goes, by perf (Linux)
  bench heads [FILTER]                         time of each head by itself, with criterion
  bench heads --ratios                         the same as multiples of Burn's linear layer and cross entropy
  soak kill [--times N] [--seed S] [--data FOLDER]
                                               kills trainings at random moments, lets them go on, and compares
  soak memory [--epochs N]                     whether a long training takes more and more memory
  fuzz [--minutes N] [--target NAME] [--jobs N]
                                               readers of files against files that are made up (libFuzzer)
  fuzz --keep [--target NAME]                  keeps some of the files that reach most, for the tests
  doc                                          reference of the crates
  release-check [--quick]                      whether every crate can be published and built from its package alone
  ci                                           formatting, lints, tests, documentation and a study
  ci ndarray                                   tests of the formulas and of the layers on ndarray
  ci wgpu                                      formulas, networks and the program on wgpu, where there is a Vulkan driver
  ci web                                       the page of examples/web in Chromium beside the program, where there is one
  ci features                                  type-checks the loss library with the mixes of features that matter
  ci backends                                  type-checks the backends ndarray, wgpu, vulkan and cuda

Backends: flex (CPU, the default), ndarray (CPU), wgpu, vulkan, metal, cuda, rocm.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        [command, ..] if cm::COMMANDS.contains(&command) => cm::run(&arguments),
        ["bench", name @ ("step" | "head" | "data"), ..] => bench::one(name, &arguments[2..]),
        ["profile", "step", ..] => bench::profile_step(&arguments[2..]),
        ["bench", "heads", ..] => bench::heads(&arguments[2..]),
        ["soak", "kill", ..] => soak::kill(&arguments[2..]),
        ["soak", "memory", ..] => soak::memory(&arguments[2..]),
        ["fuzz", ..] => fuzz::run(&arguments[1..]),
        ["doc"] => doc::run(),
        ["release-check"] => release::check(false),
        ["release-check", "--quick"] => release::check(true),
        ["ci"] => ci::run(),
        ["ci", "features"] => ci::features(),
        ["ci", "backends"] => ci::backends(),
        ["ci", "ndarray"] => ci::ndarray(),
        ["ci", "wgpu"] => ci::wgpu(),
        ["ci", "web"] => ci::web(),
        [] | ["help" | "--help" | "-h", ..] => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => Err(format!("there is no command \"{}\"\n\n{HELP}", words.join(" "))),
    };
    match result {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
