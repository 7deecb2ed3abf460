//! Tables, pictures and a web page, made from a results record and stored features, never from a live model; and
//! pictures of the formulas, for the documents.

mod csv;
mod error;
mod figures;
mod files;
mod html;
mod narrative;
mod summary;
mod table;
mod typeface;

use std::path::{Path, PathBuf};

pub use self::csv::RESULTS_COLUMNS;
pub use error::ReportError;
pub use files::{
    FEATURE_COLUMNS, RESULTS_FILE, load, read_features, read_results, write_features, write_results,
};
pub use table::summary_table;

use crate::{
    Error,
    device::Backend,
    experiment::{FeatureRow, Results},
};

/// Writes `results.csv`, every picture as SVG and PNG, and `report.html` into a folder.
///
/// `features` holds the rows of each run, in the order of `results.runs`. Returns the files written.
///
/// # Errors
///
/// When the lists of rows are not as many as the runs, a picture cannot be drawn, or a file cannot be written.
/// Each file is written whole or not at all.
pub fn write_report(
    dir: &Path,
    results: &Results,
    features: &[Vec<FeatureRow>],
) -> Result<Vec<PathBuf>, ReportError> {
    if features.len() != results.runs.len() {
        return Err(ReportError::FeaturesMismatch { runs: results.runs.len(), features: features.len() });
    }
    let figures = figures::draw(results, features)?;
    let mut written = Vec::new();
    let mut write = |name: &str, content: &[u8]| {
        let path = dir.join(name);
        files::write(&path, content)?;
        written.push(path);
        Ok::<(), ReportError>(())
    };
    write("results.csv", &csv::results_csv(results, &dir.join("results.csv"))?)?;
    for figure in &figures {
        write(&format!("{}.svg", figure.name), typeface::embedded(&figure.svg).as_bytes())?;
        write(&format!("{}.png", figure.name), &figures::png(&figure.name, &figure.svg)?)?;
    }
    write("report.html", html::page(results, &figures).as_bytes())?;
    Ok(written)
}

/// Makes the report of a folder anew from the results record and the features stored there.
///
/// # Errors
///
/// Those of [`load`] and [`write_report`].
pub fn rebuild(dir: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let (results, features) = load(dir)?;
    write_report(dir, &results, &features)
}

/// Draws the margins, the norm maps and the gradient by the norm into a folder, each as SVG and PNG. The numbers are
/// computed by the heads of `cm-loss-core` on the backend `flex`. Returns the files written.
///
/// # Errors
///
/// When that backend was not compiled in, a picture cannot be drawn, or a file cannot be written. Each file is written
/// whole or not at all.
pub fn draw_formulas(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let device = Backend::Flex.device()?.autodiff();
    write_drawings(dir, figures::draw_formulas(&device)?)
}

/// Draws time and memory of the loss of many classes into a folder, as SVG and PNG, from a file with the lines that
/// `cargo xtask bench head --json` prints. Returns the files written.
///
/// # Errors
///
/// When the file cannot be read or has another line in it, or a picture cannot be written.
pub fn draw_many_classes(measured: &Path, dir: &Path) -> Result<Vec<PathBuf>, Error> {
    write_drawings(dir, vec![figures::draw_many_classes(measured)?])
}

fn write_drawings(dir: &Path, drawings: Vec<figures::Drawing>) -> Result<Vec<PathBuf>, Error> {
    let mut written = Vec::new();
    for drawing in drawings {
        let svg = typeface::embedded(&drawing.svg);
        for (extension, content) in
            [("svg", svg.into_bytes()), ("png", figures::png(drawing.name, &drawing.svg)?)]
        {
            let path = dir.join(format!("{}.{extension}", drawing.name));
            files::write(&path, &content)?;
            written.push(path);
        }
    }
    Ok(written)
}
