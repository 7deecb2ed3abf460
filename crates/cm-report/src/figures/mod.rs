//! The pictures of a report, as SVG and as PNG.

mod by_level;
mod by_loss;
pub(crate) mod canvas;
mod confusion;
mod features;
mod learning_curves;
mod legend;
mod mark;
mod norm_by_level;
mod png;
mod reliability;
mod sheet;
pub(crate) mod style;

use cm_record::{FeatureTable, Results};

use crate::{
    Figure, ReportError,
    summary::{self, DimensionSummary},
};

pub(crate) use canvas::{BOLD, REGULAR};
pub use confusion::confusion;
pub use reliability::reliability;
pub use sheet::{ContactImage, ContactRow, contact_sheet};
pub(crate) use style::loss_color;

/// The pixels of a picture.
pub(crate) fn png(name: &str, svg: &str) -> Result<Vec<u8>, ReportError> {
    png::render(svg).map_err(|reason| ReportError::Rendering { figure: name.to_owned(), reason })
}

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

/// The line under the title of every picture: data, feature dimension, seeds.
fn subtitle(data: &str, dimension: &DimensionSummary<'_>) -> String {
    format!("{data} · {}", dimension.describe())
}
