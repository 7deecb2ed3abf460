//! Arrays as NumPy wrote them (`tools/array_fixtures.py`), and data sets of them.

use std::{fs, ops::ControlFlow, path::PathBuf};

use cm_data::{Array, ArrayArchive, Collection, Numbers, OpenOptions, check_all, inspect_all};

use crate::helper::{message, open, summary, zip_bytes};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/arrays").join(name)
}

fn refused(name: &str) -> String {
    Array::read(&file(name)).unwrap_err().to_string()
}

#[test]
fn every_type_is_read_in_either_order_of_bytes_and_of_dimensions() {
    let mut seen = 0;
    for entry in fs::read_dir(file("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some((kind, rest)) = name.split_once('-').filter(|_| name.ends_with(".npy")) else { continue };
        let array = Array::read(&file(&name)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(array.shape, [2, 3, 4], "{name}");
        let expected: Vec<f32> = (0..24u8)
            .map(f32::from)
            .map(|i| match &kind[..1] {
                "f" => (i - 12.0) / 4.0,
                "i" => i - 12.0,
                "b" => i % 2.0,
                _ => i,
            })
            .collect();
        assert_eq!(array.numbers.reals(0..24), expected, "{name}");
        let is_as_expected = match kind {
            "u1" => matches!(array.numbers, Numbers::Bytes(_)),
            "f2" | "f4" | "f8" => matches!(array.numbers, Numbers::Reals(_)),
            _ => matches!(array.numbers, Numbers::Integers(_)),
        };
        assert!(is_as_expected && (rest.ends_with("c.npy") || rest.ends_with("fortran.npy")), "{name}");
        seen += 1;
    }
    assert_eq!(seen, 30);
}

#[test]
fn what_are_no_numbers_is_refused_by_the_name_of_its_type() {
    for (name, kind) in [("complex", "c8"), ("text", "<U1"), ("objects", "O"), ("fields", "('a', '<i2')")] {
        let message = refused(&format!("{name}.npy"));
        assert!(message.contains("values of the type") && message.contains(kind), "{name}: {message}");
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error_and_so_is_one_that_goes_on() {
    let whole = fs::read(file("i2-big-fortran.npy")).unwrap();
    for length in 0..whole.len() {
        assert!(Array::parse(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
    }
    let problem = Array::parse(&whole[..whole.len() - 2]).unwrap_err().to_string();
    assert!(problem.contains("46 bytes of numbers, but an array of (2, 3, 4) has 48"), "{problem}");
    let longer = [&whole[..], b"x"].concat();
    assert!(Array::parse(&longer).unwrap_err().to_string().contains("49 bytes"));
    // A shape with more numbers than there are bytes in the world, in a header of the same length.
    let header = "{'descr': '>i2', 'fortran_order': True, 'shape': (9999999999, 9999999999, 9999999999), }";
    let mut bytes = whole[..10].to_vec();
    bytes.extend(format!("{header:<117}\n").into_bytes());
    bytes.extend(&whole[128..]);
    let problem = Array::parse(&bytes).unwrap_err().to_string();
    assert!(problem.contains("an array of (9999999999, 9999999999, 9999999999) has"), "{problem}");
}

#[test]
fn labels_with_a_fraction_are_no_labels() {
    let array = Array { shape: vec![2], numbers: Numbers::Reals(vec![1.0, 1.5]) };
    assert!(array.integers().unwrap_err().to_string().contains("number 1 is 1.5"));
    let array = Array { shape: vec![2], numbers: Numbers::Reals(vec![1.0, 3.0]) };
    assert_eq!(array.integers().unwrap(), [1, 3]);
}

#[test]
fn medmnist_is_a_data_set_with_its_splits() {
    for (name, channels) in [("gray", 1), ("color", 3)] {
        let collection = open(&file(&format!("{name}.npz"))).unwrap();
        assert_eq!(collection.classes, ["0", "1", "2"]);
        assert_eq!(collection.len(), 11);
        let summary = summary(&collection);
        assert!(summary.contains(&("train_images/4", "1", Some("train"))), "{summary:?}");
        assert!(summary.contains(&("test_images/2", "2", Some("test"))), "{summary:?}");
        let image = collection.image(0).unwrap();
        assert_eq!((image.width, image.height, image.channels), (4, 5, channels));
        assert_eq!(collection.constant_images(), usize::from(name == "gray"), "{name}");
        let archive = ArrayArchive::open(&file(&format!("{name}.npz"))).unwrap();
        let array = archive.read("train_images").unwrap();
        let bytes: Vec<f32> = image.pixels.iter().map(|&pixel| f32::from(pixel)).collect();
        assert_eq!(array.numbers.reals(0..bytes.len()), bytes);
    }
    let keras = open(&file("keras.npz")).unwrap();
    assert_eq!((keras.len(), keras.classes.len()), (6, 3));
    // The same pixels are the same data, wherever they lie.
    let sum = |name: &str| open(&file(name)).unwrap().checksum().unwrap();
    assert_ne!(sum("gray.npz"), sum("color.npz"));
}

#[test]
fn volumes_are_images_whose_channels_are_slices() {
    let collection = open(&file("volumes.npz")).unwrap();
    let image = collection.image(7).unwrap();
    assert_eq!((image.width, image.height, image.channels), (4, 5, 8));
    let whole = ArrayArchive::open(&file("volumes.npz")).unwrap().read("val_images").unwrap();
    assert_eq!(whole.shape, [2, 8, 5, 4]);
    // The second of the validation volumes: slice after slice there.
    let slices: Vec<f32> = (0..8).flat_map(|slice| image.slice(slice).pixels).map(f32::from).collect();
    assert_eq!(slices, whole.numbers.reals(160..320));
    let checked = check_all(&collection, None, &|_| ControlFlow::Continue(())).unwrap();
    assert!(checked.facts.iter().all(|facts| facts.is_some_and(|facts| facts.channels == 8)));
    let looks = inspect_all(&collection, &|_| ControlFlow::Continue(())).unwrap();
    assert!(looks.iter().all(|look| look.as_ref().is_ok_and(|look| (look.channels, look.height) == (8, 5))));
}

#[test]
fn what_is_no_data_set_says_why() {
    let refused = |name: &str| message(open(&file(name)), &file(name));
    assert!(refused("multi-label.npz").contains("each image has 14 labels in \"train_labels\""));
    let floats = refused("floats.npz");
    assert!(
        floats.contains("\"train_images\" holds floating-point numbers, but pixels have to be bytes"),
        "{floats}"
    );
    let few = refused("few-labels.npz");
    assert!(
        few.contains("\"val_labels\" has the shape (1,), but has to be (2,), one label for each image"),
        "{few}"
    );
    let other = refused("other.npz");
    assert!(other.contains("there is no array \"train_images\" in it; there are weights"), "{other}");
    // Without labels the images alone will do.
    let options = OpenOptions { labels_required: false, ..OpenOptions::default() };
    assert_eq!(Collection::open(&file("keras.npz"), &options).unwrap().len(), 6);
}

/// An array of bytes as NumPy writes it.
fn npy(shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), bytes].concat()
}

#[test]
fn masks_are_packed_very_well_and_are_no_bomb() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("masks.npz");
    let masks = npy("(24, 1024, 1024)", &vec![0; 24 << 20]);
    let packed = zip_bytes(&[("images.npy", &masks)]);
    assert!(packed.len() * 900 < masks.len(), "{} of {}", packed.len(), masks.len());
    fs::write(&path, packed).unwrap();
    let array = ArrayArchive::open(&path).and_then(|archive| archive.read("images")).unwrap();
    assert_eq!(array.shape, [24, 1024, 1024]);
}

#[test]
fn an_archive_of_arrays_cut_short_is_never_a_smaller_data_set() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.npz");
    let (images, labels) = (npy("(6, 8, 8)", &[7; 6 * 64]), npy("(6, 1)", &[0, 1, 0, 1, 0, 1]));
    let whole = zip_bytes(&[("train_images.npy", &images), ("train_labels.npy", &labels)]);
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(Collection::open(&path, &OpenOptions::default()).is_err(), "{length} of {}", whole.len());
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(open(&path).unwrap().len(), 6);
    // An array that is shorter than it says, and images without their labels.
    let short = zip_bytes(&[("images.npy", &images[..images.len() - 1]), ("labels.npy", &labels)]);
    fs::write(&path, short).unwrap();
    assert!(message(open(&path), &path).contains("images"));
    fs::write(&path, zip_bytes(&[("images.npy", &images)])).unwrap();
    let missing = message(open(&path), &path);
    assert!(missing.contains("labels"), "{missing}");
}
