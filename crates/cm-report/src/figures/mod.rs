//! The pictures of a report, as SVG and as PNG.

mod accuracy_by_loss;
mod accuracy_by_severity;
mod canvas;
mod features;
mod formulas;
mod learning_curves;
mod legend;
mod many_classes;
mod mark;
mod norm_by_severity;
mod png;
mod style;

use super::{
    ReportError,
    summary::{self, DimensionSummary},
};
use crate::experiment::{FeatureRow, Results};

pub(super) use canvas::{BOLD, REGULAR};
pub(super) use formulas::{Drawing, draw as draw_formulas};
pub(super) use many_classes::draw as draw_many_classes;
pub(super) use style::loss_colour;

/// What a picture shows, which is also where the report places it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Accuracy,
    Features,
    Norm,
    LearningCurves,
}

/// A picture with its caption.
pub(super) struct Figure {
    pub kind: Kind,
    /// Name of its files, without extension.
    pub name: String,
    pub caption: String,
    pub svg: String,
}

/// The pixels of a picture.
pub(super) fn png(name: &str, svg: &str) -> Result<Vec<u8>, ReportError> {
    png::render(svg).map_err(|reason| ReportError::Rendering { figure: name.to_owned(), reason })
}

/// All pictures that the runs suffice for.
pub(super) fn draw(results: &Results, features: &[Vec<FeatureRow>]) -> Result<Vec<Figure>, ReportError> {
    let dimensions = summary::by_dimension(results);
    let mut figures = Vec::new();
    for dimension in &dimensions {
        figures.extend(match trained(dimension).len() > accuracy_by_loss::MANY {
            true => accuracy_by_loss::draw(results, dimension)?,
            false => accuracy_by_severity::draw(results, dimension)?,
        });
    }
    figures.extend(features::draw(results, features)?);
    for dimension in &dimensions {
        figures.extend(norm_by_severity::draw(results, features, dimension)?);
    }
    for dimension in &dimensions {
        figures.extend(learning_curves::draw(results, dimension)?);
    }
    Ok(figures)
}

/// The line under the title of every picture: data, feature dimension, seeds.
fn subtitle(results: &Results, dimension: &DimensionSummary<'_>) -> String {
    format!("{} · {}", results.data.name, dimension.describe())
}

/// Losses with at least one run, with their position in the order of the experiment.
fn trained<'a>(dimension: &'a DimensionSummary<'_>) -> Vec<(usize, &'a summary::LossSummary<'a>)> {
    dimension.losses.iter().enumerate().filter(|(_, l)| !l.runs.is_empty()).collect()
}
