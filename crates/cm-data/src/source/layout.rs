//! Class folders, with or without splits above them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    FolderProblem, Item, Location, OpenOptions, Skipped, Split,
    classes::Classes,
    listing::{Found, Listing},
};
use crate::DataError;

/// Items of a listing, with their classes.
pub(super) struct Layout {
    pub classes: Vec<String>,
    pub items: Vec<Item>,
    pub skipped: Skipped,
}

/// Tells whether a file begins as an image does.
pub(super) type IsImage<'a> = &'a dyn Fn(&Location) -> Result<bool, DataError>;

/// Gives each image the class of its folder: the first folder, or the second where the first ones
/// are splits.
///
/// Without required labels, what cannot be laid out so is a set of images without classes.
pub(super) fn from_folders(
    listing: &Listing,
    path: &Path,
    options: &OpenOptions,
    is_image: IsImage<'_>,
) -> Result<Layout, DataError> {
    if options.labels_required {
        return by_class(listing, path, options, is_image);
    }
    // Without a model's classes nobody knows whether folders are classes or holidays.
    if options.classes.is_some() {
        use FolderProblem::{EmptyClasses, LooseImages, MixedFolders};
        match by_class(listing, path, options, is_image) {
            Err(
                DataError::UnknownClass { .. }
                | DataError::Folder {
                    problem: LooseImages { .. } | EmptyClasses { .. } | MixedFolders { .. },
                    ..
                },
            ) => {}
            result => return result,
        }
    }
    if listing.files.is_empty() {
        return Err(no_images(listing, path));
    }
    let item = |found: &Found| Item::new(found.file.clone(), found.location.clone(), Item::UNLABELED);
    Ok(Layout {
        classes: options.classes.clone().unwrap_or_default(),
        items: listing.files.iter().map(item).collect(),
        skipped: listing.skipped,
    })
}

fn no_images(listing: &Listing, path: &Path) -> DataError {
    let archive = |found: &&Found| !found.file.contains('/') && found.file.ends_with(".zip");
    let read_me = |found: &&Found| found.file.to_lowercase().starts_with("readme");
    let found = listing.lists().filter(|found| !read_me(found)).chain(listing.files.iter().filter(archive));
    let instead = found.map(|found| found.file.clone()).collect();
    DataError::Folder { path: path.to_owned(), problem: FolderProblem::NoImages { instead } }
}

fn by_class(
    listing: &Listing,
    path: &Path,
    options: &OpenOptions,
    is_image: IsImage<'_>,
) -> Result<Layout, DataError> {
    let problem = |problem| DataError::Folder { path: path.to_owned(), problem };
    let splits = splits(listing).map_err(problem)?;
    let mut skipped = listing.skipped;
    let mut items = Vec::new();
    let mut loose: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for found in &listing.files {
        let (holder, rest) = divided(&found.file, &splits);
        match rest.split_once('/') {
            Some((class, _)) => {
                let item = Item::new(found.file.clone(), found.location.clone(), Item::UNLABELED);
                items.push((Item { split: splits.get(holder).copied(), ..item }, class));
            }
            None if is_image(&found.location)? => loose.entry(holder).or_default().push(&found.file),
            None => skipped.other += 1,
        }
    }
    if let Some((folder, files)) = loose.into_iter().next() {
        let (count, example, folder) = (files.len(), files[0].to_owned(), folder.to_owned());
        return Err(problem(FolderProblem::LooseImages { count, example, folder }));
    }
    if items.is_empty() {
        return Err(no_images(listing, path));
    }
    let full: BTreeSet<&str> = items.iter().map(|(_, class)| *class).collect();
    let classes = empty_classes(listing, &splits, &full);
    if !classes.is_empty() {
        return Err(problem(FolderProblem::EmptyClasses { classes }));
    }
    let classes = Classes::new(options, path, full.into_iter())?;
    let place = || path.display().to_string();
    let items =
        items.into_iter().map(|(item, class)| Ok(Item { label: classes.label(class, place)?, ..item }));
    let items = items.collect::<Result<Vec<_>, DataError>>()?;
    Ok(Layout { classes: classes.names, items, skipped })
}

/// The folder that holds the class folders, empty for the data set's own, and the path below it.
fn divided<'a>(file: &'a str, splits: &BTreeMap<String, Split>) -> (&'a str, &'a str) {
    if splits.is_empty() { ("", file) } else { file.split_once('/').unwrap_or(("", file)) }
}

/// Classes whose folders hold no image, in any split.
fn empty_classes(listing: &Listing, splits: &BTreeMap<String, Split>, full: &BTreeSet<&str>) -> Vec<String> {
    // A split may be empty.
    let below = listing.folders.iter().filter(|folder| splits.is_empty() || folder.contains('/'));
    let classes = below.map(|folder| divided(folder, splits).1).filter(|class| !class.contains('/'));
    let empty: BTreeSet<&str> = classes.filter(|class| !full.contains(class)).collect();
    empty.into_iter().map(str::to_owned).collect()
}

/// The top folders that are splits: all of them or none.
fn splits(listing: &Listing) -> Result<BTreeMap<String, Split>, FolderProblem> {
    let in_files = listing.files.iter().filter_map(|found| found.file.split_once('/').map(|(top, _)| top));
    let tops: BTreeSet<&str> = in_files.collect();
    let (splits, others): (Vec<&str>, Vec<&str>) =
        tops.iter().partition(|top| Split::from_name(top).is_some());
    let map: BTreeMap<String, Split> =
        splits.iter().filter_map(|top| Some(((*top).to_owned(), Split::from_name(top)?))).collect();
    if others.is_empty() {
        return Ok(map);
    }
    // `train` alone may be a class, among cars and planes.
    let trained = map.values().any(|&split| split == Split::Train);
    if trained && map.values().any(|&split| split != Split::Train) {
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        return Err(FolderProblem::MixedFolders { splits: owned(splits), others: owned(others) });
    }
    Ok(BTreeMap::new())
}
