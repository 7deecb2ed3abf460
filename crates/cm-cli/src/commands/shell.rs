//! `cm completions` and `cm man`: what a shell and a reader know of the program.

use std::{fs, io, path::Path};

use clap::Command;
use clap_complete::aot::{Shell, generate};

use crate::error::CliError;

/// Prints what a shell needs to complete the commands.
pub fn completions(shell: Shell, mut program: Command) {
    let name = program.get_name().to_owned();
    generate(shell, &mut program, name, &mut io::stdout());
}

/// Writes a manual page for each command into a folder, `cm.1`, `cm-train.1` and so on.
pub fn manual(program: Command, folder: &Path) -> Result<(), CliError> {
    let pages = || clap_mangen::generate_to(program.disable_help_subcommand(true), folder);
    fs::create_dir_all(folder).and_then(|()| pages()).map_err(|error| {
        CliError::Said(format!("the manual pages cannot be written into {}: {error}", folder.display()))
    })
}
