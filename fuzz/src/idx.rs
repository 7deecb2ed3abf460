//! IDX files.

use std::io;

use cm_data::{Collection, DecodeLimits, OpenOptions, decode, read_images, read_labels};
use flate2::read::MultiGzDecoder;

use crate::{
    memory::{Limit, READING, within},
    place::Place,
    promises::{READ, consistent, whole},
};

/// A pixel may be an image of its own, which has a name, a place and a label.
const OPENING: usize = 1024;
/// Labels that the bytes are read as go up to this one.
const HIGHEST: u8 = 9;
/// Images that get labels.
const LABELED: usize = 1 << 14;

/// The bytes as a file of images, as a file of labels, and as the images of a data set whose labels are right.
///
/// Memory is bounded by the size of what is in a packed file, which is known: the format itself allows a thousand times its
/// size and no more.
pub fn idx(bytes: &[u8]) {
    let place = Place::new();
    let path = place.file("train-images-idx3-ubyte", bytes);
    let size = unpacked(bytes);
    let limit = Limit::per_byte(READING, size);
    if let Ok(labels) = within("reading labels", limit, || read_labels(&path, HIGHEST)) {
        assert_eq!(labels.dims, [labels.bytes.len()]);
        assert!(labels.bytes.iter().all(|&label| label <= HIGHEST));
    }
    let Ok(images) = within("reading images", limit, || read_images(&path)) else { return };
    let &[count, height, width] = &images.dims[..] else { panic!("{:?}", images.dims) };
    assert_eq!(images.bytes.len(), count * height * width);
    if count > LABELED {
        return;
    }
    let header = [0x801, count as u32].into_iter().flat_map(u32::to_be_bytes);
    let labels: Vec<u8> = header.chain((0..count).map(|index| (index % 7) as u8)).collect();
    place.file("train-labels-idx1-ubyte", &labels);
    let limit = Limit::per_byte(OPENING, size + labels.len());
    let options = OpenOptions::default();
    let Ok(collection) = within("opening", limit, || Collection::open(place.path(), &options)) else {
        return;
    };
    assert_eq!(collection.len(), count);
    consistent(&collection);
    for index in 0..count.min(READ) {
        let image = collection.image(index).expect("it is in memory");
        whole(&image);
        assert_eq!(
            collection.items[index].class(),
            collection.classes.iter().position(|name| *name == (index % 7).to_string())
        );
        let file = collection.read(index).expect("it is in memory");
        assert_eq!(decode(&file, &DecodeLimits::default()).as_ref(), Ok(&image));
    }
}

/// Bytes in a file, packed or not.
fn unpacked(bytes: &[u8]) -> usize {
    let mut reader = MultiGzDecoder::new(bytes);
    let mut counter = Counter(bytes.len());
    // Damage ends it, as it ends the reader.
    let _ = io::copy(&mut reader, &mut counter);
    counter.0
}

struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
