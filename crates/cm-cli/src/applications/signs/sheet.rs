//! The signs with the shortest and the longest features, to look at.

use std::path::Path;

use cm_data::ImageSet;
use cm_record::{FeatureRow, FeatureTable, Results};
use cm_report::{ContactImage, ContactRow, Figure, contact_sheet};

use super::source::Quality;
use crate::applications::common::Drawn;

/// Images of each kind: two lines.
const SHOWN: usize = 24;

/// A contact sheet for each feature dimension: of the loss that the norm matters to, where it was trained.
pub fn draw(
    folder: &Path,
    results: &Results,
    test: &dyn ImageSet,
    quality: &[Quality],
) -> Drawn<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut dims: Vec<usize> = results.runs.iter().map(|run| run.key.feature_dim).collect();
    dims.sort_unstable();
    dims.dedup();
    for dim in dims {
        let of_dim = || results.runs.iter().filter(|run| run.key.feature_dim == dim && run.is_finished());
        let preferred = of_dim().find(|run| run.key.loss == "CM-CosFace").or_else(|| of_dim().next());
        let Some((run, file)) = preferred.and_then(|run| Some((run, run.features_file.as_ref()?))) else {
            continue;
        };
        let path = folder.join(file);
        if !path.is_file() {
            continue;
        }
        let mut rows = FeatureTable::read(&path)?.rows;
        rows.sort_by(|a, b| a.norm.total_cmp(&b.norm));
        let images = |rows: &[FeatureRow]| -> Result<Vec<ContactImage<'static>>, cm_data::DataError> {
            rows.iter().map(|row| shown(row, test, quality)).collect()
        };
        let ends = SHOWN.min(rows.len());
        let title = |ends: &[FeatureRow], what: &str| {
            let right = ends.iter().filter(|row| row.label == row.predicted).count();
            format!("The {what} features: {right} of {} recognized", ends.len())
        };
        let (shortest, longest) = (&rows[..ends], &rows[rows.len() - ends..]);
        let sheet = contact_sheet(
            &format!("shortest-and-longest-{dim}d"),
            "The test images with the shortest and the longest features",
            &format!(
                "{} · {}, feature dimension {dim}, seed {}; below each image its norm, and the resolution that the camera \
                 saw in pixels",
                results.data.name, run.key.loss, run.key.seed
            ),
            &[
                ContactRow { title: title(shortest, "shortest"), images: images(shortest)? },
                ContactRow { title: title(longest, "longest"), images: images(longest)? },
            ],
        )?;
        figures.push(sheet);
    }
    Ok(figures)
}

fn shown(
    row: &FeatureRow,
    test: &dyn ImageSet,
    quality: &[Quality],
) -> Result<ContactImage<'static>, cm_data::DataError> {
    let image = test.image(row.index)?;
    let mark = if row.label == row.predicted { "" } else { " ×" };
    Ok(ContactImage {
        width: image.width,
        height: image.height,
        pixels: image.pixels.clone().into(),
        caption: format!("{:.2} · {:.0} px{mark}", row.norm, quality[row.index].resolution),
    })
}
