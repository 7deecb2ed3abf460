//! Variants without fields, read from a configuration.

use serde::{Deserialize, Deserializer};

/// Reads what stands beside the name of a variant without fields: nothing.
///
/// In an enum whose variants are named by a tag, serde reads over whatever stands beside such a name, `deny_unknown_fields` or
/// not. A scale for a part that has none would then be lost without a word.
///
/// # Errors
///
/// If a field is there.
pub(crate) fn no_fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    Nothing::deserialize(deserializer).map(|Nothing {}| ())
}
