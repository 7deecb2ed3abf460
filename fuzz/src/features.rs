//! Features of test images.

use cm_record::FeatureTable;

use crate::{
    memory::{Limit, within},
    place::Place,
};

/// A level may be no byte and a comma, and is a text of its own.
const PER_BYTE: usize = 128;

/// The bytes as a features file: what was read and is written is read as the same.
pub fn features(bytes: &[u8]) {
    let place = Place::new();
    let path = place.file("features.csv", bytes);
    let limit = Limit::per_byte(PER_BYTE, bytes.len());
    let Ok(table) = within("reading", limit, || FeatureTable::read(&path)) else { return };
    for row in &table.rows {
        assert_eq!(row.levels.len(), table.stratifications.len());
        assert!(row.norm.is_finite() && row.point.is_none_or(|point| point.iter().all(|x| x.is_finite())));
    }
    table.write(&path).expect("a temporary file can be written");
    let again = FeatureTable::read(&path).expect("it was written so");
    // NaN is unlike itself.
    assert_eq!(format!("{again:?}"), format!("{table:?}"));
}
