//! The pictures of a report, as SVG and as PNG.

pub(crate) mod axis;
mod by_level;
mod by_loss;
pub(crate) mod canvas;
mod confused_pairs;
mod confusion;
mod features;
mod image;
mod learning_curves;
mod legend;
mod mark;
mod norm_by_level;
pub(crate) mod png;
mod reliability;
mod sheet;
pub(crate) mod style;

use cm_record::{FeatureTable, Level, Results, RunRecord};

use crate::{
    Figure, ReportError,
    summary::{self, DimensionSummary},
    table::one_line,
    text::slug,
    typeface,
};

pub use confusion::confusion;
pub use reliability::reliability;
pub use sheet::{ContactImage, ContactRow, contact_sheet};

/// All pictures that the runs suffice for.
pub(crate) fn draw(results: &Results, features: &[Option<FeatureTable>]) -> Result<Vec<Figure>, ReportError> {
    let data = results.data.name.as_str();
    let dimensions = summary::by_dimension(results);
    let strata = &results.layout.stratifications;
    let mut figures = Vec::new();
    for dimension in &dimensions {
        for strata in strata {
            figures.extend(match dimension.trained().len() > by_loss::MANY {
                true => by_loss::draw(data, dimension, strata)?,
                false => by_level::draw(data, dimension, strata)?,
            });
        }
    }
    figures.extend(features::draw(results, features)?);
    for dimension in &dimensions {
        for strata in strata {
            figures.extend(norm_by_level::draw(data, dimension, strata)?);
        }
    }
    for dimension in &dimensions {
        figures.extend(learning_curves::draw(data, dimension)?);
    }
    Ok(figures)
}

/// Whether a picture is drawn of the features of a run.
pub(crate) fn needs_features(run: &RunRecord) -> bool {
    run.key.feature_dim == 2 && run.is_finished()
}

/// The line under the title of every picture: data, feature dimension, seeds.
fn subtitle(data: &str, dimension: &DimensionSummary<'_>) -> String {
    format!("{data} · {}", dimension.describe())
}

/// Name of the files of a picture by the levels of a stratification.
fn file_name(what: &str, stratification: &str, dimension: &DimensionSummary<'_>) -> String {
    format!("{what}-by-{}-{}d", slug(stratification), dimension.feature_dim)
}

/// How a level is called in a picture: by its name where the typeface lacks a letter of its label.
fn level_name(level: &Level) -> String {
    let label = one_line(level);
    if typeface::covers(label) { label.to_owned() } else { level.name.clone() }
}

fn level_names(levels: &[&Level]) -> Vec<String> {
    levels.iter().map(|level| level_name(level)).collect()
}
