//! Images and labels in an `.npz` file, under the names that MedMNIST and Keras give them.

use std::path::Path;

use super::{Item, Location, OpenOptions, Split, classes::Classes, idx_sets::Read};
use crate::{Array, ArrayArchive, ArrayProblem, DataError, Image, Numbers, image::SLICES};

/// Names of the arrays with images and with labels, and the split that they are.
const PAIRS: [(&str, &str, Option<Split>); 7] = [
    ("train_images", "train_labels", Some(Split::Train)),
    ("val_images", "val_labels", Some(Split::Val)),
    ("test_images", "test_labels", Some(Split::Test)),
    ("x_train", "y_train", Some(Split::Train)),
    ("x_val", "y_val", Some(Split::Val)),
    ("x_test", "y_test", Some(Split::Test)),
    ("images", "labels", None),
];

/// Reads all pairs. Classes are the labels that occur, by their numbers.
///
/// Images are bytes, `(images, height, width)` for gray ones, `(images, height, width, 3)` for color ones, or `(images, slices,
/// height, width)` for volumes; labels are whole numbers, `(images,)` or `(images, 1)`.
pub(super) fn read(path: &Path, options: &OpenOptions) -> Result<Read, DataError> {
    let archive = ArrayArchive::open(path)?;
    let has = |key: &str| archive.keys().any(|found| found == key);
    let mut images = Vec::new();
    let mut rows: Vec<(Item, Option<i64>)> = Vec::new();
    for (images_key, labels_key, split) in PAIRS {
        let wants_labels = has(images_key) && (options.labels_required || has(labels_key));
        if !has(images_key) && !has(labels_key) {
            continue;
        }
        let found = images_of(&archive, images_key)?;
        let labels = if wants_labels { Some(labels_of(&archive, labels_key)?) } else { None };
        if let Some(labels) = labels.as_ref().filter(|labels| labels.len() != found.len()) {
            let what = format!("\"{labels_key}\"");
            let expected = format!("({},), one label for each image of \"{images_key}\"", found.len());
            return Err(archive.problem(ArrayProblem::Shape { what, found: vec![labels.len()], expected }));
        }
        for (index, image) in found.into_iter().enumerate() {
            let file = format!("{images_key}/{index}");
            let item = Item::new(file, Location::Memory(images.len()), Item::UNLABELED);
            rows.push((Item { split, ..item }, labels.as_ref().map(|labels| labels[index])));
            images.push(image);
        }
    }
    if rows.is_empty() {
        let (key, found) = ("train_images".to_owned(), archive.keys().map(str::to_owned).collect());
        return Err(archive.problem(ArrayProblem::MissingKey { key, found }));
    }
    let mut occurring: Vec<i64> = rows.iter().filter_map(|(_, label)| *label).collect();
    occurring.sort_unstable();
    occurring.dedup();
    let found: Vec<String> = occurring.iter().map(ToString::to_string).collect();
    let classes = Classes::new(options, path, found.iter().map(String::as_str))?;
    let mut items = Vec::with_capacity(rows.len());
    for (mut item, label) in rows {
        if let Some(label) = label {
            item.label =
                classes.label(&label.to_string(), || format!("{}, {}", path.display(), item.file))?;
        }
        items.push(item);
    }
    Ok((classes.names, items, images))
}

fn images_of(archive: &ArrayArchive, key: &str) -> Result<Vec<Image>, DataError> {
    let Array { shape, numbers } = archive.read(key)?;
    let what = format!("\"{key}\"");
    let kind = match numbers {
        Numbers::Bytes(bytes) => {
            return cut(&shape, &bytes, what).map_err(|problem| archive.problem(problem));
        }
        Numbers::Integers(_) => "integers of another size",
        Numbers::Reals(_) => "floating-point numbers",
    };
    Err(archive.problem(ArrayProblem::Pixels { what, kind }))
}

fn cut(shape: &[usize], bytes: &[u8], what: String) -> Result<Vec<Image>, ArrayProblem> {
    let (height, width, channels) = match *shape {
        [_, height, width] => (height, width, 1),
        [_, height, width, channels @ (1 | 3)] => (height, width, channels),
        // Gray with transparency, and color with it: not volumes of narrow slices.
        [_, _, width, 2 | 4] if SLICES.contains(&width) => (0, 0, 0),
        [_, slices, height, width] if SLICES.contains(&slices) => (height, width, slices),
        _ => (0, 0, 0),
    };
    let values = height * width * channels;
    if values == 0 {
        let expected = "(images, height, width), maybe with 1 or 3 channels after them, or (images, slices, height, width) for volumes of 8 \
                        to 255 slices; leave transparency out"
            .to_owned();
        return Err(ArrayProblem::Shape { what, found: shape.to_vec(), expected });
    }
    let image = |pixels: &[u8]| {
        let pixels = match SLICES.contains(&channels) {
            // Slice after slice there, the slices of a place beside each other here.
            true => {
                let area = width * height;
                (0..area).flat_map(|place| pixels.iter().skip(place).step_by(area)).copied().collect()
            }
            false => pixels.to_vec(),
        };
        Image { width, height, channels, pixels }
    };
    Ok(bytes.chunks_exact(values).map(image).collect())
}

fn labels_of(archive: &ArrayArchive, key: &str) -> Result<Vec<i64>, DataError> {
    let array = archive.read(key)?;
    let problem = match array.shape[..] {
        [_] | [_, 1] => match array.integers() {
            Ok(labels) => return Ok(labels),
            Err(problem) => ArrayProblem::InArray { key: key.to_owned(), problem: Box::new(problem) },
        },
        [_, labels] => ArrayProblem::MultiLabel { key: key.to_owned(), labels },
        _ => ArrayProblem::Shape {
            what: format!("\"{key}\""),
            found: array.shape.clone(),
            expected: "(images,) or (images, 1)".to_owned(),
        },
    };
    Err(archive.problem(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_dimension_of_channels_is_no_volume() {
        let of = |shape: &[usize]| cut(shape, &vec![7; shape.iter().product()], "\"x\"".to_owned());
        let sizes = |shape: &[usize]| {
            let image = of(shape).expect("images").remove(0);
            [image.height, image.width, image.channels]
        };
        assert_eq!(sizes(&[2, 28, 20, 1]), [28, 20, 1]);
        assert_eq!(sizes(&[2, 28, 20, 3]), [28, 20, 3]);
        assert_eq!(sizes(&[2, 28, 20, 24]), [20, 24, 28]);
        for channels in [2, 4] {
            let message = of(&[2, 28, 20, channels]).expect_err("transparency").to_string();
            assert!(message.contains("leave transparency out"), "{message}");
        }
    }
}
