//! How every study begins: its folder, its data, its runs.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use burn::train::Interrupter;
use cm_record::{DataRecord, SplitRecord};
use cm_train::{
    Error,
    study::{self as studies, Study},
    training::{Display, at_least_one},
};

use super::{
    common,
    options::StudyOptions,
    places::{shown, user_folder},
    plan::Choices,
};
use crate::error::CliError;

/// Where data came from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Name of the data set in every table and picture.
    pub name: Cow<'static, str>,
    /// Where it came from, as a person would say it, without a path.
    pub source: String,
    /// Where it was found.
    pub place: String,
    /// What a person should know before it is used: that it is not what was looked for.
    pub notice: Option<String>,
    /// Checksums of the content.
    pub checksums: BTreeMap<String, String>,
}

impl Origin {
    /// Of data that the program draws.
    pub fn drawn(name: &'static str, seed: u64, checksums: BTreeMap<String, String>) -> Self {
        Self {
            name: name.into(),
            source: format!("drawn by the program with seed {seed}"),
            place: format!("drawn with seed {seed}"),
            notice: None,
            checksums,
        }
    }

    /// As records have it, with parts of so many images.
    pub fn record(self, splits: Vec<(String, usize)>, facts: Vec<(String, String)>) -> DataRecord {
        let split = |(name, images)| SplitRecord { name, images, checksum: None };
        DataRecord {
            name: self.name.into_owned(),
            source: self.source,
            checksums: self.checksums,
            splits: splits.into_iter().map(split).collect(),
            left_out: Vec::new(),
            facts,
        }
    }
}

/// Data that a study is about.
pub trait Found {
    /// Where they came from.
    fn origin(&mut self) -> &mut Origin;
}

/// How data are looked for.
pub struct Search<'a> {
    /// The folder that holds them, if the user named one.
    pub data_dir: Option<&'a Path>,
    /// Whether the choice of data was made before and cannot be changed.
    pub resumed: bool,
    /// Whether a download shows a progress bar.
    pub progress: bool,
    /// Stops a download.
    pub interrupter: &'a Interrupter,
}

/// What is said of data that are nowhere.
pub struct Nowhere<'a> {
    /// `GTSRB is`
    pub what_is: &'a str,
    /// Folders that were looked at.
    pub looked: Vec<PathBuf>,
    /// What is drawn in their place: `signs`
    pub drawn: &'a str,
    /// What has to be put where, for one who has the data; `PLACE` stands for the user's folder of this name.
    pub remedy: (&'a str, &'a str),
}

impl Nowhere<'_> {
    /// Drawn data, with a notice; or the error, where nothing else than the real data will do.
    ///
    /// # Errors
    ///
    /// What to put where.
    pub fn draw<D: Found>(
        self,
        insisted: bool,
        search: &Search<'_>,
        draw: impl FnOnce() -> D,
    ) -> Result<D, CliError> {
        let Self { what_is, looked, drawn, remedy: (remedy, folder) } = self;
        let looked = shown(&looked);
        if !insisted {
            let mut data = draw();
            data.origin().notice = Some(format!(
                "{what_is} not on this machine (looked at {looked}): training on synthetic {drawn} instead"
            ));
            return Ok(data);
        }
        let place = user_folder(folder).map(|folder| folder.display().to_string()).unwrap_or_default();
        let stand_in = if search.resumed { "" } else { "; or use --data synthetic" };
        Err(CliError::Said(format!(
            "{what_is} not on this machine (looked at {looked}). {}, and give the folder above it by --data-dir or CM_DATA_DIR{stand_in}",
            remedy.replace("PLACE", &format!("{place} or a folder named {folder}"))
        )))
    }
}

/// The study of an application: networks that learn from data of known quality.
pub trait Application: Study + Sized {
    /// Its name in records.
    const NAME: &'static str;
    /// What is chosen before it begins.
    type Config: Choices;
    /// Its data.
    type Data: Found;

    /// Finds or draws the data.
    ///
    /// # Errors
    ///
    /// Data that are damaged, or that were insisted on and are not there.
    fn load(config: &Self::Config, search: &Search<'_>) -> Result<Self::Data, CliError>;

    /// Has a resumed study find again what was found.
    fn settle(config: &mut Self::Config, found: &Origin);

    /// Makes what is trained on the data.
    ///
    /// # Errors
    ///
    /// Data that this cannot be made of.
    fn of(config: Self::Config, data: Self::Data) -> Result<Self, CliError>;

    /// What is said of the data before the first training.
    fn told(&self) -> Option<String> {
        None
    }
}

/// The facts of a record in one line.
pub fn facts(record: &DataRecord) -> String {
    let facts: Vec<String> = record.facts.iter().map(|(name, value)| format!("{value} {name}")).collect();
    facts.join(", ")
}

/// Runs a study with what `choose` makes of a profile, or of a study that has begun, and prints its table. `command` is what goes on
/// with it.
///
/// # Errors
///
/// Whatever keeps it from ending.
pub fn start<A: Application>(
    asked: &StudyOptions,
    choose: impl FnOnce(A::Config) -> Result<A::Config, Error>,
    command: &[&str],
) -> Result<(), CliError> {
    at_least_one("jobs", asked.jobs)?;
    let mut session = asked.session.open(asked.retry_diverged)?;
    session.jobs = asked.jobs;
    let (folder, mut config, new) = asked.open(A::NAME, choose)?;
    session.resume = asked.resume_command(command, &folder);
    let search = Search {
        data_dir: asked.data_dir.as_deref(),
        resumed: !new,
        progress: session.display == Display::Bar,
        interrupter: &session.interrupter,
    };
    let mut data = A::load(&config, &search)?;
    let origin = data.origin();
    if let Some(notice) = &origin.notice {
        eprintln!("{notice}");
    }
    let is_quiet = session.display == Display::Quiet;
    if !is_quiet {
        eprintln!("{}: {}", origin.name, origin.place);
    }
    if new {
        A::settle(&mut config, origin);
    }
    let study = A::of(config, data)?;
    if let Some(told) = study.told().filter(|_| !is_quiet) {
        eprintln!("{told}");
    }
    let results = studies::run(&session, &folder, &study)?;
    common::finish(folder.path(), &results, asked.session.json)
}
