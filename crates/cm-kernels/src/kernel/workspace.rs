//! Memory that a thread keeps from one step to the next.

use std::cell::Cell;

use cm_tiles::{LINE, start};

thread_local! {
    static KEPT: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Calls `work` with `len` numbers of any value, which begin at a cache line.
pub fn with<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    // Taken, not borrowed: what is divided further may run other work on this thread meanwhile.
    let mut kept = KEPT.take();
    if kept.len() < len + LINE {
        kept.resize(len + LINE, 0.0);
    }
    let start = start(&kept);
    let result = work(&mut kept[start..start + len]);
    KEPT.set(kept);
    result
}
