//! Memory that a thread keeps from one step to the next.

use std::cell::Cell;

thread_local! {
    static KEPT: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Numbers in a cache line.
const LINE: usize = 16;

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

/// Numbers that begin at a cache line: a vector that crosses one is loaded twice.
pub struct Aligned {
    numbers: Vec<f32>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// So many zeros.
    pub fn zeros(len: usize) -> Self {
        let numbers = vec![0.0; len + LINE];
        Self { start: start(&numbers), numbers, len }
    }

    /// The numbers.
    pub fn get(&self) -> &[f32] {
        &self.numbers[self.start..self.start + self.len]
    }

    /// The numbers, to change them.
    pub fn get_mut(&mut self) -> &mut [f32] {
        &mut self.numbers[self.start..self.start + self.len]
    }
}

/// The first place that is at a cache line.
fn start(numbers: &[f32]) -> usize {
    numbers.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE)
}
