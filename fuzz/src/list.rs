//! Lists: CSV and its kind.

use cm_data::{Collection, OpenOptions};

use crate::{
    memory::{Limit, within},
    place::Place,
    promises::consistent,
};

/// A cell may be one byte, and is a text of its own; a row may be two, and is a record, a row, a place and an item.
pub(crate) const PER_BYTE: usize = 384;

/// The bytes as a list whose files are not there, and as one in a folder with a few files.
pub fn list(bytes: &[u8]) {
    let place = Place::new();
    let path = place.file("list.csv", bytes);
    for name in ["a", "b", "a.png"] {
        place.file(name, b"P5 1 1 255\n1");
    }
    let limit = Limit::per_byte(PER_BYTE, bytes.len());
    for (labels_required, files_required) in [(true, false), (false, true)] {
        let options = OpenOptions { labels_required, files_required, ..OpenOptions::default() };
        let Ok(opened) = within("opening", limit, || Collection::open(&path, &options)) else { continue };
        consistent(&opened);
        assert!(!opened.is_empty());
        assert!(!labels_required || opened.items.iter().all(|item| item.class().is_some()));
    }
}
