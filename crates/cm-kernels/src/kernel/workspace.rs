//! Memory that a thread keeps from one step to the next.

use std::cell::Cell;

thread_local! {
    static KEPT: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Calls `work` with `len` numbers of any value.
pub fn with<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    // Taken, not borrowed: a matrix product that is itself divided may run other work on this thread meanwhile.
    let mut kept = KEPT.take();
    if kept.len() < len {
        kept.resize(len, 0.0);
    }
    let result = work(&mut kept[..len]);
    KEPT.set(kept);
    result
}
