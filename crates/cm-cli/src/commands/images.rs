//! Images from a user's data: opened, looked at, and said what is in them.

use std::{
    collections::{BTreeMap, HashMap},
    ops::ControlFlow,
    path::{self, Path, PathBuf},
};

use burn::train::Interrupter;
use cm_data::{Collection, OpenOptions, check_all};
use cm_record::LeftOut;
use cm_train::{study::Session, training::Display};
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};

use crate::{applications::places::shown, error::CliError, files::hex};

/// Images that can all be decoded.
pub struct Images {
    /// What was found.
    pub collection: Collection,
    /// What could not be used.
    pub left_out: Vec<LeftOut>,
}

impl Images {
    /// Opens a folder, list, zip or IDX, and every file in it.
    ///
    /// # Errors
    ///
    /// What is wrong with the data, and more than `skip_bad` files that cannot be used.
    pub fn open(
        path: &Path,
        options: &OpenOptions,
        skip_bad: usize,
        group_by_name: Option<&str>,
        session: &Session,
    ) -> Result<Self, CliError> {
        let display = session.display;
        let mut collection = Collection::open(path, options)?;
        if display != Display::Quiet {
            say_skipped(&collection);
            let constant = collection.constant_images();
            if constant > 0 {
                let total = collection.len();
                eprintln!(
                    "{constant} of {total} images have the same value everywhere: nothing is to be seen on them"
                );
            }
        }
        if let Some(separator) = group_by_name {
            group(&mut collection, separator);
        }
        let bar = display.bar(collection.len(), "looking at every image");
        let cache = cache_of(path);
        let checked = check_all(&collection, cache.as_deref(), &told(&bar, &session.interrupter))?;
        bar.finish_and_clear();
        if let Some(problem) = checked.cache_problem.as_ref().filter(|_| display != Display::Quiet) {
            eprintln!("what was seen is looked at again the next time: {problem}");
        }
        let (collection, bad) = checked.into_usable(collection, skip_bad)?;
        let left_out: Vec<LeftOut> =
            bad.into_iter().map(|bad| LeftOut { file: bad.file, reason: bad.reason }).collect();
        if display != Display::Quiet && !left_out.is_empty() {
            let names: Vec<PathBuf> = left_out.iter().map(|left| PathBuf::from(&left.file)).collect();
            eprintln!("left out {} that cannot be used: {}", left_out.len(), shown(&names));
        }
        Ok(Self { collection, left_out })
    }

    /// Width and height that images are brought to unless others are asked for: their median, no side above 112.
    pub fn usual_size(&self) -> [usize; 2] {
        /// What networks of faces take: more pixels cost more than they tell.
        const LARGEST: usize = 112;
        let median = |side: fn(&cm_data::ImageFacts) -> u32| {
            let mut sides: Vec<u32> =
                self.collection.items.iter().filter_map(|i| i.facts.as_ref()).map(side).collect();
            sides.sort_unstable();
            sides.get(sides.len() / 2).map_or(1, |&side| side as usize)
        };
        let (width, height) = (median(|facts| facts.width), median(|facts| facts.height));
        let longer = width.max(height);
        let fitted = |side: usize| match longer > LARGEST {
            true => (side * LARGEST).div_ceil(longer),
            false => side,
        };
        [fitted(width), fitted(height)]
    }

    /// 1 if every image is gray, 3 if there are colors, and the slices of volumes.
    pub fn usual_channels(&self) -> usize {
        let channels = self.collection.items.iter().filter_map(|item| item.facts).map(|facts| facts.channels);
        channels.max().map_or(1, usize::from)
    }
}

/// What a look at many files tells how far it is: it moves a bar, and ends with Ctrl-C.
pub fn told<'a>(
    bar: &'a ProgressBar,
    interrupter: &'a Interrupter,
) -> impl Fn(usize) -> ControlFlow<()> + Sync + 'a {
    |done| {
        bar.set_position(done as u64);
        match interrupter.should_stop() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

/// Results among the images would be taken for images the next time.
///
/// # Errors
///
/// A folder for results that is the folder of images or in it.
pub fn refuse_inside(out: &Path, data: &Path) -> Result<(), CliError> {
    let Ok(data) = data.canonicalize() else { return Ok(()) };
    let out = path::absolute(out).unwrap_or_else(|_| out.to_owned());
    let existing = out.ancestors().find_map(|folder| folder.canonicalize().ok());
    match data.is_dir() && existing.is_some_and(|folder| folder.starts_with(&data)) {
        true => Err(CliError::Said(format!(
            "the folder for results, {}, is among the images in {}; name one elsewhere by --out",
            out.display(),
            data.display()
        ))),
        false => Ok(()),
    }
}

/// Where what was seen of a data set is remembered, by the set's place on this machine.
fn cache_of(path: &Path) -> Option<PathBuf> {
    let place = path.canonicalize().ok()?;
    let sum = Sha256::digest(place.as_os_str().as_encoded_bytes());
    let name = hex(&sum[..8]);
    Some(dirs::cache_dir()?.join("cm-loss").join("checked").join(format!("{name}.json")))
}

fn say_skipped(collection: &Collection) {
    for column in &collection.ignored_columns {
        eprintln!("the column {column} is not used, for not every cell of it is a number");
    }
    if collection.skipped.total() > 0 {
        eprintln!("passed over {}", collection.skipped);
    }
}

/// Groups the images of a class by their names up to the last separator.
fn group(collection: &mut Collection, separator: &str) {
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    let key = |file: &str| match file.rfind(separator) {
        Some(end) if end > file.rfind('/').map_or(0, |slash| slash + 1) => file[..end].to_owned(),
        _ => file.to_owned(),
    };
    for item in &collection.items {
        numbers.entry(key(&item.file)).or_insert(0);
    }
    collection.groups = numbers.keys().cloned().collect();
    let numbers: HashMap<&String, u32> =
        numbers.keys().enumerate().map(|(i, name)| (name, i as u32)).collect();
    let found: Vec<Option<u32>> =
        collection.items.iter().map(|item| numbers.get(&key(&item.file)).copied()).collect();
    for (item, group) in collection.items.iter_mut().zip(found) {
        item.group = group;
    }
}
