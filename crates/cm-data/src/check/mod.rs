//! Whether every file of a data set is an image that can be used, asked before training and not
//! in the middle of it.

mod memory;

use std::{
    collections::BTreeMap,
    fmt,
    ops::ControlFlow,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use rayon::prelude::*;

use self::memory::{Memory, Remembered};
use crate::{Collection, DataError, ImageFacts, source::content_hash};

/// A file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadFile {
    /// Position in [`Collection::items`] of the data set that was checked.
    pub index: usize,
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for BadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.reason)
    }
}

/// What a check has found.
#[derive(Debug)]
pub struct Checked {
    /// Size, channels and content of each image, nothing for bad ones.
    pub facts: Vec<Option<ImageFacts>>,
    /// The files that cannot be used, in the order of the images.
    pub bad: Vec<BadFile>,
    /// How many files were not opened because an earlier check had seen them.
    pub remembered: usize,
    /// Why the results could not be written down for the next check, if they could not.
    pub cache_problem: Option<DataError>,
}

/// Opens and decodes every file of a data set, on all processors.
///
/// With a `cache`, a file that has the path, size and time of a file in it is not opened again;
/// entries of an archive go by their size and checksum. Afterwards the cache holds this data set.
/// A cache that is damaged, or of another version or other limits, is ignored and replaced.
///
/// `progress` is told how many files are done, from any thread, each number once, and says whether to go on.
///
/// # Errors
///
/// [`DataError::Stopped`] where `progress` says so.
pub fn check_all(
    collection: &Collection,
    cache: Option<&Path>,
    progress: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
) -> Result<Checked, DataError> {
    let memory = cache.map(|path| Memory::read(path, collection.limits())).unwrap_or_default();
    let (done, known) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results: Option<Vec<Verdict>> = (0..collection.len())
        .into_par_iter()
        .map(|index| {
            let stamp = cache.and_then(|_| collection.stamp(index));
            let remembered = stamp.as_ref().and_then(|(key, stamp)| memory.get(key, stamp));
            known.fetch_add(usize::from(remembered.is_some()), Ordering::Relaxed);
            let verdict = match remembered {
                Some(result) => Verdict { result, stamp, lasting: true },
                None => judge(collection, index, stamp),
            };
            let going_on = progress(done.fetch_add(1, Ordering::Relaxed) + 1).is_continue();
            going_on.then_some(verdict)
        })
        .collect();
    let results = results.ok_or(DataError::Stopped)?;
    let remembered = known.into_inner();
    let cache_problem = cache.and_then(|path| {
        let lasting = results.iter().filter(|verdict| verdict.lasting);
        let entries = lasting.filter_map(|verdict| {
            let (key, stamp) = verdict.stamp.clone()?;
            Some((key, Remembered::new(stamp, &verdict.result)))
        });
        let entries: BTreeMap<_, _> = entries.collect();
        memory.replace(entries, path).err()
    });
    let mut checked = Checked { facts: Vec::new(), bad: Vec::new(), remembered, cache_problem };
    for (index, verdict) in results.into_iter().enumerate() {
        checked.facts.push(verdict.result.as_ref().ok().copied());
        if let Err(reason) = verdict.result {
            checked.bad.push(BadFile { index, file: collection.items[index].file.clone(), reason });
        }
    }
    Ok(checked)
}

/// What one look at a file has shown.
struct Verdict {
    result: Result<ImageFacts, String>,
    stamp: Option<(String, String)>,
    /// Whether the next look will show the same. What the system refuses today it may allow
    /// tomorrow.
    lasting: bool,
}

fn judge(collection: &Collection, index: usize, stamp: Option<(String, String)>) -> Verdict {
    let bytes = match collection.read(index) {
        Ok(bytes) => bytes,
        Err(error) => return Verdict { result: Err(reason(error)), stamp, lasting: false },
    };
    let facts = collection.decoded(index, &bytes).map(|image| ImageFacts {
        width: image.width as u32,
        height: image.height as u32,
        channels: image.channels as u8,
        content: content_hash(&bytes),
    });
    Verdict { result: facts.map_err(reason), stamp, lasting: true }
}

/// What is wrong, without the name of the file that stands before it.
pub(crate) fn reason(error: DataError) -> String {
    match error {
        DataError::BadImage { problem, .. } => problem.to_string(),
        DataError::InImage { source, .. } => source.to_string(),
        DataError::LargeFile { bytes, limit, .. } => {
            format!("{bytes} bytes are more than the {limit} allowed")
        }
        other => other.to_string(),
    }
}

impl Checked {
    /// The data set with what was found, without its bad files, which must not be more than
    /// `skip_bad`.
    ///
    /// # Errors
    ///
    /// [`DataError::BadFiles`] if they are more; [`DataError::ClassLost`] if a class has no image
    /// left.
    ///
    /// # Panics
    ///
    /// If another data set was checked.
    pub fn into_usable(
        self,
        mut collection: Collection,
        skip_bad: usize,
    ) -> Result<(Collection, Vec<BadFile>), DataError> {
        assert_eq!(self.facts.len(), collection.len(), "the data set that was checked");
        if self.bad.len() > skip_bad {
            let (name, total) = (collection.name, collection.items.len());
            return Err(DataError::BadFiles { name, bad: self.bad, total });
        }
        let mut left = vec![(0usize, 0usize); collection.classes.len()];
        for (item, facts) in collection.items.iter_mut().zip(&self.facts) {
            item.facts = *facts;
            if let Some((all, good)) = item.class().and_then(|class| left.get_mut(class)) {
                *all += 1;
                *good += usize::from(facts.is_some());
            }
        }
        if let Some(lost) = left.iter().position(|&(all, good)| all > 0 && good == 0) {
            return Err(DataError::ClassLost {
                class: collection.classes.swap_remove(lost),
                name: collection.name,
            });
        }
        collection.items.retain(|item| item.facts.is_some());
        Ok((collection, self.bad))
    }
}
