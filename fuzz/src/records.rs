//! Record files of MXNet and insightface.

use cm_data::{Collection, OpenOptions};

use crate::{
    memory::{Limit, READING, within},
    place::Place,
    promises::{READ, consistent, whole},
};

/// What comes between a record file and its index, for the tries that have one.
const INDEX: &[u8] = b"\nINDEX\n";
/// A record of eight bytes may be an image, which has a name, a place and a label; a line of an index of four as well.
const OPENING: usize = 256;

/// The bytes as a record file, with an index where a line `INDEX` and one follow.
pub fn records(bytes: &[u8]) {
    let at = bytes.windows(INDEX.len()).position(|window| window == INDEX);
    let (records, index) = match at {
        Some(at) => (&bytes[..at], Some(&bytes[at + INDEX.len()..])),
        None => (bytes, None),
    };
    let place = Place::new();
    let path = place.file("some.rec", records);
    if let Some(index) = index {
        place.file("some.idx", index);
    }
    let options = OpenOptions { labels_required: false, ..OpenOptions::default() };
    let limit = Limit::per_byte(OPENING + READING, bytes.len());
    let Ok(collection) = within("opening", limit, || Collection::open(&path, &options)) else { return };
    assert!(!collection.is_empty());
    consistent(&collection);
    for index in 0..collection.len().min(READ) {
        let limit = Limit::per_byte(READING, bytes.len());
        let Ok(read) = within("reading", limit, || collection.read(index)) else { continue };
        assert!(read.len() <= records.len());
        if let Ok(image) = collection.image(index) {
            whole(&image);
        }
    }
}
