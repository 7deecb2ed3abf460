//! The table beside the patches: a row for each, in their order.

use std::path::Path;

use csv::StringRecord;

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

/// Where the columns are.
struct Columns {
    header: Vec<String>,
    id: Option<usize>,
    patient: usize,
    spacing: usize,
    diameter: usize,
    scan: Option<usize>,
    /// Known and guessed.
    intercepts: [Option<usize>; 2],
    /// Of malignancy and of subtlety, one column for each radiologist.
    ratings: [Vec<usize>; 2],
}

impl Columns {
    /// What is wrong with the header, if it is.
    fn of(header: Vec<String>) -> Result<Self, String> {
        let place = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
        let required = |name: &str| {
            place(name).ok_or_else(|| {
                let there = header.join(", ");
                format!("there is no column {name}; there are {there}; add it or rename one")
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
        if let Some((what, zeroth)) =
            RATINGS.iter().find_map(|what| Some((what, place(&format!("{what}_0"))?)))
        {
            return Err(format!(
                "there is a column {}, but the ratings of the first radiologist are in {what}_1; number them from 1",
                header[zeroth]
            ));
        }
        let ratings = RATINGS.map(|what| -> Result<Vec<usize>, String> {
            (1..=raters.min(header.len())).map(|rater| required(&format!("{what}_{rater}"))).collect()
        });
        let [malignancy, subtlety] = ratings;
        let ratings = [malignancy?, subtlety?];
        let (id, scan, intercepts) = (place("nodule_id"), place(SCAN), INTERCEPTS.map(place));
        Ok(Self { id, patient, spacing, diameter, scan, intercepts, ratings, header })
    }

    /// The row that stands in a record, the `number`-th from 1; or what is wrong with it.
    fn row(&self, record: &StringRecord, number: usize) -> Result<Row, String> {
        let cell = |at: usize| record.get(at).unwrap_or_default();
        let ratings = [self.rated(record, 0)?, self.rated(record, 1)?];
        let radiologists = self.ratings[0].iter().zip(&self.ratings[1]);
        let is_marked = |at: usize| cell(at).parse::<f64>() != Ok(0.0);
        if let Some((&first, &second)) =
            radiologists.into_iter().find(|(first, second)| is_marked(**first) != is_marked(**second))
        {
            return Err(format!(
                "{} is \"{}\" and {} is \"{}\", but a radiologist rates both or, with 0, none",
                self.header[first],
                cell(first),
                self.header[second],
                cell(second)
            ));
        }
        let [malignancy, subtlety] = ratings;
        let [known_intercept, guessed_intercept] = self.intercepts.map(|at| self.intercept(record, at));
        let row = Row {
            id: self.id.map_or_else(|| number.to_string(), |at| cell(at).to_owned()),
            patient: cell(self.patient).to_owned(),
            spacing: self.number(record, self.spacing, SPACINGS, "millimeters")?,
            diameter: self.number(record, self.diameter, DIAMETERS, "pixels")?,
            malignancy,
            subtlety,
            scan: self.scan.map(cell).filter(|scan| !scan.is_empty()).map(str::to_owned),
            known_intercept: known_intercept?,
            guessed_intercept: guessed_intercept?,
        };
        if row.patient.is_empty() {
            return Err("the patient is empty, but folds keep patients apart; fill it in".to_owned());
        }
        if row.malignancy.is_empty() {
            return Err("no radiologist has rated this nodule; leave its row and its patch out".to_owned());
        }
        Ok(row)
    }

    /// The cell of a column, and what its content is not.
    fn not(&self, record: &StringRecord, at: usize, allowed: &str) -> String {
        format!("{} is \"{}\", but {allowed}", self.header[at], record.get(at).unwrap_or_default())
    }

    fn number(
        &self,
        record: &StringRecord,
        at: usize,
        [least, most]: [f64; 2],
        unit: &str,
    ) -> Result<f64, String> {
        let found = record.get(at).and_then(|cell| cell.parse::<f64>().ok());
        found.filter(|number| (least..=most).contains(number)).ok_or_else(|| {
            self.not(record, at, &format!("has to be a number of {unit} from {least} to {most}"))
        })
    }

    /// An empty cell is one that is not known.
    fn intercept(&self, record: &StringRecord, at: Option<usize>) -> Result<Option<f64>, String> {
        let known = at.and_then(|at| Some((at, record.get(at).filter(|cell| !cell.is_empty())?)));
        let Some((at, cell)) = known else { return Ok(None) };
        let found = cell.parse::<f64>().ok().filter(|number| number.is_finite());
        found
            .map(Some)
            .ok_or_else(|| self.not(record, at, "has to be a number of Hounsfield units, or empty"))
    }

    /// The ratings of the radiologists who marked the nodule.
    fn rated(&self, record: &StringRecord, what: usize) -> Result<Vec<u8>, String> {
        let mut ratings = Vec::new();
        for &at in &self.ratings[what] {
            // Tables that were written as numbers with a point have 4.0 for 4.
            let value = record.get(at).and_then(|cell| cell.parse::<f64>().ok());
            match value.filter(|value| value.fract() == 0.0) {
                // Not marked by this radiologist.
                Some(0.0) => {}
                Some(rating) if (1.0..=f64::from(HIGHEST_RATING)).contains(&rating) => {
                    ratings.push(rating as u8)
                }
                _ => {
                    let allowed = format!(
                        "ratings go from 1 to {HIGHEST_RATING}, with 0 for a radiologist who did not mark the nodule"
                    );
                    return Err(self.not(record, at, &allowed));
                }
            }
        }
        Ok(ratings)
    }
}

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
    let header = reader.headers().map_err(from_csv)?.iter().map(str::to_owned).collect();
    let columns = Columns::of(header).map_err(|what| wrong(1, what))?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(from_csv)?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push(columns.row(&record, rows.len() + 1).map_err(|what| wrong(line, what))?);
    }
    if rows.is_empty() {
        return Err(wrong(1, "there are no rows below the header".to_owned()));
    }
    Ok(rows)
}
