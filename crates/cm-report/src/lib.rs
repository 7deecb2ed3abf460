//! Tables, pictures and a web page, made from the record of a study, never from a live model.
//!
//! The record says by its [`Layout`](cm_record::Layout) how its figures are arranged: no application is known here.

pub mod chart;
mod comparisons;
mod error;
mod figures;
mod html;
mod narrative;
mod summary;
mod table;
mod typeface;

use std::{
    fs,
    path::{Path, PathBuf},
};

use cm_record::{FeatureTable, RecordError, Results, files::write_atomically, results_csv};

pub use error::ReportError;
pub use figures::{ContactImage, ContactRow, confusion, contact_sheet, reliability};
pub use table::summary_table;

/// Name of the page in its folder.
const PAGE: &str = "report.html";

/// What a picture shows, which is also where the report places it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Accuracy of the losses.
    Accuracy,
    /// Features in two dimensions.
    Features,
    /// The norm of the features.
    Norm,
    /// What happened while training.
    LearningCurves,
    /// Anything else.
    Other,
}

/// A picture with its caption.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What it shows.
    pub kind: Kind,
    /// Name of its files, without extension.
    pub name: String,
    /// What stands below it.
    pub caption: String,
    svg: String,
}

/// Makes the report of a folder from its record and the features that are stored there: `results.csv`, every picture as SVG
/// and PNG, and `report.html`. `extra` pictures go onto the page as well. Returns the files written.
///
/// Features that are not there are no error: the picture of two-dimensional features is left out.
///
/// # Errors
///
/// When a features file is damaged, a picture cannot be drawn, a file cannot be written, or [`ReportError::NotOurs`].
/// Each file is written whole or not at all.
pub fn write_report(folder: &Path, results: &Results, extra: &[Figure]) -> Result<Vec<PathBuf>, ReportError> {
    let page = folder.join(PAGE);
    if fs::read_to_string(&page).is_ok_and(|text| !text.contains(html::GENERATOR)) {
        return Err(ReportError::NotOurs { path: page });
    }
    let features = results.runs.iter().map(|run| {
        let path = folder.join(run.features_file.as_ref()?);
        path.is_file().then(|| FeatureTable::read(&path))
    });
    let features: Vec<Option<FeatureTable>> = features.map(Option::transpose).collect::<Result<_, _>>()?;
    let mut figures = figures::draw(results, &features)?;
    figures.extend_from_slice(extra);

    let csv = folder.join("results.csv");
    write(&csv, &results_csv(results)?)?;
    let mut written = vec![csv];
    written.extend(write_figures(folder, &figures)?);
    write(&page, html::page(results, &figures).as_bytes())?;
    written.push(page);
    Ok(written)
}

/// Writes pictures into a folder, each as SVG and PNG. Returns the files written.
///
/// # Errors
///
/// When a picture cannot be turned into pixels, or a file cannot be written.
pub fn write_figures(folder: &Path, figures: &[Figure]) -> Result<Vec<PathBuf>, ReportError> {
    let mut written = Vec::new();
    for figure in figures {
        let svg = typeface::embedded(&figure.svg);
        for (extension, content) in
            [("svg", svg.into_bytes()), ("png", figures::png(&figure.name, &figure.svg)?)]
        {
            let path = folder.join(format!("{}.{extension}", figure.name));
            write(&path, &content)?;
            written.push(path);
        }
    }
    Ok(written)
}

fn write(path: &Path, content: &[u8]) -> Result<(), ReportError> {
    Ok(write_atomically(path, content).map_err(RecordError::io("write", path))?)
}
