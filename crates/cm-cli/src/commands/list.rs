//! `cm list`: what there is to choose from.

use clap::{Args, ValueEnum};
use cm_loss_core::{HeadConfig, Preset};
use cm_models::BackboneConfig;
use cm_train::device::{Backend, Devices, Place};
use serde_json::{Value, json};

use crate::error::CliError;

/// Options of `cm list`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cm list losses\n  cm list devices --json")]
pub struct Options {
    /// What to list
    #[arg(value_enum, ignore_case = true)]
    what: What,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Values of --loss
    Losses,
    /// Values of --backbone
    Backbones,
    /// Values of --backend and --device, and whether they can be used here
    Devices,
}

/// Lists it.
pub fn run(options: &Options) -> Result<(), CliError> {
    let entries = match options.what {
        What::Losses => losses(),
        What::Backbones => backbones(),
        What::Devices => devices(),
    };
    if options.json {
        let objects: Vec<Value> =
            entries.iter().map(|(name, about)| json!({"name": name, "about": about})).collect();
        println!("{}", Value::Array(objects));
        return Ok(());
    }
    let width = entries.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, about) in entries {
        println!("{name:<width$}  {about}");
    }
    Ok(())
}

fn losses() -> Vec<(String, String)> {
    Preset::ALL.iter().map(|preset| (preset.name().to_owned(), parts(&preset.config()))).collect()
}

/// The parts of a head with their numbers, as a configuration has them.
fn parts(head: &HeadConfig) -> String {
    let config = serde_json::to_value(head).unwrap_or_default();
    let of = |part: &str| -> Option<String> {
        let part = config.get(part)?.as_object()?;
        let kind = part.get("kind")?.as_str()?;
        let number = |(name, value): (&String, &Value)| value.is_number().then(|| format!("{name} {value}"));
        let numbers: Vec<String> = part.iter().filter_map(number).collect();
        Some(if numbers.is_empty() { kind.to_owned() } else { format!("{kind} ({})", numbers.join(", ")) })
    };
    let named = [
        ("norm map", of("norm_map")),
        ("margin", of("margin")),
        ("regularizer", of("regularizer")),
        ("loss", of("loss")),
    ];
    let parts =
        named.into_iter().filter_map(|(name, part)| Some((name, part.filter(|part| part != "none")?)));
    let told: Vec<String> = parts.map(|(name, part)| format!("{name} {part}")).collect();
    match head {
        HeadConfig::Linear(_) => "a linear layer with bias".to_owned(),
        HeadConfig::SphereFace2(_) => format!("each class against all others, {}", told.join(", ")),
        _ => told.join(", "),
    }
}

fn backbones() -> Vec<(String, String)> {
    let about = |backbone: &BackboneConfig| match backbone {
        BackboneConfig::LeNetPp(_) => "six convolutions and PReLU, for small images such as digits and signs",
        BackboneConfig::CifarResNet(_) => {
            "8 layers or more with shortcuts, for images of about 32 x 32 pixels"
        }
        BackboneConfig::ResNet3d(_) => "the same in three dimensions, for volumes such as those of MedMNIST",
        BackboneConfig::ResNet18(_) => "18 layers with shortcuts; takes weights of torchvision (--init)",
        BackboneConfig::ResNet50(_) => "50 layers with shortcuts; takes weights of torchvision (--init)",
        BackboneConfig::SphereFace20(_) => "20 layers with shortcuts, for faces",
        BackboneConfig::IResNet18(_) => {
            "18 layers with shortcuts, for faces; takes weights of insightface (--init)"
        }
        BackboneConfig::IResNet34(_) => "the same with 34 layers",
        BackboneConfig::IResNet50(_) => "the same with 50 layers",
        BackboneConfig::IResNet100(_) => "the same with 100 layers",
        BackboneConfig::MobileFaceNet(_) => {
            "depthwise convolutions, for faces on small devices; takes weights of insightface (--init)"
        }
    };
    BackboneConfig::all()
        .iter()
        .map(|backbone| (backbone.name().to_owned(), about(backbone).to_owned()))
        .collect()
}

/// Every device by the name that `--device` takes; of a backend that cannot be used, why.
fn devices() -> Vec<(String, String)> {
    let of = |backend: Backend| -> Vec<(String, String)> {
        let ready = backend.device().and_then(|_| backend.found());
        match (backend.is_compiled_in(), ready) {
            (false, _) => {
                vec![(backend.to_string(), format!("not built in: the Cargo feature {backend}"))]
            }
            (true, Err(error)) => vec![(backend.to_string(), error.to_string())],
            (true, Ok(found)) => (0..found.len())
                .map(|number| {
                    (Devices::new(Place::Here(backend), vec![number]).to_string(), "ready".to_owned())
                })
                .collect(),
        }
    };
    let mut found: Vec<(String, String)> = Backend::ALL.into_iter().flat_map(of).collect();
    let servers = if cfg!(feature = "remote") {
        "devices of a server (`cm serve`)"
    } else {
        "not built in: the Cargo feature remote"
    };
    found.push(("ws://HOST:PORT".to_owned(), servers.to_owned()));
    // What can be used stands first.
    found.sort_by_key(|(_, about)| about != "ready");
    found
}
