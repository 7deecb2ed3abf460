//! Pairs of IDX files as a data set.

use std::{fs, path::Path};

use cm_data::{Collection, DataError, OpenOptions, Split};

use crate::helper::{gzip, idx_bytes, message, open, summary};

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name), if name.ends_with(".gz") { gzip(bytes) } else { bytes.to_vec() }).unwrap();
}

fn images(count: u8) -> Vec<u8> {
    idx_bytes(0x803, &[count.into(), 1, 2], &(0..2 * count).collect::<Vec<_>>())
}

fn labels(labels: &[u8]) -> Vec<u8> {
    idx_bytes(0x801, &[labels.len() as u32], labels)
}

#[test]
fn both_pairs_are_found_wherever_they_usually_lie_packed_or_not() {
    for below in ["", "mnist", "MNIST/raw", "raw"] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join(below);
        write(&data, "train-images-idx3-ubyte.gz", &images(3));
        write(&data, "train-labels-idx1-ubyte", &labels(&[10, 2, 10]));
        write(&data, "t10k-images.idx3-ubyte", &images(1));
        // The packed copy of a file that is there is not read.
        write(&data, "t10k-images-idx3-ubyte.gz", b"damaged");
        fs::remove_file(data.join("t10k-images-idx3-ubyte.gz")).unwrap();
        write(&data, "t10k-labels.idx1-ubyte.gz", &labels(&[7]));
        let collection = open(folder.path()).unwrap();
        assert_eq!(collection.classes, ["2", "7", "10"]);
        let expected = [
            ("t10k-images-idx3-ubyte/0", "7", Some("test")),
            ("train-images-idx3-ubyte/0", "10", Some("train")),
            ("train-images-idx3-ubyte/1", "2", Some("train")),
            ("train-images-idx3-ubyte/2", "10", Some("train")),
        ];
        assert_eq!(summary(&collection), expected, "{below}");
        let image = collection.image(2).unwrap();
        assert_eq!((image.width, image.height, image.channels, image.pixels), (2, 1, 1, vec![2, 3]));
        // The bytes of a file that holds just this image.
        assert_eq!(collection.read(2).unwrap(), b"P5\n2 1\n255\n\x02\x03");
    }
}

#[test]
fn a_file_of_images_is_opened_with_the_labels_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "emnist-letters-train-images-idx3-ubyte.gz", &images(2));
    write(folder.path(), "emnist-letters-train-labels-idx1-ubyte.gz", &labels(&[26, 1]));
    write(folder.path(), "emnist-digits-train-images-idx3-ubyte.gz", &images(2));
    let path = folder.path().join("emnist-letters-train-images-idx3-ubyte.gz");
    let collection = open(&path).unwrap();
    assert_eq!(collection.classes, ["1", "26"]);
    assert_eq!(collection.items[0].split, Some(Split::Train));
    let message = message(open(folder.path()), folder.path());
    assert!(message.contains("several data sets (emnist-digits, emnist-letters)"), "{message}");
}

#[test]
fn what_does_not_belong_together_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "train-images-idx3-ubyte", &images(2));
    let missing = message(open(path), path);
    assert!(missing.contains("but not train-labels-idx1-ubyte"), "{missing}");
    let unlabeled = OpenOptions { labels_required: false, ..OpenOptions::default() };
    assert_eq!(Collection::open(path, &unlabeled).unwrap().items[1].class(), None);
    write(path, "train-labels-idx1-ubyte", &labels(&[1]));
    let differ = message(open(path), path);
    assert!(differ.contains("holds 2 images") && differ.contains("holds 1 labels"), "{differ}");
    let page = path.join("train-labels-idx1-ubyte");
    fs::write(&page, "<html>").unwrap();
    assert!(matches!(open(path), Err(DataError::WebPage { .. })));
    write(path, "train-labels-idx1-ubyte", &labels(&[1, 2]));
    write(path, "train-images-idx3-ubyte", &idx_bytes(0x803, &[2, 0, 5], &[]));
    assert!(message(open(path), path).contains("5 x 0 pixels"));
    let classes = Some(vec!["1".to_owned(), "3".to_owned()]);
    write(path, "train-images-idx3-ubyte", &images(2));
    let unknown = Collection::open(path, &OpenOptions { classes, ..OpenOptions::default() });
    assert!(message(unknown, path).contains("\"2\" is none of the 2 classes"));
}
