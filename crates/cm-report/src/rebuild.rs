//! A report made anew from what is in the folder of a study.

use std::path::{Path, PathBuf};

use cm_record::{FeatureTable, FolderLock, RecordError, Results};

use crate::{ReportError, figure::kept, figures, write_all};

/// What a report was made anew from, and what was written.
#[derive(Debug)]
pub struct Rebuilt {
    /// The record.
    pub results: Results,
    /// The files written.
    pub files: Vec<PathBuf>,
    /// Features files that the record names and that are not there.
    pub missing: Vec<PathBuf>,
}

/// Makes the report of a folder anew from its record and the features that are stored there,
/// without training.
///
/// The pictures that an application added to the report are taken over onto the new page. Features
/// that are not there are no error: their picture is left out, and the page says so.
///
/// # Errors
///
/// [`RecordError::Locked`] while a study writes to the folder, what [`Results::read`] finds wrong,
/// a features file that is damaged, and what [`write_report`](crate::write_report) gives.
pub fn rebuild(folder: &Path) -> Result<Rebuilt, ReportError> {
    rebuild_from(folder, Results::read)
}

/// [`rebuild`] of a record that is read in another way, such as one of an older format.
///
/// # Errors
///
/// Those of [`rebuild`], and of `read`.
pub fn rebuild_from(
    folder: &Path,
    read: impl FnOnce(&Path) -> Result<Results, RecordError>,
) -> Result<Rebuilt, ReportError> {
    // Before the lock, which leaves a file: a wrong folder stays as it was.
    let path = folder.join(cm_record::RESULTS_FILE);
    if !path.is_file() {
        return Err(RecordError::Missing { path }.into());
    }
    let _lock = FolderLock::take(folder)?;
    let results = read(folder)?;
    let features = drawn_features(folder, &results)?;
    let files = write_all(folder, &results, &features, &[], &kept(folder)?)?;
    let missing = missing(&results, &features).map(|file| folder.join(file)).collect();
    Ok(Rebuilt { results, files, missing })
}

/// The features that pictures are drawn of, for each run of the record: those of two dimensions.
/// `None` for other runs, and where the file is not there.
///
/// # Errors
///
/// When a features file is damaged.
pub fn drawn_features(folder: &Path, results: &Results) -> Result<Vec<Option<FeatureTable>>, RecordError> {
    let table = |run: &cm_record::RunRecord| {
        let file = run.features_file.as_ref().filter(|_| figures::needs_features(run))?;
        let path = folder.join(file);
        path.is_file().then(|| FeatureTable::read(&path))
    };
    results.runs.iter().map(|run| table(run).transpose()).collect()
}

/// The features files that a picture would need and that were not given.
pub(crate) fn missing<'a>(
    results: &'a Results,
    features: &'a [Option<FeatureTable>],
) -> impl Iterator<Item = &'a str> {
    let runs = results.runs.iter().zip(features);
    let needed = runs.filter(|(run, table)| figures::needs_features(run) && table.is_none());
    needed.filter_map(|(run, _)| run.features_file.as_deref())
}
