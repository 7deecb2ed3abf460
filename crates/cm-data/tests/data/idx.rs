use std::fs;

use cm_data::{DataError, read_images, read_labels};
use proptest::prelude::*;

use crate::helper::{gzip, idx_bytes};

/// What reading a file with these bytes says.
fn read(bytes: &[u8], labels: bool) -> Result<(Vec<usize>, Vec<u8>), DataError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some-idx");
    fs::write(&path, bytes).unwrap();
    let file = if labels { read_labels(&path, 9) } else { read_images(&path) }?;
    Ok((file.dims, file.bytes))
}

#[test]
fn raw_and_gzip_files_are_told_apart_by_their_content_and_read_alike() {
    let images = idx_bytes(0x803, &[2, 2, 3], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    for bytes in [images.clone(), gzip(&images)] {
        let (dims, pixels) = read(&bytes, false).unwrap();
        assert_eq!((dims, pixels), (vec![2, 2, 3], (1..=12).collect()));
    }
    assert_eq!(read(&gzip(&idx_bytes(0x801, &[3], &[0, 9, 5])), true).unwrap().1, [0, 9, 5]);
}

#[test]
fn each_kind_of_damage_is_named_with_the_file_and_the_value() {
    let images = idx_bytes(0x803, &[2, 2, 2], &[0; 8]);
    let labels = idx_bytes(0x801, &[3], &[1, 2, 3]);
    let mut longer = images.clone();
    longer.push(0);
    let cases = [
        (
            images[..images.len() - 1].to_vec(),
            false,
            "holds 23 bytes of content, but its header announces 24",
        ),
        (longer, false, "holds 25 bytes of content, but its header announces 24"),
        (images[..7].to_vec(), false, "holds 7 bytes"),
        (Vec::new(), false, "holds 0 bytes"),
        (labels.clone(), false, "its magic number is 0x00000801, not 0x00000803"),
        (images, true, "its magic number is 0x00000803, not 0x00000801"),
        (idx_bytes(0x801, &[3], &[1, 10, 3]), true, "label 1 is 10, but labels go from 0 to 9"),
        (
            idx_bytes(0x803, &[u32::MAX, u32::MAX, u32::MAX], &[]),
            false,
            "announces 79228162458924105385300197391",
        ),
        (gzip(&labels)[..20].to_vec(), true, "uncompress"),
        (b"\n<!DOCTYPE html><html></html>".to_vec(), true, "is a web page"),
        (gzip(b"<html>Sign in</html>"), false, "is a web page"),
    ];
    for (bytes, as_labels, expected) in cases {
        let message = read(&bytes, as_labels).unwrap_err().to_string();
        assert!(message.contains("some-idx") && message.contains(expected), "{message}");
    }
    let missing = read_images(std::path::Path::new("/nowhere/at-all")).unwrap_err().to_string();
    assert!(missing.contains("cannot open /nowhere/at-all"), "{missing}");
}

proptest! {
    #[test]
    fn any_bytes_give_images_or_an_error_but_never_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        magic in prop_oneof![Just(0x803u32), Just(0x801), any::<u32>()],
        packed in any::<bool>(),
    ) {
        let bytes = [magic.to_be_bytes().as_slice(), &bytes].concat();
        let bytes = if packed { gzip(&bytes) } else { bytes };
        for labels in [false, true] {
            if let Ok((dims, content)) = read(&bytes, labels) {
                prop_assert_eq!(dims.iter().product::<usize>(), content.len());
            }
        }
    }
}
