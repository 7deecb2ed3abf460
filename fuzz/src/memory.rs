//! How much memory a call takes.

use std::{
    env,
    sync::atomic::{AtomicUsize, Ordering},
};

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What every call may take, however small its file: buffers of readers, tables that are made once, messages.
const BASE: usize = 1 << 18;

/// For each byte that is read: a buffer that grows is held twice, at half its size and at its full one, and may be half empty.
pub const READING: usize = 4;

/// Bytes that a call may have in use at once, beside what was in use before.
#[derive(Debug, Clone, Copy)]
pub struct Limit(pub usize);

impl Limit {
    /// So many bytes for each byte of the file, and [`BASE`].
    pub fn per_byte(factor: usize, bytes: usize) -> Self {
        Self(BASE + factor * bytes)
    }

    /// As much again.
    pub fn and(self, bytes: usize) -> Self {
        Self(self.0 + bytes)
    }
}

/// The result of a call, which panics if the call takes more memory than allowed. `CM_FUZZ_PEAKS=1` prints each new share of the
/// limit, to see how much of it is needed. What other threads take meanwhile is counted in: whoever has several runs one call at
/// a time.
pub fn within<T>(what: &str, limit: Limit, call: impl FnOnce() -> T) -> T {
    static LARGEST: AtomicUsize = AtomicUsize::new(0);
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let result = call();
    let used = MEMORY.peak_usage().saturating_sub(before);
    assert!(used <= limit.0, "{what} took {used} bytes of memory, more than the {} allowed", limit.0);
    let share = 1000 * used / limit.0;
    if LARGEST.fetch_max(share, Ordering::Relaxed) < share && env::var_os("CM_FUZZ_PEAKS").is_some() {
        eprintln!("{what}: {used} of {} bytes", limit.0);
    }
    result
}
