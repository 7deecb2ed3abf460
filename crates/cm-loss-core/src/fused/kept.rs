//! Cosines that are kept from the forward to the backward pass, in memory that is used again in the next step.
//!
//! Fresh memory of this size comes page by page from the system, zeroed, which takes as long as computing the cosines again.

#![cfg_attr(not(feature = "flex"), allow(dead_code, reason = "flex alone keeps cosines"))]

use std::{
    mem,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

/// Memory of a head, shared by its clones, that no step is using.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    spare: Mutex<Vec<Vec<f32>>>,
}

/// The memory of one step; it goes back to the pool with the graph of the step.
#[derive(Debug)]
pub struct Kept {
    numbers: Mutex<Vec<f32>>,
    pool: Arc<Pool>,
    bytes: usize,
    parts: OnceLock<usize>,
}

/// Steps whose memory is kept for those to come; more are there only while several steps wait for their backward pass.
const SPARE: usize = 2;

impl Kept {
    /// Memory for up to so many bytes.
    pub fn take(pool: &Arc<Pool>, bytes: usize) -> Arc<Self> {
        let spare = pool.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Arc::new(Self {
            numbers: Mutex::new(spare.unwrap_or_default()),
            pool: pool.clone(),
            bytes,
            parts: OnceLock::new(),
        })
    }

    /// In how many parts the forward pass divided its work; `now` says it, the first time. The backward pass finds the numbers by
    /// it, on however many threads it runs.
    pub fn parts(&self, now: impl FnOnce() -> usize) -> usize {
        *self.parts.get_or_init(now)
    }

    /// The bytes that it may take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Calls `use_it` with so many numbers: those of the last call, if it asked for as many.
    pub fn with<R>(&self, count: usize, use_it: impl FnOnce(&mut [f32]) -> R) -> R {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.resize(count, 0.0);
        use_it(&mut numbers)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let numbers = mem::take(self.numbers.get_mut().unwrap_or_else(PoisonError::into_inner));
        let mut spare = self.pool.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE {
            spare.push(numbers);
        }
    }
}
