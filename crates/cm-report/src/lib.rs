//! Tables, pictures and a web page, made from the record of a study and from nothing else.
//!
//! The record says by its [`Layout`](cm_record::Layout) how its figures are arranged: no
//! application is known here.
//!
//! | question | answer |
//! |---|---|
//! | how is the report of a study written? | [`write_report`] |
//! | how is it made anew, from the folder alone? | [`rebuild`] |
//! | what does the terminal show? | [`summary_table`] |
//! | what may a command show on a page of its own? | [`Page`] |
//! | what may an application add? | [`contact_sheet`], [`confusion`], [`reliability`], [`chart`] |

pub mod chart;
mod comparisons;
mod error;
mod figure;
mod figures;
mod html;
mod metric;
mod narrative;
mod pooled;
mod rebuild;
mod summary;
mod table;
mod terminal;
mod text;
mod typeface;

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use cm_record::{FeatureTable, Results, results_csv};

pub use error::ReportError;
pub use figure::{Figure, Kind, write_figures};
pub use figures::{ContactImage, ContactRow, confusion, contact_sheet, reliability};
pub use html::{Page, PageSection, PageTable};
pub use rebuild::{Rebuilt, drawn_features, rebuild, rebuild_from};
pub use terminal::summary_table;

use figure::{Kept, write};

/// Name of the page in its folder.
pub const REPORT_FILE: &str = "report.html";

/// Writes `results.csv`, every picture as SVG and PNG, and `report.html` into a folder. Returns
/// the files written.
///
/// `features` are those of each run, in the order of the record; they are needed for the picture
/// of two-dimensional features only, and the page says where they are missing ([`drawn_features`]
/// reads them). `extra` pictures go onto the page as well.
///
/// # Errors
///
/// [`ReportError::NotOurs`] if there is another page of this name, before anything is written.
/// When a picture cannot be drawn, or a file cannot be written. Each file is written whole or not
/// at all.
pub fn write_report(
    folder: &Path,
    results: &Results,
    features: &[Option<FeatureTable>],
    extra: &[Figure],
) -> Result<Vec<PathBuf>, ReportError> {
    write_all(folder, results, features, extra, &[])
}

/// [`write_report`], with pictures that are in the folder already.
fn write_all(
    folder: &Path,
    results: &Results,
    features: &[Option<FeatureTable>],
    extra: &[Figure],
    kept: &[Kept],
) -> Result<Vec<PathBuf>, ReportError> {
    if features.len() != results.runs.len() {
        return Err(ReportError::FeaturesMismatch { runs: results.runs.len(), features: features.len() });
    }
    let page = folder.join(REPORT_FILE);
    if !may_be_replaced(&page) {
        return Err(ReportError::NotOurs { path: page });
    }
    let mut figures = figures::draw(results, features)?;
    figures.extend_from_slice(extra);

    let csv = folder.join("results.csv");
    write(&csv, &results_csv(results)?)?;
    let mut written = vec![csv];
    written.extend(write_figures(folder, &figures)?);
    write(&page, html::page(results, features, &figures, kept).as_bytes())?;
    written.push(page);
    Ok(written)
}

/// Whether there is no page, or one of ours. What cannot be read is left for the write to fail at.
pub(crate) fn may_be_replaced(page: &Path) -> bool {
    let mut head = Vec::new();
    let read = fs::File::open(page).and_then(|file| file.take(html::HEAD_BYTES).read_to_end(&mut head));
    read.is_err() || String::from_utf8_lossy(&head).contains(html::GENERATOR)
}
