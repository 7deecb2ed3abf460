//! What a path is, and the data set behind it.

use std::{collections::HashMap, fs, io, path::Path, sync::Arc};

use super::{
    Collection, Item, Location, OpenOptions, Skipped, ZipProblem,
    archive::Archive,
    collection::{Source, read_file, start},
    folder, idx_sets,
    layout::{Layout, from_folders},
    list::{self, List},
    list_items::from_list,
    listing::{Listing, has_ending_of_a_list},
    npz_sets, record_sets,
};
use crate::{DataError, decode::begins_like_an_image};

/// Largest list, which is read whole.
const LIST_BYTES: u64 = 1 << 30;

pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<Collection, DataError> {
    let is_folder = is_dir(path)?;
    if let Some(records) = record_sets::find(path)? {
        return open_records(&records, path, options);
    }
    if is_folder {
        let pairs = idx_sets::find(path)?;
        return if pairs.is_empty() { open_folder(path, options) } else { open_idx(&pairs, path, options) };
    }
    let start = start(path, 16)?;
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npz")) {
        in_memory(npz_sets::read(path, options)?, path, options)
    } else if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        open_archive(path, options)
    } else if let Some(pair) = idx_sets::of_file(path) {
        open_idx(&[pair], path, options)
    } else if has_ending_of_a_list(&path.to_string_lossy()) {
        open_list(path, options)
    } else if begins_like_an_image(&start) && !options.labels_required {
        Ok(open_image(path, options))
    } else {
        Err(DataError::NoDataSet { path: path.to_owned() })
    }
}

fn is_dir(path: &Path) -> Result<bool, DataError> {
    fs::metadata(path).map(|found| found.is_dir()).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => DataError::Missing { path: path.to_owned() },
        _ => DataError::io("open", path)(error),
    })
}

fn collection(path: &Path, layout: Layout, source: Source) -> Collection {
    Collection {
        name: name_of(path),
        classes: layout.classes,
        items: layout.items,
        columns: Vec::new(),
        ignored_columns: Vec::new(),
        groups: Vec::new(),
        skipped: layout.skipped,
        source: Arc::new(source),
    }
}

/// Name of a folder, or of a file without its ending.
pub(crate) fn name_of(path: &Path) -> String {
    // `.` and `..` have names of their own.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let path = if path.file_name().is_some() { path } else { &real };
    let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
    name.map_or_else(|| "data".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn open_folder(path: &Path, options: &OpenOptions) -> Result<Collection, DataError> {
    let source = Source::new(None, Vec::new(), options);
    let listing = folder::listing(path)?;
    let layout = from_folders(&listing, path, options, &|location| source.looks_like_an_image(location))?;
    Ok(collection(path, layout, source))
}

fn open_image(path: &Path, options: &OpenOptions) -> Collection {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let items = vec![Item::new(file, Location::File(path.to_owned()), Item::UNLABELED)];
    let classes = options.classes.clone().unwrap_or_default();
    let layout = Layout { classes, items, skipped: Skipped::default() };
    collection(path, layout, Source::new(None, Vec::new(), options))
}

fn open_idx(pairs: &[idx_sets::Pair], path: &Path, options: &OpenOptions) -> Result<Collection, DataError> {
    in_memory(idx_sets::read(pairs, path, options)?, path, options)
}

fn open_records(file: &Path, path: &Path, options: &OpenOptions) -> Result<Collection, DataError> {
    let (classes, items, records) = record_sets::read(file, options)?;
    let layout = Layout { classes, items, skipped: Skipped::default() };
    let source = Source { records: Some(records), ..Source::new(None, Vec::new(), options) };
    Ok(collection(path, layout, source))
}

fn in_memory(read: idx_sets::Read, path: &Path, options: &OpenOptions) -> Result<Collection, DataError> {
    let (classes, items, images) = read;
    let layout = Layout { classes, items, skipped: Skipped::default() };
    Ok(collection(path, layout, Source::new(None, images, options)))
}

fn open_list(path: &Path, options: &OpenOptions) -> Result<Collection, DataError> {
    let bytes = read_file(path, &path.display().to_string(), LIST_BYTES)?;
    let list = match path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("lst")) {
        true => {
            list::parse_lst(&bytes).map_err(|problem| DataError::List { path: path.to_owned(), problem })?
        }
        false => parsed(&bytes, path, options)?,
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let root = options.root.as_deref().unwrap_or(folder);
    if is_dir(root)? {
        let source = Source::new(None, Vec::new(), options);
        return from_list(list, path, root, options, source, &|row| row.file_in(root));
    }
    let archive = Archive::open(root, &options.read)?;
    let mut entries = entries(&archive.listing()?);
    // Paths may begin above or below the folder that everything in the archive lies in.
    if let Some(below) = archive.listing_below_top()? {
        for (file, location) in self::entries(&below) {
            entries.entry(file).or_insert(location);
        }
    }
    let source = Source::new(Some(archive), Vec::new(), options);
    from_list(list, path, root, options, source, &|row| entries.get(&row.file).cloned())
}

fn open_archive(path: &Path, options: &OpenOptions) -> Result<Collection, DataError> {
    let archive = Archive::open(path, &options.read)?;
    let mut listing = archive.listing()?;
    let mut list = list_in(&archive, &listing, options)?;
    if list.is_none()
        && let Some(below) = archive.listing_below_top()?
    {
        list = list_in(&archive, &below, options)?;
        listing = below;
    }
    let source = Source::new(Some(archive), Vec::new(), options);
    if let Some(list) = list {
        let entries = entries(&listing);
        let list = parsed(&list, path, options)?;
        return from_list(list, path, path, options, source, &|row| entries.get(&row.file).cloned());
    }
    let layout = from_folders(&listing, path, options, &|location| source.looks_like_an_image(location))?;
    Ok(collection(path, layout, source))
}

/// Bytes of the one list at the top of an archive, if there is one.
fn list_in(
    archive: &Archive,
    listing: &Listing,
    options: &OpenOptions,
) -> Result<Option<Vec<u8>>, DataError> {
    let mut lists = Vec::new();
    for found in listing.lists() {
        let Location::Entry(at) = found.location else { unreachable!("an archive has entries") };
        let bytes = archive.read(at)?;
        if list::is_list(&bytes, &options.columns) {
            lists.push((found.file.clone(), bytes));
        }
    }
    if lists.len() > 1 {
        let names = lists.into_iter().map(|(name, _)| name).collect();
        return Err(archive.problem(ZipProblem::SeveralLists { names }));
    }
    Ok(lists.pop().map(|(_, bytes)| bytes))
}

fn parsed(bytes: &[u8], path: &Path, options: &OpenOptions) -> Result<List, DataError> {
    list::parse(bytes, options).map_err(|problem| DataError::List { path: path.to_owned(), problem })
}

fn entries(listing: &Listing) -> HashMap<String, Location> {
    listing.files.iter().map(|found| (found.file.clone(), found.location.clone())).collect()
}
