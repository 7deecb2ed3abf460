//! How files of settings are read, and how checksums are written.

use std::{fs, path::Path};

use serde::de::DeserializeOwned;

use crate::error::CliError;

/// What a TOML file holds.
///
/// # Errors
///
/// [`CliError::Settings`] with line and column, also for a key that is not known.
pub fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T, CliError> {
    let settings = |reason: String| CliError::Settings { path: path.to_owned(), reason };
    let text = fs::read_to_string(path).map_err(|error| {
        settings(format!("{error}; name a TOML file that can be read: `--help` says what is in it"))
    })?;
    toml::from_str(&text).map_err(|error| settings(error.to_string().trim_end().to_owned()))
}

/// Bytes in hexadecimal, as checksums are written.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
