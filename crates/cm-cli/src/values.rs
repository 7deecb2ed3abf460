//! Values that an option can have: help lists them, and what is none of them is refused with them.
//!
//! One rule for all: names are written as help lists them, and case, hyphens and underscores do not matter. `cm-cosface`,
//! `CM_CosFace` and `CM-CosFace` are one loss, `adamw` and `adam-w` one optimizer.

use std::ffi::OsStr;

use clap::{
    Arg, Command,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use cm_data::Degradation;
use cm_loss_core::Preset;
use cm_models::BackboneConfig;
use cm_train::{
    device::{Backend, Devices},
    evaluation::Views,
};
use serde::de::DeserializeOwned;

/// Reads one of some names as a value.
#[derive(Clone)]
pub struct OneOf<T: 'static> {
    names: Vec<&'static str>,
    value: fn(&str) -> Option<T>,
}

impl<T: 'static> OneOf<T> {
    fn new(names: impl IntoIterator<Item = &'static str>, value: fn(&str) -> Option<T>) -> Self {
        Self { names: names.into_iter().collect(), value }
    }
}

/// What is left of a name when spelling does not matter.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for OneOf<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let asked = value.to_str().map(plain);
        let found = self.names.iter().find(|name| asked.as_deref() == Some(plain(name).as_str()));
        if let Some(value) = found.and_then(|name| (self.value)(name)) {
            return Ok(value);
        }
        // The usual complaint, with what there is and what may have been meant.
        let refused = PossibleValuesParser::new(self.names.clone()).parse_ref(command, arg, value);
        Err(refused.err().unwrap_or_else(|| clap::Error::new(clap::error::ErrorKind::InvalidValue)))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names.iter().map(|name| PossibleValue::new(*name))))
    }
}

/// The losses.
pub fn loss() -> OneOf<Preset> {
    OneOf::new(Preset::ALL.iter().map(|preset| preset.name()), |name| name.parse().ok())
}

/// The losses, and all of them.
pub fn losses<T: std::str::FromStr>() -> OneOf<T> {
    let names = Preset::ALL.iter().map(|preset| preset.name()).chain(["all"]);
    OneOf::new(names, |name| name.parse().ok())
}

/// The backends.
pub fn backend() -> OneOf<Backend> {
    OneOf::new(Backend::ALL.map(Backend::name), |name| name.parse().ok())
}

/// One device.
pub fn device(text: &str) -> Result<Devices, String> {
    let devices: Devices = text.parse().map_err(|error: cm_train::Error| error.to_string())?;
    match devices.numbers() {
        [] | [_] => Ok(devices),
        _ => {
            Err("it names several devices; --device takes one, and a training takes more by --devices"
                .to_owned())
        }
    }
}

/// The backbones.
pub fn backbone() -> OneOf<String> {
    OneOf::new(BackboneConfig::all().iter().map(BackboneConfig::name), |name| Some(name.to_owned()))
}

/// Ways to degrade images.
pub fn degradation() -> OneOf<Degradation> {
    OneOf::new(Degradation::ALL.map(Degradation::name), |name| name.parse().ok())
}

/// A choice that settings name as serde does.
pub fn named<T: DeserializeOwned>(names: impl IntoIterator<Item = &'static str>) -> OneOf<T> {
    OneOf::new(names, |name| serde_json::from_value(serde_json::Value::from(name)).ok())
}

/// A rate of errors.
pub fn rate(text: &str) -> Result<f64, String> {
    let rate = text.trim().parse::<f64>().ok().filter(|rate| *rate > 0.0 && *rate < 1.0);
    rate.ok_or_else(|| "give numbers between 0 and 1, such as 1e-3".to_owned())
}

/// What a network can look at of an image whose mirror image shows the same: it alone, or both.
pub fn mirrored() -> OneOf<Views> {
    named(["one", "flip"])
}

#[cfg(test)]
mod tests {
    use cm_data::{Resize, Sampling};
    use cm_models::Stem;

    use super::*;
    use crate::commands::train::{Optimizer, ScheduleName};

    fn read<T: Clone + std::fmt::Debug + Send + Sync + 'static>(
        choices: &OneOf<T>,
        text: &str,
    ) -> Result<T, String> {
        let command = Command::new("cm");
        choices.parse_ref(&command, None, OsStr::new(text)).map_err(|error| error.to_string())
    }

    /// Every name that is listed has a value, however it is spelled.
    fn each_is_read<T: Clone + std::fmt::Debug + Send + Sync + 'static>(choices: &OneOf<T>) {
        for name in &choices.names {
            for spelled in [(*name).to_owned(), name.to_uppercase(), name.replace('-', "_"), plain(name)] {
                assert!(read(choices, &spelled).is_ok(), "{spelled}");
            }
        }
        let listed: Vec<String> =
            choices.possible_values().expect("listed").map(|value| value.get_name().to_owned()).collect();
        assert_eq!(listed, choices.names);
        let error = read(choices, "no-such-choice").expect_err("refused");
        assert!(choices.names.iter().all(|name| error.contains(name)), "{error}");
    }

    #[test]
    fn names_are_read_however_they_are_spelled_and_nothing_else_is() {
        each_is_read(&loss());
        each_is_read(&losses::<crate::applications::options::Losses>());
        each_is_read(&backend());
        each_is_read(&backbone());
        each_is_read(&degradation());
        each_is_read(&named::<Optimizer>(Optimizer::NAMES));
        each_is_read(&named::<ScheduleName>(ScheduleName::NAMES));
        each_is_read(&named::<Stem>(crate::commands::train::STEMS));
        each_is_read(&named::<Resize>(crate::commands::train::RESIZES));
        each_is_read(&named::<Sampling>(crate::commands::train::SAMPLINGS));
        assert!(device("FLEX:0").is_ok() && device("flex:0,0").is_err());
        let error = read(&loss(), "CM-CosFaze").expect_err("refused");
        assert!(error.contains("CM-CosFace"), "{error}");
    }
}
