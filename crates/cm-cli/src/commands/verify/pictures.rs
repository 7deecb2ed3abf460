//! Pictures of compared pairs, and their scores as a table.

use std::path::Path;

use cm_data::PairSet;
use cm_eval::RocCurve;
use cm_record::{RecordError, files::write_atomically};
use cm_report::chart::{self, Axis, Color, Corner, Curve, Panel};

use super::{
    features::Compared,
    qualities::{Qualities, STARTING_ERROR},
};
use crate::{
    error::CliError,
    figures::discarded::{self, Pairs, Threshold},
};

/// Writes everything into a folder.
pub fn write(
    folder: &Path,
    set: &PairSet,
    compared: &[Compared],
    qualities: &Qualities,
) -> Result<(), CliError> {
    let path = folder.join("scores.csv");
    let mut csv = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| CliError::Said(format!("{}: {error}", path.display()));
    csv.write_record(["first", "second", "same", "fold", "score", "norm_first", "norm_second"])
        .map_err(failed)?;
    for (pair, found) in set.pairs.iter().zip(compared) {
        let [first, second] = pair.images.map(|image| set.images.items[image].file.clone());
        // A pair that could not be compared has no score.
        let number = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
        let same = u8::from(pair.same).to_string();
        let [norm_first, norm_second] = found.norms.map(number);
        let row = [first, second, same, pair.fold.to_string(), number(found.score), norm_first, norm_second];
        csv.write_record(row).map_err(failed)?;
    }
    let content = csv.into_inner().map_err(|error| CliError::Said(error.to_string()))?;
    write_atomically(&path, &content).map_err(RecordError::io("write", &path))?;
    let mut figures = Vec::new();
    let scores: Vec<f64> = compared.iter().map(|found| found.score).collect();
    let mated: Vec<bool> = set.pairs.iter().map(|pair| pair.same).collect();
    let pairs = Pairs { scores: &scores, same: &mated };
    if let Some(curve) = RocCurve::new(&scores, &mated) {
        let points = |from: f64| -> Vec<(f64, f64)> {
            let shown = curve.points.iter().filter(|point| point.false_positive_rate >= from);
            shown.map(|point| (100.0 * point.false_positive_rate, 100.0 * point.true_positive_rate)).collect()
        };
        let panels = [
            Panel {
                title: "True and false accepts".to_owned(),
                x: Axis::new(-2.0..102.0, "false accept rate (%)", 6, true),
                y: Axis::new(-2.0..102.0, "true accept rate (%)", 6, true),
                legend: Corner::BottomRight,
                curves: vec![Curve::new("", Color::CURVES[0], points(0.0))],
                about_zero: None,
            },
            discarded::panel(&qualities.shown(pairs), Threshold::Fixed(STARTING_ERROR)),
            discarded::panel(&qualities.shown(pairs), Threshold::Anew),
        ];
        let subtitle = format!("{}, {} pairs", set.images.name, set.pairs.len());
        figures.push(chart::panels("verification", "Verification", &subtitle, 400, (1, 3), &panels)?);
    }
    cm_report::write_figures(folder, &figures)?;
    Ok(())
}
