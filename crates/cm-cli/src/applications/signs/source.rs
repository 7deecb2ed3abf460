//! Which signs are used, and where they come from.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use cm_data::{Collection, ColumnNames, DataError, Image, MemorySet, OpenOptions, Split};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{config::DataChoice, synthetic::synthetic_signs};
use crate::{
    applications::{
        places::{Found, find},
        start::{self, Nowhere, Origin, Search},
    },
    error::CliError,
    files::hex,
};

/// Name of the data set in every table and picture.
pub const GTSRB: &str = "GTSRB";

/// The list that tells what the camera saw of each image.
const LIST: &str = "images.csv";
/// The images, zipped; unzipped they are the folders `train` and `test`.
const ARCHIVE: &str = "gtsrb32.zip";

/// Known quality of an image, which nobody made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Height or width of the sign as the camera saw it, whichever is less, in pixels.
    pub resolution: f64,
    /// Standard deviation of the gray levels, from 0 to 127.
    pub contrast: f64,
}

impl Quality {
    /// Of an image that the camera saw in this resolution.
    pub fn of(image: &Image, resolution: f64) -> Self {
        let count = (image.width * image.height) as f64;
        let gray = |pixel: &[u8]| pixel.iter().map(|&v| f64::from(v)).sum::<f64>() / pixel.len() as f64;
        let levels = || image.pixels.chunks_exact(image.channels).map(gray);
        let mean = levels().sum::<f64>() / count;
        let variance = levels().map(|level| (level - mean).powi(2)).sum::<f64>() / count;
        Self { resolution, contrast: variance.sqrt() }
    }
}

/// A training set and a test set.
#[derive(Debug, Clone)]
pub struct Signs {
    /// Where they came from.
    pub origin: Origin,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Images to learn from.
    pub train: MemorySet,
    /// The track of each of them.
    pub train_groups: Vec<u32>,
    /// Images to test on.
    pub test: MemorySet,
    /// What is known of each of them.
    pub test_quality: Vec<Quality>,
}

impl start::Found for Signs {
    fn origin(&mut self) -> &mut Origin {
        &mut self.origin
    }
}

/// Finds or draws signs.
///
/// # Errors
///
/// GTSRB that is damaged, or that was insisted on and is not there.
pub fn load(choice: DataChoice, tracks: usize, seed: u64, search: &Search<'_>) -> Result<Signs, CliError> {
    if choice == DataChoice::Synthetic {
        return Ok(synthetic_signs(tracks, seed));
    }
    let is_there = |folder: &Path| [LIST, ARCHIVE].iter().any(|name| folder.join(name).is_file());
    let remedy = format!(
        "Put {LIST} (path,label,track,width,height,split) and {ARCHIVE}, or the folders train and test with a folder for each \
         class, into PLACE"
    );
    match find(GTSRB, search.data_dir, &["gtsrb", "GTSRB", "."], is_there, &remedy)? {
        Found::In(folder) => read(&folder),
        Found::Nowhere(looked) => {
            let nowhere = Nowhere { what_is: "GTSRB is", looked, drawn: "signs", remedy: (&remedy, "gtsrb") };
            nowhere.draw(choice == DataChoice::Gtsrb, search, || synthetic_signs(tracks, seed))
        }
    }
}

fn read(folder: &Path) -> Result<Signs, CliError> {
    let list = folder.join(LIST);
    let archive = folder.join(ARCHIVE);
    if !list.is_file() {
        return Err(CliError::Said(format!(
            "{} has {ARCHIVE} and not {LIST} (path,label,track,width,height,split), without which nothing is known of \
             the signs; put it there as well",
            folder.display()
        )));
    }
    let columns = ColumnNames { group: Some("track".to_owned()), ..ColumnNames::default() };
    let root = archive.is_file().then_some(archive);
    let options = OpenOptions { columns, root, ..OpenOptions::default() };
    let collection = Collection::open(&list, &options)?;
    let column = |name: &str| {
        let found = collection.columns.iter().position(|column| column == name);
        found.ok_or_else(|| CliError::Said(format!("{} has no column {name} of numbers", list.display())))
    };
    let (width, height) = (column("width")?, column("height")?);
    let decoded: Vec<Arc<Image>> = (0..collection.len())
        .into_par_iter()
        .map(|index| collection.image(index).map(Arc::new))
        .collect::<Result<_, DataError>>()?;

    let mut sums: BTreeMap<&str, Sha256> = BTreeMap::new();
    let (mut train, mut test) = (MemorySet::default(), MemorySet::default());
    let (mut train_groups, mut test_quality) = (Vec::new(), Vec::new());
    let mut order: Vec<usize> = (0..collection.len()).collect();
    order.sort_by(|&a, &b| collection.items[a].file.cmp(&collection.items[b].file));
    for index in order {
        let (item, image) = (&collection.items[index], &decoded[index]);
        let (name, set) = match item.split {
            Some(Split::Test) => ("test", &mut test),
            _ => ("train", &mut train),
        };
        match (name, item.group) {
            ("train", Some(group)) => train_groups.push(group),
            ("train", None) => {
                return Err(CliError::Said(format!("{}: {} has no track", list.display(), item.file)));
            }
            _ => {
                let resolution = item.columns[width].min(item.columns[height]);
                test_quality.push(Quality::of(image, resolution));
            }
        }
        let sum = sums.entry(name).or_default();
        sum.update(item.file.as_bytes());
        sum.update(item.label.to_le_bytes());
        sum.update(&image.pixels);
        set.images.push(image.clone());
        set.labels.push(item.label);
        set.names.push(item.file.clone());
    }
    if train.labels.is_empty() || test.labels.is_empty() {
        return Err(CliError::Said(format!(
            "{} must have images of both splits, train and test",
            list.display()
        )));
    }
    Ok(Signs {
        origin: Origin {
            name: GTSRB.into(),
            source: "camera images of traffic signs, scaled to 32 x 32".to_owned(),
            place: folder.display().to_string(),
            notice: None,
            checksums: sums
                .into_iter()
                .map(|(name, sum)| {
                    (format!("{name} names, classes and pixels"), format!("sha256:{}", hex(&sum.finalize())))
                })
                .collect(),
        },
        classes: collection.classes.clone(),
        train,
        train_groups,
        test,
        test_quality,
    })
}
