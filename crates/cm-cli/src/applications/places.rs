//! Where data are looked for.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::error::CliError;

/// Where data were found.
pub enum Found {
    /// In this folder.
    In(PathBuf),
    /// Nowhere; these folders were looked at.
    Nowhere(Vec<PathBuf>),
}

/// Looks for data in `--data-dir`, in the folder that the environment variable `CM_DATA_DIR` names, and in the user's
/// data folder; in each below every one of `below`. `remedy` is what has to be put where: `PLACE` stands for the folder.
///
/// # Errors
///
/// A folder named by the user that is not there, or that holds none of the data.
pub fn find(
    name: &str,
    data_dir: Option<&Path>,
    below: &[&str],
    is_there: impl Fn(&Path) -> bool,
    remedy: &str,
) -> Result<Found, CliError> {
    let named = [(data_dir.map(Path::to_owned), "--data-dir"), (named_by_variable(), "CM_DATA_DIR")];
    let mut looked = Vec::new();
    for (path, origin) in named {
        let Some(path) = path else { continue };
        if !path.is_dir() {
            return Err(CliError::Said(format!(
                "the data folder {} ({origin}) does not exist; name the folder that holds {name}",
                path.display()
            )));
        }
        let folders: Vec<PathBuf> = below.iter().map(|below| path.join(below)).collect();
        if let Some(folder) = folders.iter().find(|folder| is_there(folder)) {
            return Ok(Found::In(folder.clone()));
        }
        if origin == "--data-dir" {
            return Err(CliError::Said(format!(
                "there is nothing of {name} in {}: looked at {}. {}",
                path.display(),
                shown(&folders),
                remedy.replace("PLACE", &format!("{} or its folder {}", path.display(), below[0]))
            )));
        }
        looked.extend(folders);
    }
    if let Some(folder) = user_folder(below[0]) {
        if is_there(&folder) {
            return Ok(Found::In(folder));
        }
        looked.push(folder);
    }
    Ok(Found::Nowhere(looked))
}

/// The folder that the environment variable `CM_DATA_DIR` names.
pub fn named_by_variable() -> Option<PathBuf> {
    env::var_os("CM_DATA_DIR").filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Paths separated by commas.
pub fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// A folder of this program in the user's data folder.
pub fn user_folder(name: &str) -> Option<PathBuf> {
    dirs::data_dir().map(|folder| folder.join("cm-loss").join(name))
}
