//! What the pixels of a data set are like: light, contrast, sharpness, and which images are copies of each other.

mod copies;
mod look;

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicUsize, Ordering},
};

use rayon::prelude::*;

pub use copies::{Copies, CopyKind};
pub use look::Look;

use crate::{Collection, DataError, check::reason};

/// What was found of each image of a data set, in their order: how it looks, or why it cannot be used.
///
/// Every file is read and decoded, on all processors. `progress` is told how many are done, from any thread, each number once, and
/// says whether to go on.
///
/// # Errors
///
/// [`DataError::Stopped`] where `progress` says so.
pub fn inspect_all(
    collection: &Collection,
    progress: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
) -> Result<Vec<Result<Look, String>>, DataError> {
    let done = AtomicUsize::new(0);
    let look = |index: usize| {
        let bytes = collection.read(index)?;
        let image = collection.decoded(index, &bytes)?;
        Ok(Look::of(&image, crate::source::content_hash(&bytes)))
    };
    let found: Option<_> = (0..collection.len())
        .into_par_iter()
        .map(|index| {
            let found = look(index).map_err(reason);
            let going_on = progress(done.fetch_add(1, Ordering::Relaxed) + 1).is_continue();
            going_on.then_some(found)
        })
        .collect();
    found.ok_or(DataError::Stopped)
}
