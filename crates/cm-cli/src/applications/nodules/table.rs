//! The table beside the patches: a row for each, in their order.

use std::path::Path;

use super::nodule::HIGHEST_RATING;
use crate::error::CliError;

/// What a row of the table says.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub id: String,
    pub patient: String,
    pub spacing: f64,
    /// In pixels.
    pub diameter: f64,
    pub malignancy: Vec<u8>,
    pub subtlety: Vec<u8>,
    /// The scan, where the table tells it.
    pub scan: Option<String>,
    /// What is added to stored values to make Hounsfield units of them.
    pub known_intercept: Option<f64>,
    /// The same as somebody guessed it.
    pub guessed_intercept: Option<f64>,
}

/// Columns that must be there, beside those of the ratings.
pub const COLUMNS: [&str; 3] = ["patient", "pixel_spacing_mm", "equiv_diameter_px"];
/// What the ratings of each radiologist begin with; `_1` and so on follows.
const RATINGS: [&str; 2] = ["Malignancy", "Subtlety"];
/// Millimeters from a pixel to the next, and pixels of a diameter, that can be of computed tomography: others are in another unit.
const SPACINGS: [f64; 2] = [0.1, 5.0];
const DIAMETERS: [f64; 2] = [0.5, 1000.0];
/// Columns of the intercept, as it is known and as it was guessed.
const INTERCEPTS: [&str; 2] = ["rescale_intercept_known", "rescale_intercept_guess"];
/// The column of the scan.
const SCAN: &str = "series_uid";

/// Reads a table.
///
/// # Errors
///
/// What is wrong, with the file, the line and what to do.
pub fn read(path: &Path) -> Result<Vec<Row>, CliError> {
    let wrong = |line: u64, what: String| CliError::Said(format!("{}, line {line}: {what}", path.display()));
    let from_csv = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        wrong(line, format!("{error}; replace the table by the original"))
    };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(from_csv)?;
    let header: Vec<String> = reader.headers().map_err(from_csv)?.iter().map(str::to_owned).collect();
    let place = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
    let required = |name: &str| {
        place(name).ok_or_else(|| {
            let there = header.join(", ");
            wrong(1, format!("there is no column {name}; there are {there}; add it or rename one"))
        })
    };
    let [patient, spacing, diameter] = COLUMNS.map(required);
    let (patient, spacing, diameter) = (patient?, spacing?, diameter?);
    // As many radiologists as any column names: one that is missing in between is an error.
    let named = |column: &String| {
        let lower = column.to_ascii_lowercase();
        RATINGS
            .iter()
            .filter_map(|what| lower.strip_prefix(&format!("{}_", what.to_lowercase()))?.parse().ok())
            .max()
    };
    let raters: usize = header.iter().filter_map(named).max().unwrap_or(1);
    for what in RATINGS {
        if let Some(zeroth) = place(&format!("{what}_0")) {
            let what = format!(
                "there is a column {}, but the ratings of the first radiologist are in {what}_1; number them from 1",
                header[zeroth]
            );
            return Err(wrong(1, what));
        }
    }
    let ratings = RATINGS.map(|what| -> Result<Vec<usize>, CliError> {
        (1..=raters.min(header.len())).map(|rater| required(&format!("{what}_{rater}"))).collect()
    });
    let [malignancy, subtlety] = ratings;
    let (malignancy, subtlety) = (malignancy?, subtlety?);
    let [known, guessed] = INTERCEPTS.map(place);
    let scan = place(SCAN);
    let id = place("nodule_id");

    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(from_csv)?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: usize| record.get(at).unwrap_or_default();
        let number = |at: usize, [least, most]: [f64; 2], unit: &str| -> Result<f64, CliError> {
            let found = cell(at).parse::<f64>().ok().filter(|number| (least..=most).contains(number));
            found.ok_or_else(|| {
                let (name, value) = (&header[at], cell(at));
                wrong(
                    line,
                    format!("{name} is \"{value}\", but has to be a number of {unit} from {least} to {most}"),
                )
            })
        };
        // An empty cell is one that is not known.
        let intercept = |at: Option<usize>| -> Result<Option<f64>, CliError> {
            let Some(at) = at.filter(|&at| !cell(at).is_empty()) else { return Ok(None) };
            let found = cell(at).parse::<f64>().ok().filter(|number| number.is_finite());
            found.map(Some).ok_or_else(|| {
                let (name, value) = (&header[at], cell(at));
                wrong(
                    line,
                    format!("{name} is \"{value}\", but has to be a number of Hounsfield units, or empty"),
                )
            })
        };
        let rated = |columns: &[usize]| -> Result<Vec<u8>, CliError> {
            let mut ratings = Vec::new();
            for &at in columns {
                // Tables that were written as numbers with a point have 4.0 for 4.
                let value = cell(at).parse::<f64>().ok().filter(|value| value.fract() == 0.0);
                match value {
                    // Not marked by this radiologist.
                    Some(0.0) => {}
                    Some(rating) if (1.0..=f64::from(HIGHEST_RATING)).contains(&rating) => {
                        ratings.push(rating as u8)
                    }
                    _ => {
                        return Err(wrong(
                            line,
                            format!(
                                "{} is \"{}\", but ratings go from 1 to {HIGHEST_RATING}, with 0 for a radiologist who did not \
                                 mark the nodule",
                                header[at],
                                cell(at)
                            ),
                        ));
                    }
                }
            }
            Ok(ratings)
        };
        let row = Row {
            id: id.map_or_else(|| (rows.len() + 1).to_string(), |at| cell(at).to_owned()),
            patient: cell(patient).to_owned(),
            spacing: number(spacing, SPACINGS, "millimeters")?,
            diameter: number(diameter, DIAMETERS, "pixels")?,
            malignancy: rated(&malignancy)?,
            subtlety: rated(&subtlety)?,
            scan: scan.map(cell).filter(|scan| !scan.is_empty()).map(str::to_owned),
            known_intercept: intercept(known)?,
            guessed_intercept: intercept(guessed)?,
        };
        let marked = |columns: &[usize]| -> Vec<bool> {
            columns.iter().map(|&at| cell(at).parse::<f64>() != Ok(0.0)).collect()
        };
        let (first, second) = (marked(&malignancy), marked(&subtlety));
        if let Some(rater) = (0..first.len()).find(|&rater| first[rater] != second[rater]) {
            let [first, second] = [malignancy[rater], subtlety[rater]];
            return Err(wrong(
                line,
                format!(
                    "{} is \"{}\" and {} is \"{}\", but a radiologist rates both or, with 0, none",
                    header[first],
                    cell(first),
                    header[second],
                    cell(second)
                ),
            ));
        }
        if row.patient.is_empty() {
            return Err(wrong(
                line,
                "the patient is empty, but folds keep patients apart; fill it in".to_owned(),
            ));
        }
        if row.malignancy.is_empty() || row.subtlety.is_empty() {
            let what = "no radiologist has rated this nodule; leave its row and its patch out";
            return Err(wrong(line, what.to_owned()));
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(wrong(1, "there are no rows below the header".to_owned()));
    }
    Ok(rows)
}
