//! Records of studies.

use cm_record::{RESULTS_FILE, Results, results_csv};
use cm_report::summary_table;

use crate::{
    memory::{Limit, within},
    place::Place,
};

/// A number of two bytes in the settings is a value of 32 bytes in a list that grows.
const PER_BYTE: usize = 256;
/// A table has a cell for each loss and each stratum: its size is a product. The record is at most this large here.
const LARGEST: usize = 1 << 15;

/// The bytes as `results.json`: what was read and is written is read as the same, and tables can be made of it.
pub fn record(bytes: &[u8]) {
    if bytes.len() > LARGEST {
        return;
    }
    let place = Place::new();
    place.file(RESULTS_FILE, bytes);
    let limit = Limit::per_byte(PER_BYTE, bytes.len());
    let Ok(mut results) = within("reading", limit, || Results::read(place.path())) else { return };
    let text = |results: &Results| serde_json::to_string(results).expect("it was read from JSON");
    let written = text(&results);
    results.write(place.path()).expect("a temporary file can be written");
    let again = Results::read(place.path()).expect("it was written so");
    assert_eq!(text(&again), written);
    results_csv(&results).expect("figures are texts and numbers");
    summary_table(&results);
    results.compare();
    summary_table(&results);
}
