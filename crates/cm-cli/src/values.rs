//! Values that an option can have: help lists them, and what is none of them is refused with them.

use std::{error::Error, str::FromStr};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use cm_loss_core::Preset;
use cm_models::BackboneConfig;
use cm_train::device::Backend;

/// Values by their names.
fn one_of<T>(names: impl IntoIterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}

/// The losses.
pub fn loss() -> impl TypedValueParser<Value = Preset> {
    one_of(Preset::ALL.iter().map(|preset| preset.name()))
}

/// The losses, and all of them.
pub fn losses<T>() -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    one_of(Preset::ALL.iter().map(|preset| preset.name()).chain(["all"]))
}

/// The backends.
pub fn backend() -> impl TypedValueParser<Value = Backend> {
    one_of(Backend::ALL.map(Backend::name))
}

/// The backbones.
pub fn backbone() -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(BackboneConfig::all().map(|backbone| backbone.name()))
}
