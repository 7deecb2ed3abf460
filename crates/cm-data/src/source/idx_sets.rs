//! Pairs of IDX files, under the names that MNIST and its likes give them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::{FolderProblem, Item, Location, OpenOptions, Split, classes::Classes};
use crate::{DataError, DecodeError, Image, read_images, read_labels};

/// Where the files lie below the folder that people name.
const FOLDERS: [&str; 4] = ["", "mnist", "MNIST/raw", "raw"];

/// One file of images and where its labels are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// What the names begin with, such as `train`.
    prefix: String,
    images: PathBuf,
    labels: Option<PathBuf>,
}

/// Classes, items, and the images that the items are in.
pub(super) type Read = (Vec<String>, Vec<Item>, Vec<Image>);

/// The pairs of a folder, none if there are no IDX files in it.
///
/// # Errors
///
/// [`DataError::Folder`] if they belong to several data sets.
pub(super) fn find(folder: &Path) -> Result<Vec<Pair>, DataError> {
    for below in FOLDERS {
        let folder = folder.join(below);
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        // An uncompressed file comes before its compressed copy.
        names.sort_unstable();
        let mut pairs: BTreeMap<String, Pair> = BTreeMap::new();
        for name in names {
            if let Some(prefix) = prefix(&name, "images") {
                let pair = || pair(folder.join(&name), &prefix);
                pairs.entry(prefix.clone()).or_insert_with(pair);
            }
        }
        let stems: BTreeSet<&str> = pairs.keys().map(|prefix| side(prefix).0).collect();
        if stems.len() > 1 {
            let names = stems.into_iter().map(str::to_owned).collect();
            return Err(DataError::Folder { path: folder, problem: FolderProblem::SeveralSets { names } });
        }
        if !pairs.is_empty() {
            return Ok(pairs.into_values().collect());
        }
    }
    Ok(Vec::new())
}

/// The pair of one file of images, or of one file of labels.
pub(super) fn of_file(path: &Path) -> Option<Pair> {
    let name = path.file_name()?.to_str()?;
    prefix(name, "images").map(|prefix| pair(path.to_owned(), &prefix))
}

/// What stands before `images-idx3-ubyte` or `labels-idx1-ubyte`, with a dot or a dash, packed or
/// not.
fn prefix(name: &str, kind: &str) -> Option<String> {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let number = if kind == "images" { 3 } else { 1 };
    let (before, idx) = name.split_once(kind)?;
    let known =
        idx.get(1..)? == format!("idx{number}-ubyte") && (idx.starts_with('-') || idx.starts_with('.'));
    known.then(|| before.trim_end_matches('-').to_owned())
}

fn pair(images: PathBuf, found: &str) -> Pair {
    let folder = images.parent().unwrap_or(Path::new("")).to_owned();
    let dash = if found.is_empty() { "" } else { "-" };
    let endings = ["-idx1-ubyte", ".idx1-ubyte", "-idx1-ubyte.gz", ".idx1-ubyte.gz"];
    let labels = endings.iter().map(|ending| folder.join(format!("{found}{dash}labels{ending}")));
    Pair { prefix: found.to_owned(), images, labels: labels.into_iter().find(|path| path.is_file()) }
}

/// The data set and the split that a prefix tells of.
fn side(prefix: &str) -> (&str, Option<Split>) {
    let (stem, last) = prefix.rsplit_once('-').unwrap_or(("", prefix));
    match if last == "t10k" { Some(Split::Test) } else { Split::from_name(last) } {
        Some(split) => (stem, Some(split)),
        None => (prefix, None),
    }
}

/// Reads all pairs. Classes are the labels that occur, by their numbers.
pub(super) fn read(pairs: &[Pair], path: &Path, options: &OpenOptions) -> Result<Read, DataError> {
    let mut images = Vec::new();
    let mut rows: Vec<(Item, Option<u8>)> = Vec::new();
    for pair in pairs {
        let labels = labels_of(pair, options)?;
        let file = read_images(&pair.images)?;
        let [count, height, width] = file.dims[..] else { unreachable!("images have three dimensions") };
        let shown =
            |index: usize| format!("{}-images-idx3-ubyte/{index}", pair.prefix).trim_matches('-').to_owned();
        if height == 0 || width == 0 {
            let (width, height) = (width as u64, height as u64);
            let problem = DecodeError::NoPixels { format: "IDX", width, height };
            return Err(DataError::BadImage { file: pair.images.display().to_string(), problem });
        }
        if let Some((labels_path, labels)) = labels.as_ref().filter(|(_, labels)| labels.len() != count) {
            return Err(DataError::CountsDiffer {
                images_path: pair.images.clone(),
                images: count,
                labels_path: labels_path.clone(),
                labels: labels.len(),
            });
        }
        for (index, pixels) in file.bytes.chunks_exact(height * width).enumerate() {
            let item = Item::new(shown(index), Location::Memory(images.len()), Item::UNLABELED);
            let label = labels.as_ref().map(|(_, labels)| labels[index]);
            rows.push((Item { split: side(&pair.prefix).1, ..item }, label));
            images.push(Image { width, height, channels: 1, pixels: pixels.to_vec() });
        }
    }
    let mut occurs = [false; 256];
    rows.iter().filter_map(|(_, label)| *label).for_each(|label| occurs[usize::from(label)] = true);
    let found: Vec<String> = (0..256).filter(|&label| occurs[label]).map(|label| label.to_string()).collect();
    let classes = Classes::new(options, path, found.iter().map(String::as_str))?;
    let mut items = Vec::with_capacity(rows.len());
    for (mut item, label) in rows {
        if let Some(label) = label {
            item.label = classes.label(&label.to_string(), || path.display().to_string())?;
        }
        items.push(item);
    }
    Ok((classes.names, items, images))
}

/// The labels of a pair and where they come from; none where they are neither there nor required.
fn labels_of(pair: &Pair, options: &OpenOptions) -> Result<Option<(PathBuf, Vec<u8>)>, DataError> {
    match &pair.labels {
        Some(path) => Ok(Some((path.clone(), read_labels(path, u8::MAX)?.bytes))),
        None if options.labels_required => Err(DataError::Incomplete {
            folder: pair.images.parent().unwrap_or(Path::new(".")).to_owned(),
            name: "a data set".to_owned(),
            missing: vec![format!("{}-labels-idx1-ubyte", pair.prefix).trim_matches('-').to_owned()],
        }),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_data_set_and_the_split() {
        let cases = [
            ("train-images-idx3-ubyte", "", Some(Split::Train)),
            ("t10k-images.idx3-ubyte.gz", "", Some(Split::Test)),
            ("emnist-letters-test-images-idx3-ubyte.gz", "emnist-letters", Some(Split::Test)),
            ("digits-images-idx3-ubyte", "digits", None),
            ("images-idx3-ubyte", "", None),
        ];
        for (name, stem, split) in cases {
            assert_eq!(side(&prefix(name, "images").expect(name)), (stem, split), "{name}");
        }
        for name in [
            "train-labels-idx1-ubyte",
            "train-images-idx1-ubyte",
            "images.zip",
            "images",
            "imagesäidx3-ubyte",
        ] {
            assert_eq!(prefix(name, "images"), None, "{name}");
        }
    }
}
