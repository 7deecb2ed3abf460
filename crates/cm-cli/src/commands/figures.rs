//! `cm figures`: the pictures of formulas in the documents.

use std::path::Path;

use crate::{error::CliError, figures};

/// Draws the formulas, or what was measured with many classes.
pub fn run(folder: &Path, many_classes: Option<&Path>) -> Result<(), CliError> {
    let files = match many_classes {
        Some(measured) => figures::draw_many_classes(measured, folder)?,
        None => figures::draw_formulas(folder)?,
    };
    for file in files {
        println!("{}", file.display());
    }
    Ok(())
}
